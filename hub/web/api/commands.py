"""Commands over plain HTTP, and the audit trail."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from aiohttp import web

from hub.commands import (
    MAX_TTL_MS,
    AlreadySent,
    BadParams,
    NoSuchCommand,
    QueueFull,
    TooFast,
    UnknownCommand,
)
from hub.devices import UnknownDevice
from hub.model import CommandResult, CommandState, Role
from hub.store.audit import CommandFilter
from hub.web.api.moments import Moment, moment_ms
from hub.web.api.views import CommandList, CommandRecord
from hub.web.gate.origin import origin_of
from hub.web.gate.reach import command_within, known_ids
from hub.web.live.filters import Name  # noqa: TC001 - msgspec resolves the fields' types
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, encode, items_answer, json_answer
from hub.web.route import API, JSON, Answer, Reaches, Route, body, path_part, query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.model import Progress
    from hub.store.audit import AuditEntry

EXPORT_PAGE = 1000
COLUMNS = (
    *("created_time", "id", "device", "command", "params", "caller", "origin", "key", "ttl_ms"),
    *("state", "time", "result", "error", "times"),
)


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
            origin=origin_of(request, "http"),
        )
    except UnknownDevice as error:
        raise Problem(404, str(error), parameter="id") from error
    except UnknownCommand as error:
        raise Problem(404, str(error), parameter="command") from error
    except BadParams as error:
        raise Problem(400, str(error), parameter="params") from error
    except QueueFull as error:
        raise Problem(503, str(error), headers={"Retry-After": "1"}) from error
    except TooFast as error:
        wait_s = -(-error.wait_ms // 1000)
        raise Problem(429, str(error), headers={"Retry-After": str(wait_s)}) from error
    return json_answer(result)


class CommandsQuery(msgspec.Struct, kw_only=True):
    """Which part of the audit trail."""

    device: Name | None = None
    state: CommandState | None = None
    caller: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    from_: Moment | None = msgspec.field(name="from", default=None)
    to: Moment | None = None
    format: Literal["json", "csv"] = "json"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(description="`next` of the page before; CSV goes on to the end"),
    ] = None


async def list_commands(request: web.Request) -> web.StreamResponse:
    """Answer with a page of the audit trail, or with all that fits the filter as CSV."""
    asked = query(request, CommandsQuery)
    wanted = CommandFilter(
        device=asked.device,
        state=asked.state,
        caller=asked.caller,
        from_ms=None if asked.from_ is None else moment_ms(asked.from_, "from"),
        to_ms=None if asked.to is None else moment_ms(asked.to, "to"),
        within=known_ids(request),
    )
    if asked.format == "csv":
        return await _export(request, wanted, asked.cursor)
    parts = parts_of(request)
    items, following = await parts.store.commands(wanted, limit=asked.limit, before=asked.cursor)
    return items_answer([_record(item, parts.commands.progress_of(item.id)) for item in items], following)


async def _export(request: web.Request, wanted: CommandFilter, cursor: str | None) -> web.StreamResponse:
    """Stream the trail as CSV (RFC 4180), newest first, a page in memory at a time."""
    store = parts_of(request).store
    # The first page before the headers: what fails then can still be a problem document.
    items, following = await store.commands(wanted, limit=EXPORT_PAGE, before=cursor)
    answer = web.StreamResponse(
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="outpost-commands.csv"',
        }
    )
    answer.content_type = "text/csv"
    answer.charset = "utf-8"
    await answer.prepare(request)
    await answer.write(_csv((COLUMNS, *map(_row, items))))
    while following is not None:
        items, following = await store.commands(wanted, limit=EXPORT_PAGE, before=following)
        await answer.write(_csv(map(_row, items)))
    await answer.write_eof()
    return answer


def _row(entry: AuditEntry) -> tuple[object, ...]:
    record = _record(entry)
    return tuple(
        encode(value).decode() if name in ("params", "result", "times") else value
        for name, value in ((name, getattr(record, name)) for name in COLUMNS)
    )


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


async def cancel_command(request: web.Request) -> web.StreamResponse:
    """Take back a command that waits for its turn, or ask the device that has it to give it up."""
    commands, wanted = parts_of(request).commands, path_part(request, "command")
    try:
        command_within(parts_of(request), request[IDENTITY], wanted)
        taken = commands.cancel(wanted, request[IDENTITY].name)
    except NoSuchCommand as error:
        raise Problem(404, str(error), parameter="command") from error
    except AlreadySent as error:
        raise Problem(409, str(error), parameter="command") from error
    return web.Response(status=204 if taken else 202)


def _record(entry: AuditEntry, progress: Progress | None = None) -> CommandRecord:
    fields = msgspec.structs.asdict(entry)
    time_ms = entry.times.get(entry.state, entry.created_time)
    return CommandRecord(**fields, time=time_ms, progress=progress)


ROUTES = (
    Route(
        method="POST",
        path=f"{API}/devices/{{id}}/commands",
        handler=send_command,
        role=Role.OPERATOR,
        reaches=Reaches.ONE,
        body=CommandBody,
        body_media=JSON,
        summary="Send a command and wait for its result",
        answers={200: Answer(text="The final state, with the device's answer or error", kind=CommandResult)},
        problems=(404, 429, 503),
    ),
    Route(
        method="POST",
        path=f"{API}/commands/{{command}}/cancel",
        handler=cancel_command,
        role=Role.OPERATOR,
        reaches=Reaches.SOME,
        summary="Take back a command that waits for its turn, or ask the device that has it to give it up",
        answers={
            202: Answer(text="The device is asked; the trail says whether it confirms", media=None),
            204: Answer(text="It will not be sent", media=None),
        },
        problems=(404, 409),
    ),
    Route(
        method="GET",
        path=f"{API}/commands",
        handler=list_commands,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        query=CommandsQuery,
        summary="The audit trail of commands: by device, state, caller and time; as JSON or CSV",
        answers={200: Answer(text="Commands, newest first", kind=CommandList, also=("text/csv",))},
    ),
)
