"""Which boards are accepted, and the keys by which they are known again.

A key is kept as it is, not as a hash: whoever checks an HMAC needs it. The file is its user's alone (0600).
Each call uses a connection of its own, and is on the disk when it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.store.folder import prepare
from hub.store.format.hotlog import clean
from hub.store.identity.rights import SecurityEvent, SecurityKind, changed, opened, record
from hub.store.schema import migrate

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

KEPT_REJECTED = 100
"""The newest of them stay; a board whose rejection is forgotten is unknown again."""


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided of a board. `next_key` is on its way to it; the board may hold either."""

    device: str
    accepted: bool
    """False: it was rejected."""
    key: bytes | None = None
    next_key: bytes | None = None
    time: int
    by: str


class Enrolments:
    """The decisions of one data folder."""

    def __init__(self, database: Path) -> None:
        self._database = database

    @classmethod
    def open(cls, folder: Path) -> Enrolments:
        """Open those of a data folder, in a program beside a hub (see `prepare`). Raises StoreError."""
        database = prepare(folder)
        migrate(database)
        return cls(database)

    def all(self) -> list[Enrolled]:
        """Return every decision, by device. Raises StoreError."""
        with opened(self._database) as connection:
            rows = connection.execute(
                "SELECT device, accepted, key, next_key, time, by FROM enrolment ORDER BY device"
            ).fetchall()
        return [
            Enrolled(device=device, accepted=bool(accepted), key=key, next_key=following, time=time, by=by)
            for device, accepted, key, following, time, by in rows
        ]

    def put(self, enrolled: Enrolled, kind: SecurityKind, detail: str, now_ms: int) -> None:
        """Keep a decision in place of the one before, with a line in the security log. Raises StoreError."""
        with changed(self._database) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO enrolment (device, accepted, key, next_key, time, by)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    clean(enrolled.device),
                    enrolled.accepted,
                    enrolled.key,
                    enrolled.next_key,
                    enrolled.time,
                    clean(enrolled.by),
                ),
            )
            _forget_oldest_rejected(connection)
            _tell(connection, kind, enrolled.by, now_ms, detail)

    def forget(self, device: str, now_ms: int, by: str) -> bool:
        """Know nothing of a board any more; False where nothing was known. Raises StoreError."""
        with changed(self._database) as connection:
            found = (
                connection.execute("DELETE FROM enrolment WHERE device = ?", (clean(device),)).rowcount > 0
            )
            if found:
                _tell(connection, SecurityKind.BOARD_FORGOTTEN, by, now_ms, device)
        return found


def _forget_oldest_rejected(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM enrolment WHERE NOT accepted AND device NOT IN"
        " (SELECT device FROM enrolment WHERE NOT accepted ORDER BY time DESC LIMIT ?)",
        (KEPT_REJECTED,),
    )


def _tell(connection: sqlite3.Connection, kind: SecurityKind, by: str, now_ms: int, detail: str) -> None:
    record(connection, SecurityEvent(time=now_ms, kind=kind, actor=by, detail=detail))
