"""What stands in for WebRTC: a JPEG, and a stream of JPEGs."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from contextlib import aclosing
from typing import TYPE_CHECKING

from aiohttp import web

from hub.camera.errors import CameraError, TooManyViewers
from hub.model import Role
from hub.web.parts import IDENTITY
from hub.web.route import API, Answer, Reaches, Route
from hub.web.serving.closing import CLOSING
from hub.web.serving.patience import while_there
from hub.web.video.cameras import camera_of, unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

BOUNDARY = "outpost-frame"
STALL_S = 15.0
"""A client that takes no picture for so long is gone, or as good as that."""


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
    """Send JPEGs one after another, as fast as the client takes them, until it goes or the hub stops.

    Who takes nothing for a while is cut off: it would keep its place, and the camera open.
    """
    answer = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    answer.headers["Content-Type"] = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    closing = request.app[CLOSING]
    try:
        async with aclosing(camera_of(request).frames(request[IDENTITY].name)) as frames:
            while True:
                # a camera that gives nothing must not hide that the client has gone
                jpeg = await while_there(request, _next(frames))
                if closing.closed:
                    break
                if not answer.prepared:
                    _bound_stall(request)
                    await answer.prepare(request)
                async with asyncio.timeout(STALL_S):
                    await answer.write(_part(jpeg))
    except (CameraError, TooManyViewers) as error:
        if answer.prepared:
            return answer
        raise unavailable(error) from error
    except ConnectionError:
        return answer
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        return answer
    return answer


def _bound_stall(request: web.Request) -> None:
    """Have the kernel break the connection too: its buffer holds minutes of small pictures."""
    connection = request.get_extra_info("socket")
    if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALL_S * 1000))


async def _next(frames: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(frames)


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
