"""Commands over plain HTTP, and the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub.commands import MAX_TTL_MS, BadParams, QueueFull, UnknownCommand
from hub.devices import UnknownDevice
from hub.model import CommandResult, Role
from hub.web.filters import Name  # noqa: TC001 - msgspec resolves the fields' types
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, JSON, Answer, Route, body, path_part, query
from hub.web.views import CommandList, CommandRecord

if TYPE_CHECKING:
    from aiohttp import web

    from hub.store.audit import AuditEntry


class CommandBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command to the device of the path. The same `key` of the same caller runs once."""

    command: str
    params: dict[str, Any] = {}
    ttl_ms: Annotated[int, msgspec.Meta(ge=1, le=MAX_TTL_MS)] | None = None
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


async def send_command(request: web.Request) -> web.StreamResponse:
    """Send a command, wait for its end, and answer with its result, good or bad."""
    asked = await body(request, CommandBody)
    try:
        result = await parts_of(request).commands.send(
            device=path_part(request, "id"),
            command=asked.command,
            params=asked.params,
            ttl_ms=asked.ttl_ms,
            key=asked.key,
            caller=request[IDENTITY].name,
            origin="http",
        )
    except UnknownDevice as error:
        raise Problem(404, str(error), parameter="id") from error
    except UnknownCommand as error:
        raise Problem(404, str(error), parameter="command") from error
    except BadParams as error:
        raise Problem(400, str(error), parameter="params") from error
    except QueueFull as error:
        raise Problem(503, str(error), headers={"Retry-After": "1"}) from error
    return json_answer(result)


class CommandsQuery(msgspec.Struct, kw_only=True):
    """Which part of the audit trail."""

    device: Name | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None


async def list_commands(request: web.Request) -> web.StreamResponse:
    """Answer with a page of the audit trail."""
    asked = query(request, CommandsQuery)
    items, following = await parts_of(request).store.commands(
        device=asked.device, limit=asked.limit, before=asked.cursor
    )
    return items_answer([_record(item) for item in items], following)


def _record(entry: AuditEntry) -> CommandRecord:
    fields = msgspec.structs.asdict(entry)
    return CommandRecord(**fields, time=entry.times.get(entry.state, entry.created_time))


ROUTES = (
    Route(
        method="POST",
        path=f"{API}/devices/{{id}}/commands",
        handler=send_command,
        role=Role.OPERATOR,
        body=CommandBody,
        body_media=JSON,
        summary="Send a command and wait for its result",
        answers={200: Answer(text="The final state, with the device's answer or error", kind=CommandResult)},
        problems=(404, 503),
    ),
    Route(
        method="GET",
        path=f"{API}/commands",
        handler=list_commands,
        role=Role.VIEWER,
        head=True,
        query=CommandsQuery,
        summary="The audit trail of commands",
        answers={200: Answer(text="Commands, newest first", kind=CommandList)},
    ),
)
