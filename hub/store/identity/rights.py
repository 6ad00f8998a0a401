"""What accounts and users share: the file, and the log of what happened to rights.

Each call uses a connection of its own, so that another program may change rights while the hub runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from hub.model import OutpostError, Role, Scope
from hub.store.folder import StoreError
from hub.store.format.hotlog import clean
from hub.store.queries.cursors import row_before
from hub.store.schema import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hub.store.writing.intake import Statement

KEPT_EVENTS = 10_000
"""The log keeps the newest of them."""
CONSOLE = "console"
"""Who acts where no caller is named: whoever has a shell on the hub's machine."""
_MAX_NAME = 64
_MAX_DETAIL = 200
_MAX_SCOPE = 64
_MAX_PATTERN = 128


class NameTaken(OutpostError):
    """There is a token, or a user, of that name."""


class BadName(OutpostError):
    """A token, or a user, cannot have that name."""


class BadScope(OutpostError):
    """A token cannot be for these devices; `field` is the one to change."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class SecurityKind(StrEnum):
    """What the security log tells of."""

    LOGIN = "login"
    LOGIN_REFUSED = "login_refused"
    LOGOUT = "logout"
    SESSION_ENDED = "session_ended"
    LINK_MADE = "link_made"
    REQUEST_REFUSED = "request_refused"
    TOKEN_MADE = "token_made"  # noqa: S105 - no token
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - no token
    USER_MADE = "user_made"
    USER_REMOVED = "user_removed"
    ROLE_CHANGED = "role_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - no password
    FIRMWARE_UPDATE = "firmware_update"
    BOARD_PENDING = "board_pending"
    BOARD_ACCEPTED = "board_accepted"
    BOARD_REJECTED = "board_rejected"
    BOARD_FORGOTTEN = "board_forgotten"
    BOARD_KEYED = "board_keyed"
    BOARD_REFUSED = "board_refused"
    DEVICE_REMOVED = "device_removed"


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the security log: when, what, who did it, from which address, to what."""

    time: int
    kind: SecurityKind
    actor: str
    address: str = ""
    detail: str = ""


def statements(event: SecurityEvent) -> list[Statement]:
    """Return what records an event, and forgets the oldest."""
    return [
        (
            "INSERT INTO security_event (time, kind, actor, address, detail) VALUES (?, ?, ?, ?, ?)",
            (
                event.time,
                str(event.kind),
                clean(event.actor)[:_MAX_DETAIL],
                clean(event.address)[:_MAX_DETAIL],
                clean(event.detail)[:_MAX_DETAIL],
            ),
        ),
        (
            "DELETE FROM security_event WHERE id <= (SELECT max(id) FROM security_event) - ?",
            (KEPT_EVENTS,),
        ),
    ]


def record(connection: sqlite3.Connection, event: SecurityEvent) -> None:
    """Record an event at once. Raises sqlite3.Error."""
    for sql, parameters in statements(event):
        connection.execute(sql, parameters)


def events(
    connection: sqlite3.Connection, kind: SecurityKind | None, limit: int, before: str | None
) -> tuple[list[SecurityEvent], str | None]:
    """Return events, newest first, and the cursor to older ones. Raises QueryRefused."""
    rows = connection.execute(
        "SELECT id, time, kind, actor, address, detail FROM security_event"
        " WHERE (?1 IS NULL OR kind = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3",
        (None if kind is None else str(kind), row_before(before), limit + 1),
    ).fetchall()
    items = [
        SecurityEvent(time=time, kind=SecurityKind(what), actor=actor, address=address, detail=detail)
        for _, time, what, actor, address, detail in rows[:limit]
    ]
    return items, str(rows[limit - 1][0]) if len(rows) > limit else None


def check_name(name: str, what: str) -> None:
    """Raise BadName for what cannot be the name of a token or a user."""
    if not (0 < len(name) <= _MAX_NAME and name.isprintable() and name == name.strip()):
        raise BadName(f"{name[:80]!a} is no name for a {what}: 1 to {_MAX_NAME} printable characters")


def check_scope(role: Role, scope: Scope) -> None:
    """Raise BadScope where a token of that role cannot be for those devices."""
    for field, names in (("devices", scope.devices), ("tags", scope.tags)):
        if len(names) > _MAX_SCOPE:
            raise BadScope(f"a token is for at most {_MAX_SCOPE} {field}, these are {len(names)}", field)
        for name in names:
            if not (0 < len(name) <= _MAX_PATTERN and name.isprintable()):
                raise BadScope(
                    f"{name[:80]!a} is none of the {field}: 1 to {_MAX_PATTERN} printable characters", field
                )
    if role is Role.DEVICE and (scope.tags or len(scope.devices) != 1 or set("*?") & set(scope.devices[0])):
        raise BadScope(
            "a token of the role device is for one device, by its id", "tags" if scope.tags else "devices"
        )


def scope_of(name: str, role: Role, devices: Sequence[str], tags: Sequence[str]) -> Scope:
    """Return the scope of a token to be made: one of the role device is for the device of its name."""
    if role is Role.DEVICE and not (devices or tags):
        devices = (name,)
    return Scope(devices=tuple(devices), tags=tuple(tags))


def fingerprint(plain: str) -> bytes:
    """Return what is kept of a secret of 256 random bits: nobody guesses the input, so it may be quick."""
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()


@contextlib.contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for one call. Raises StoreError."""
    try:
        with contextlib.closing(connect(database)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{database}: accounts cannot be read or written now: {error}") from error


@contextlib.contextmanager
def changed(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for one change: all of it, with its line in the log, or nothing. Raises StoreError."""
    with opened(database) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
