"""Cameras' timelapses: a film of each day, listed, played while it grows, deleted when it is whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from hub.model import Role
from hub.web.problem import Problem, items_answer
from hub.web.route import API, Answer, Reaches, Route, path_part
from hub.web.serving.files import file_answer
from hub.web.video.cameras import camera_of

if TYPE_CHECKING:
    from hub.camera.recording.recordings import Recording, Recordings


class TimelapseView(msgspec.Struct, kw_only=True):
    """A film of snapshots. `length_ms` is that of playing it, null while it grows or where it was cut off."""

    id: str
    camera: str
    state: str
    """`running` or `kept`."""
    time: int
    """Of its first picture."""
    until: int
    """About that of its last."""
    length_ms: int | None
    size_bytes: int


class TimelapseList(msgspec.Struct):
    """A camera's timelapses, newest first."""

    items: list[TimelapseView]
    next: str | None


def _films(request: web.Request) -> Recordings:
    keeping = camera_of(request).keeping
    if keeping is None:
        raise Problem(404, "this hub keeps no timelapses", parameter="id")
    return keeping.timelapses


def _all(films: Recordings) -> list[tuple[str, Recording]]:
    growing = [("running", item) for item in films.under_way()]
    return growing + [("kept", item) for item in films.all()]


async def list_timelapses(request: web.Request) -> web.StreamResponse:
    """Answer with a camera's timelapses, the growing one first."""
    found = await asyncio.to_thread(_all, _films(request))
    return items_answer(
        [
            TimelapseView(
                id=item.id,
                camera=path_part(request, "id"),
                state=state,
                time=item.time_ms,
                until=max(item.time_ms, item.written_ms),
                length_ms=item.length_ms,
                size_bytes=item.size_bytes,
            )
            for state, item in found
        ]
    )


async def play_timelapse(request: web.Request) -> web.StreamResponse:
    """Answer with the film, or the part of it that Range asks for; a growing one as far as it is."""
    _, item = await _find(request)
    headers = {
        "Content-Type": "video/mp4",
        "Content-Disposition": f'inline; filename="{path_part(request, "id")}-timelapse-{item.id}.mp4"',
    }
    return file_answer(request, item.path, headers)


async def delete_timelapse(request: web.Request) -> web.StreamResponse:
    """Delete a film that grows no more."""
    state, item = await _find(request)
    if state == "running":
        raise Problem(409, "this film grows until midnight; delete it then", parameter="film")
    await asyncio.to_thread(_films(request).delete, item.id)
    return web.Response(status=204)


async def _find(request: web.Request) -> tuple[str, Recording]:
    wanted = path_part(request, "film")
    for state, item in await asyncio.to_thread(_all, _films(request)):
        if item.id == wanted:
            return state, item
    raise Problem(404, "there is no such timelapse; it may have been deleted to make room", parameter="film")


_LIST = f"{API}/cameras/{{id}}/timelapses"
_ONE = f"{_LIST}/{{film}}"

ROUTES = (
    Route(
        method="GET",
        path=_LIST,
        handler=list_timelapses,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="A camera's timelapses: a film of each day",
        answers={200: Answer(text="Timelapses, newest first", kind=TimelapseList)},
        problems=(404,),
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=play_timelapse,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="A timelapse as MP4, whole or by Range; a growing one as far as it is",
        answers={
            200: Answer(text="The film", media="video/mp4"),
            206: Answer(text="The part that Range asked for", media="video/mp4"),
        },
        problems=(404, 412, 416),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=delete_timelapse,
        role=Role.OPERATOR,
        reaches=Reaches.ONE,
        summary="Delete a timelapse",
        answers={204: Answer(text="Deleted", media=None)},
        problems=(404, 409),
    ),
)
