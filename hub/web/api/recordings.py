"""Cameras' recordings: begun on command, listed, played and deleted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from hub.camera.errors import CameraError
from hub.camera.recording.filming import LIMIT_S, AlreadyRecording
from hub.camera.recording.recordings import UnknownRecording
from hub.model import Role
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, JSON, Answer, Reaches, Route, body, path_part
from hub.web.serving.files import file_answer
from hub.web.video.cameras import camera_of

if TYPE_CHECKING:
    from hub.camera.recording.filming import Filming, Take
    from hub.camera.recording.recordings import Recording


class RecordingView(msgspec.Struct, kw_only=True):
    """A recording. `length_ms` is null while it runs, and where the power went before its end.

    One goes on in a further file where the picture's form changes: the running one then bears a new `id`.
    """

    id: str
    camera: str
    state: str
    """`running` or `kept`."""
    time: int
    """When it was asked for; its pictures begin earlier, by the camera's pre-roll."""
    length_ms: int | None
    size_bytes: int
    """Of one that runs, what is on the disk so far."""
    reason: str
    """`command`, `alert` or `schedule`."""
    rule: str | None
    """Whose alert it was."""


class RecordingList(msgspec.Struct):
    """A camera's recordings, newest first."""

    items: list[RecordingView]
    next: str | None


class RecordBody(msgspec.Struct, forbid_unknown_fields=True):
    """How long to record from now on."""

    seconds: Annotated[float, msgspec.Meta(gt=0, le=LIMIT_S)] = 30.0


def _films(request: web.Request) -> tuple[str, Filming]:
    camera = camera_of(request)
    if camera.filming is None:
        raise Problem(404, "this hub keeps no recordings", parameter="id")
    return camera.id, camera.filming


def _kept(camera: str, item: Recording) -> RecordingView:
    return RecordingView(
        id=item.id,
        camera=camera,
        state="kept",
        time=item.time_ms,
        length_ms=item.length_ms,
        size_bytes=item.size_bytes,
        reason=item.reason,
        rule=item.rule,
    )


def _running(camera: str, take: Take, size_bytes: int = 0) -> RecordingView:
    return RecordingView(
        id=take.id,
        camera=camera,
        state="running",
        time=take.time_ms,
        length_ms=None,
        size_bytes=size_bytes,
        reason=take.reason,
        rule=take.rule,
    )


async def list_recordings(request: web.Request) -> web.StreamResponse:
    """Answer with a camera's recordings, those that run first."""
    camera, films = _films(request)
    growing, kept = await asyncio.to_thread(lambda: (films.kept.under_way(), films.kept.all()))
    sizes = {item.id: item.size_bytes for item in growing}
    running = [_running(camera, take, sizes.get(take.id, 0)) for take in films.takes]
    ids = {item.id for item in running}
    return items_answer([*running, *(_kept(camera, item) for item in kept if item.id not in ids)])


async def record(request: web.Request) -> web.StreamResponse:
    """Begin a recording."""
    camera, films = _films(request)
    asked = await body(request, RecordBody)
    try:
        take = await films.start(asked.seconds)
    except AlreadyRecording as error:
        raise Problem(409, str(error)) from error
    except CameraError as error:
        raise Problem(503, str(error), headers={"Retry-After": "5"}) from error
    answer = json_answer(_running(camera, take), status=201)
    answer.headers["Location"] = f"{API}/cameras/{camera}/recordings/{take.id}"
    return answer


async def stop(request: web.Request) -> web.StreamResponse:
    """End a running recording, also by the id of an earlier file of it; what it has is kept."""
    _, films = _films(request)
    take = films.begun_as(path_part(request, "recording"))
    if take is None:
        raise Problem(404, "this recording does not run", parameter="recording")
    films.stop(take)
    return web.Response(status=204)


async def play(request: web.Request) -> web.StreamResponse:
    """Answer with the file, or the part that Range asks for; of one that runs, with what is written."""
    _, films = _films(request)
    item = await _growing(request, films) or await _find(request, films)
    headers = {
        "Content-Type": "video/mp4",
        "Content-Disposition": f'inline; filename="{path_part(request, "id")}-{item.id}.mp4"',
    }
    return file_answer(request, item.path, headers)


async def delete(request: web.Request) -> web.StreamResponse:
    """Delete a recording that does not run."""
    _, films = _films(request)
    item = await _find(request, films)
    await asyncio.to_thread(films.kept.delete, item.id)
    return web.Response(status=204)


async def _growing(request: web.Request, films: Filming) -> Recording | None:
    wanted = path_part(request, "recording")
    if films.find(wanted) is None:
        return None
    growing = await asyncio.to_thread(films.kept.under_way)
    return next((item for item in growing if item.id == wanted and item.size_bytes), None)


async def _find(request: web.Request, films: Filming) -> Recording:
    wanted = path_part(request, "recording")
    if films.find(wanted) is not None:
        raise Problem(409, "this recording runs; stop it first, or wait", parameter="recording")
    try:
        return await asyncio.to_thread(films.kept.find, wanted)
    except UnknownRecording as error:
        raise Problem(404, str(error), parameter="recording") from error


_ALL = f"{API}/cameras/{{id}}/recordings"
_ONE = f"{_ALL}/{{recording}}"

ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_recordings,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="A camera's recordings",
        answers={200: Answer(text="Recordings, newest first", kind=RecordingList)},
        problems=(404,),
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=record,
        role=Role.OPERATOR,
        reaches=Reaches.ONE,
        body=RecordBody,
        body_media=JSON,
        summary="Record from now on; the pictures of the camera's pre-roll come first",
        answers={201: Answer(text="It runs; Location is where it can be had", kind=RecordingView)},
        problems=(404, 409, 503),
    ),
    Route(
        method="POST",
        path=f"{_ONE}/stop",
        handler=stop,
        role=Role.OPERATOR,
        reaches=Reaches.ONE,
        summary="End a running recording",
        answers={204: Answer(text="It ends, and is kept", media=None)},
        problems=(404,),
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=play,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="A recording as MP4, whole or by Range; one that runs as far as it is",
        answers={
            200: Answer(text="The file", media="video/mp4"),
            206: Answer(text="The part that Range asked for", media="video/mp4"),
        },
        problems=(404, 409, 412, 416),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=delete,
        role=Role.OPERATOR,
        reaches=Reaches.ONE,
        summary="Delete a recording",
        answers={204: Answer(text="Deleted", media=None)},
        problems=(404, 409),
    ),
)
