"""How a route is declared. Rights, checks of the input and the OpenAPI document all follow from this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, get_origin

import msgspec
from aiohttp import web

from hub.mismatch import mismatch
from hub.web.problem import Problem

if TYPE_CHECKING:
    from hub.mismatch import Mismatch
    from hub.model import Role

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Input = TypeVar("Input", bound=msgspec.Struct)

API = "/api/v1"
JSON = "application/json"


class Reaches(StrEnum):
    """What of devices, cameras among them, a route has to do with; a token may be for some of them only."""

    NONE = "none"
    """Nothing: it is for every token."""
    ONE = "one"
    """The device that `{id}` of the path names; outside a token's scope it does not exist."""
    SOME = "some"
    """Any; the handler leaves out what is outside (`hub.web.gate.reach`)."""
    WHOLE = "whole"
    """The hub as a whole: refused to a token that is for some devices only."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One good answer of a route: what it means, its media type, and the type of its JSON."""

    text: str
    media: str | None = JSON
    kind: Any = None
    also: tuple[str, ...] = ()
    """Other media types that a caller may ask for; all are text or bytes."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path. `role` is the least that may call it; None lets everybody in."""

    method: str
    path: str
    handler: Handler
    role: Role | None
    summary: str
    answers: dict[int, Answer]
    reaches: Reaches = Reaches.WHOLE
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    body_media: str | None = None
    """The media type of the body, where a route takes one."""
    head: bool = False
    """True where HEAD is answered as well: on GET routes that end and change nothing."""
    problems: tuple[int, ...] = ()
    """Problem documents beside those that every route may answer with."""


def path_part(request: web.Request, name: str) -> str:
    """Return a variable part of the path."""
    return request.match_info[name]


def query(request: web.Request, kind: type[Input]) -> Input:
    """Check the query against `kind`. Raises Problem 400 that names the parameter."""
    fields = _fields(kind)
    raw: dict[str, str | list[str]] = {}
    for name in dict.fromkeys(request.query):
        if name not in fields:
            raise Problem(
                400,
                f"unknown parameter `{name[:60]}`; known here: {', '.join(fields) or 'none'}",
                parameter=name[:60],
            )
        values = request.query.getall(name)
        if _repeatable(fields[name]):
            raw[name] = values
        elif len(values) > 1:
            raise Problem(400, f"`{name}` may be given once only", parameter=name)
        else:
            raw[name] = values[0]
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(mismatch(error, kind, typed=False)) from error


@cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    """Return the types of a query's parameters; finding them takes longer than most answers."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


async def body(request: web.Request, kind: type[Input]) -> Input:
    """Decode the JSON body into `kind`. Raises Problem 400 that says where it is wrong."""
    content = await request.read()
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise invalid(mismatch(error, kind)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body is not valid JSON: {error}") from error


def invalid(wrong: Mismatch) -> Problem:
    """Say what is wrong with a request, and with which field of it."""
    return Problem(400, wrong.text, parameter=wrong.place or None)


def _repeatable(kind: Any) -> bool:
    inner = getattr(kind, "__origin__", kind)
    return get_origin(inner) is tuple or inner is tuple
