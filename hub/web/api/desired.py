"""What a device should be, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from hub.commands import CommandRefused, DesiredChanged, DesiredView, Wanted
from hub.devices import UnknownDevice
from hub.model import Role
from hub.web.api.medium import on_medium
from hub.web.api.versions import etag, expected
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, json_answer
from hub.web.route import API, JSON, Answer, Reaches, Route, body, path_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web


class DesiredBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the device should be: commands that set it, in the order in which they are sent."""

    commands: Annotated[tuple[Wanted, ...], msgspec.Meta(max_length=32)]


async def show_desired(request: web.Request) -> web.StreamResponse:
    """Answer with desired against reported."""
    try:
        view = parts_of(request).desired.view(path_part(request, "id"))
    except UnknownDevice as error:
        raise Problem(404, str(error), parameter="id") from error
    return json_answer(view, headers=etag(view.version))


async def set_desired(request: web.Request) -> web.StreamResponse:
    """Set what a device should be; what is online is sent it at once."""
    asked = await body(request, DesiredBody)
    return await _set(request, asked.commands)


async def drop_desired(request: web.Request) -> web.StreamResponse:
    """Want nothing of a device any more; it stays as it is."""
    return await _set(request, ())


async def _set(request: web.Request, commands: Sequence[Wanted]) -> web.StreamResponse:
    try:
        async with on_medium(request):
            view = parts_of(request).desired.put(
                path_part(request, "id"), commands, version=expected(request), by=request[IDENTITY].name
            )
    except UnknownDevice as error:
        raise Problem(404, str(error), parameter="id") from error
    except DesiredChanged as error:
        raise Problem(412, str(error)) from error
    except CommandRefused as error:
        raise Problem(400, str(error), parameter=str(error).partition(":")[0]) from error
    return json_answer(view, headers=etag(view.version))


_PATH = f"{API}/devices/{{id}}/desired"

ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=show_desired,
        role=Role.DEVICE,
        reaches=Reaches.ONE,
        head=True,
        summary="What a device should be against what it reports; ETag is the version",
        answers={200: Answer(text="Desired against reported", kind=DesiredView)},
        problems=(404,),
    ),
    Route(
        method="PUT",
        path=_PATH,
        handler=set_desired,
        role=Role.OPERATOR,
        reaches=Reaches.ONE,
        body=DesiredBody,
        body_media=JSON,
        summary="Set what a device should be: it is sent now, and again when the device comes back",
        answers={200: Answer(text="Desired against reported", kind=DesiredView)},
        problems=(404, 412, 503),
    ),
    Route(
        method="DELETE",
        path=_PATH,
        handler=drop_desired,
        role=Role.OPERATOR,
        reaches=Reaches.ONE,
        summary="Want nothing of a device any more; it stays as it is",
        answers={200: Answer(text="What is wanted now: nothing", kind=DesiredView)},
        problems=(400, 404, 412),
    ),
)
