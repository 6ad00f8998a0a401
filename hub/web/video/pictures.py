"""What stands in for WebRTC: a JPEG, and a stream of JPEGs."""

from __future__ import annotations

import hashlib
from contextlib import aclosing

from aiohttp import web

from hub.camera.errors import CameraError, TooManyViewers
from hub.model import Role
from hub.web.parts import IDENTITY
from hub.web.route import API, Answer, Reaches, Route
from hub.web.serving.closing import CLOSING
from hub.web.video.cameras import camera_of, unavailable

BOUNDARY = "outpost-frame"


async def snapshot(request: web.Request) -> web.StreamResponse:
    """Answer with a JPEG that is at most a second old."""
    try:
        jpeg = await camera_of(request).snapshot()
    except (CameraError, TooManyViewers) as error:
        raise unavailable(error) from error
    tag = hashlib.blake2b(jpeg, digest_size=12).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)


async def mjpeg(request: web.Request) -> web.StreamResponse:
    """Send JPEGs one after another, as fast as the client takes them, until it goes or the hub stops."""
    answer = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    answer.headers["Content-Type"] = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    closing = request.app[CLOSING]
    try:
        async with aclosing(camera_of(request).frames(request[IDENTITY].name)) as frames:
            async for jpeg in frames:
                if closing.closed:
                    break
                if not answer.prepared:
                    await answer.prepare(request)
                await answer.write(_part(jpeg))
    except (CameraError, TooManyViewers) as error:
        if answer.prepared:
            return answer
        raise unavailable(error) from error
    except ConnectionError:
        return answer
    return answer


def _part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/cameras/{{id}}/snapshot.jpg",
        handler=snapshot,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="A picture that is at most a second old",
        answers={
            200: Answer(text="The picture", media="image/jpeg"),
            304: Answer(text="It is that of If-None-Match", media=None),
        },
        problems=(404, 503),
    ),
    Route(
        method="GET",
        path=f"{API}/cameras/{{id}}/stream.mjpg",
        handler=mjpeg,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        summary="Pictures one after another, for browsers without WebRTC",
        answers={200: Answer(text="The pictures", media="multipart/x-mixed-replace")},
        problems=(404, 503),
    ),
)
