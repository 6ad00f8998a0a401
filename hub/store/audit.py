"""The audit trail: every command, who sent it by which way, and when it reached each state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model import CommandState
from hub.store.format.hotlog import clean
from hub.store.queries.budget import QueryRefused
from hub.store.queries.cursors import parse_cursor
from hub.store.queries.history import MAX_ROWS

if TYPE_CHECKING:
    import sqlite3

    from hub.model import Command, CommandResult
    from hub.store.writing.intake import Statement


KEPT_COMMANDS = 200_000
"""The trail keeps the newest of them, some 60 MB."""
TRIM_EVERY = 1000


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A command and what became of it; `times` says when it reached each state."""

    id: str
    device: str
    command: str
    params: Any
    ttl_ms: int
    caller: str
    origin: str
    key: str | None
    created_time: int
    state: CommandState
    result: Any
    error: str | None
    times: dict[CommandState, int]


class CommandFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which commands: all where nothing is named. `from_ms <= created < to_ms`; `keyed`: only with a key.

    `within`: only of these devices.
    """

    device: str | None = None
    state: CommandState | None = None
    caller: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    keyed: bool = False
    within: tuple[str, ...] | None = None


def statement(command: Command, result: CommandResult) -> Statement:
    """Return what records that `command` stands as `result` says."""
    error = None if result.error is None else clean(result.error)
    fixed = (command.id, command.device, command.command, command.caller, command.origin)
    return (
        "INSERT INTO command (id, device, command, caller, origin, key, params, ttl_ms, created,"
        " state, result, error, times)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, result = excluded.result,"
        " error = excluded.error, times = json_patch(times, excluded.times)",
        (
            *map(clean, fixed),
            None if command.key is None else clean(command.key),
            _json(command.params),
            command.ttl_ms,
            command.created_time,
            str(result.state),
            _json(result.result),
            error,
            _json({str(result.state): result.time}),
        ),
    )


def trim() -> Statement:
    """Return what forgets the oldest commands."""
    return (
        "DELETE FROM command WHERE rowid <= (SELECT max(rowid) FROM command) - ?",
        (KEPT_COMMANDS,),
    )


def entries(
    connection: sqlite3.Connection, wanted: CommandFilter, limit: int, before: str | None
) -> tuple[list[AuditEntry], str | None]:
    """Return commands, newest first, and the cursor to older ones (None at the end). Raises QueryRefused."""
    if not 1 <= limit <= MAX_ROWS:
        raise QueryRefused(f"`limit` is {limit}; it must be 1 to {MAX_ROWS}")
    created, row_id = parse_cursor(before) if before is not None else (2**62, 0)
    conditions, parameters = _conditions(wanted)
    rows = connection.execute(
        "SELECT rowid, id, device, command, params, ttl_ms, caller, origin, key, created, state, result,"  # noqa: S608 - our constants
        f" error, times FROM command WHERE {conditions} (created, rowid) < (?, ?)"
        " ORDER BY created DESC, rowid DESC LIMIT ?",
        (*parameters, created, row_id, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    items = [_entry(row[1:]) for row in rows[:limit]]
    return items, f"{items[-1].created_time}-{rows[limit - 1][0]}" if more else None


def _conditions(wanted: CommandFilter) -> tuple[str, list[str | int]]:
    texts = {"device = ?": wanted.device, "state = ?": wanted.state, "caller = ?": wanted.caller}
    found: dict[str, str | int] = {
        condition: clean(str(value)) for condition, value in texts.items() if value is not None
    }
    spans = {"created >= ?": wanted.from_ms, "created < ?": wanted.to_ms}
    found.update({condition: value for condition, value in spans.items() if value is not None})
    if wanted.within is not None:
        found["device IN (SELECT value FROM json_each(?))"] = json.dumps([*map(clean, wanted.within)])
    keyed = "key IS NOT NULL AND " if wanted.keyed else ""
    return keyed + "".join(f"{condition} AND " for condition in found), list(found.values())


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    identity, device, command, params, ttl_ms, caller, origin, key, created, state, result, error, times = row
    return AuditEntry(
        id=identity,
        device=device,
        command=command,
        params=json.loads(params),
        ttl_ms=ttl_ms,
        caller=caller,
        origin=origin,
        key=key,
        created_time=created,
        state=CommandState(state),
        result=json.loads(result),
        error=error,
        times={CommandState(name): time for name, time in json.loads(times).items()},
    )


def _json(value: Any) -> str:
    # The standard library's writer, since its ASCII escapes keep what no UTF-8 text can (lone surrogates).
    return json.dumps(value, separators=(",", ":"), default=repr)
