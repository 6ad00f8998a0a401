"""WebRTC by WHEP (draft-ietf-wish-whep)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from hub.camera.errors import BadOffer, CameraError, TooManyViewers, UnknownViewer
from hub.model import Role
from hub.web.gate.auth import identify
from hub.web.gate.reach import reach, reach_of
from hub.web.gate.revocation import HELD, REVOCATION
from hub.web.instruments import LiveInstruments
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem
from hub.web.route import API, Answer, Reaches, Route, path_part
from hub.web.video.cameras import camera_of, unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.camera.camera import Camera
    from hub.camera.viewing.ice import IceServers

SDP = "application/sdp"
SDP_FRAGMENT = "application/trickle-ice-sdpfrag"

ICE_LINKS: web.AppKey[Sequence[str]] = web.AppKey("ice_links")
ENDING: web.AppKey[set[asyncio.Task[None]]] = web.AppKey("ending")
"""The viewers that are just being hung up."""


def ice_links(ice: IceServers) -> list[str]:
    """Return the STUN and TURN servers as values of Link headers (draft-ietf-wish-whep, 4.4)."""
    credential = ""
    if ice.username is not None and ice.password is not None:
        credential = (
            f"; username={_quoted(ice.username)}; credential={_quoted(ice.password)}"
            '; credential-type="password"'
        )
    return [f'<{uri}>; rel="ice-server"{credential if uri.startswith("turn") else ""}' for uri in ice.uris]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def whep_offer(request: web.Request) -> web.StreamResponse:
    """Answer an SDP offer: a new viewer, at the address in Location."""
    camera = camera_of(request)
    try:
        offer = await request.text()
    except (UnicodeDecodeError, LookupError) as error:
        raise Problem(400, f"the offer is no UTF-8 text: {error}") from error
    try:
        viewer = await camera.answer(offer, owner=request[IDENTITY].name, instruments=_instruments(request))
    except BadOffer as error:
        raise Problem(400, str(error)) from error
    except (CameraError, TooManyViewers) as error:
        raise unavailable(error) from error
    _end_with_its_credential(request, camera, viewer.id)
    answer = web.Response(
        status=201,
        # as bytes: the media type has no parameters (RFC 8866, 8.1), and `text` would add a charset
        body=viewer.answer_sdp.encode(),
        content_type=SDP,
        headers={
            "Location": f"{API}/cameras/{camera.id}/whep/{viewer.id}",
            "ETag": f'"{viewer.etag}"',
            "Accept-Patch": SDP_FRAGMENT,
            "Cache-Control": "no-store",
        },
    )
    _add_ice_links(request, answer)
    return answer


def _instruments(request: web.Request) -> LiveInstruments:
    """Return the samples that this caller may see on the viewer's data channel: those of `GET stream`."""
    parts = parts_of(request)
    return LiveInstruments(parts.registry, parts.bus, reach_of(request).includes)


def _end_with_its_credential(request: web.Request, camera: Camera, viewer: str) -> None:
    """Have a viewer, which outlives its request, end when the token or session does."""

    def there() -> bool:
        with suppress(UnknownViewer):
            camera.etag(viewer)
            return True
        return False

    async def hang_up() -> None:
        with suppress(UnknownViewer):
            await camera.hang_up(viewer)

    ending = request.app[ENDING]

    def end() -> None:
        task = asyncio.get_running_loop().create_task(hang_up())
        ending.add(task)
        task.add_done_callback(ending.discard)

    held = request[HELD]
    request.app[REVOCATION].hold(held.credential, held.role, end, there)


async def whep_endpoint(request: web.Request) -> web.StreamResponse:
    """Answer that there is this endpoint, which has no representation (RFC 9725, 4.1)."""
    camera_of(request)
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


async def whep_viewer(request: web.Request) -> web.StreamResponse:
    """Answer that a viewer is still there."""
    try:
        camera_of(request).etag(path_part(request, "viewer"))
    except UnknownViewer as error:
        raise Problem(404, str(error)) from error
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


async def whep_viewer_options(_: web.Request) -> web.StreamResponse:
    """Tell what PATCH takes, the same for every viewer, there or not."""
    return web.Response(
        status=200,
        headers={
            "Accept-Patch": SDP_FRAGMENT,
            "Allow": "DELETE, GET, HEAD, OPTIONS, PATCH",
            "Cache-Control": "no-store",
        },
    )


async def whep_options(request: web.Request) -> web.StreamResponse:
    """Tell what POST takes, the same for every camera, there or not; ICE servers to those who may POST."""
    answer = web.Response(
        status=200,
        headers={"Accept-Post": SDP, "Allow": "GET, HEAD, OPTIONS, POST", "Cache-Control": "no-store"},
    )
    with suppress(Problem):  # a wrong token, which POST will refuse
        caller = identify(request)
        if (
            caller is not None
            and caller.role.includes(Role.VIEWER)
            and reach(parts_of(request), caller).includes(path_part(request, "id"))
        ):
            _add_ice_links(request, answer)
    return answer


async def whep_trickle(request: web.Request) -> web.StreamResponse:
    """Take in a viewer's further candidates."""
    camera, viewer = camera_of(request), path_part(request, "viewer")
    try:
        current = camera.etag(viewer)
        # A client that sends no If-Match is let through: `whip-whep` from npm does so.
        if request.if_match and not any(tag.value in (current, "*") for tag in request.if_match):
            raise Problem(412, "If-Match names another ICE session; its ETag came with the answer")
        try:
            fragment = await request.text()
        except (UnicodeDecodeError, LookupError) as error:
            raise Problem(400, f"the fragment is no UTF-8 text: {error}") from error
        await camera.trickle(viewer, fragment)
    except UnknownViewer as error:
        raise Problem(404, str(error)) from error
    except BadOffer as error:
        raise Problem(422, str(error)) from error
    return web.Response(status=204)


async def whep_end(request: web.Request) -> web.StreamResponse:
    """End a viewer."""
    try:
        await camera_of(request).hang_up(path_part(request, "viewer"))
    except UnknownViewer as error:
        raise Problem(404, str(error)) from error
    return web.Response(status=200)


def _add_ice_links(request: web.Request, answer: web.Response) -> None:
    for link in request.app[ICE_LINKS]:
        answer.headers.add("Link", link)


_WHEP = f"{API}/cameras/{{id}}/whep"

ROUTES = (
    Route(
        method="POST",
        path=_WHEP,
        handler=whep_offer,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        body_media=SDP,
        summary="Start a WebRTC viewer (WHEP): an SDP offer for an SDP answer",
        answers={201: Answer(text="The answer; Location is the viewer, Link are ICE servers", media=SDP)},
        problems=(404, 503),
    ),
    Route(
        method="GET",
        path=_WHEP,
        handler=whep_endpoint,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="Whether the camera is there to be offered to (WHEP)",
        answers={204: Answer(text="It is", media=None)},
        problems=(404,),
    ),
    Route(
        method="OPTIONS",
        path=_WHEP,
        handler=whep_options,
        role=None,
        reaches=Reaches.NONE,
        summary="What POST takes (WHEP)",
        answers={200: Answer(text="See Accept-Post", media=None)},
    ),
    Route(
        method="GET",
        path=f"{_WHEP}/{{viewer}}",
        handler=whep_viewer,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="Whether a viewer is still there (WHEP)",
        answers={204: Answer(text="It is", media=None)},
        problems=(404,),
    ),
    Route(
        method="OPTIONS",
        path=f"{_WHEP}/{{viewer}}",
        handler=whep_viewer_options,
        role=None,
        reaches=Reaches.NONE,
        summary="What PATCH takes (WHEP)",
        answers={200: Answer(text="See Accept-Patch", media=None)},
    ),
    Route(
        method="PATCH",
        path=f"{_WHEP}/{{viewer}}",
        handler=whep_trickle,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        body_media=SDP_FRAGMENT,
        summary="Add ICE candidates to a viewer (WHEP trickle)",
        answers={204: Answer(text="Taken in", media=None)},
        problems=(404, 412, 422),
    ),
    Route(
        method="DELETE",
        path=f"{_WHEP}/{{viewer}}",
        handler=whep_end,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        summary="End a viewer (WHEP)",
        answers={200: Answer(text="Ended", media=None)},
        problems=(404,),
    ),
)
