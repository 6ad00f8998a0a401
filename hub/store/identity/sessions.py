"""Sessions of browsers: begun, ended, listed, and whose one is."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from hub.model import Identity, Role
from hub.store.format.hotlog import clean
from hub.store.identity.credentials import USED_MS, find, note_use
from hub.store.identity.rights import SecurityEvent, SecurityKind, changed, fingerprint, opened, record

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from hub.store.identity.kept import Kept

SESSION_IDLE_MS = 7 * 86_400_000
SESSION_LIFE_MS = 30 * 86_400_000
_MAX_AGENT = 200
_SESSION_ID_HEX = 16
_ALIVE = "last_used > ?1 AND created > ?2"
_NOTE_USE = "UPDATE login SET last_used = ? WHERE hash = ?"


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a browser's session; the cookie is not."""

    id: str
    name: str
    role: Role
    created_time: int
    last_used_time: int
    user_agent: str


class Sessions:
    """The sessions in the store's file; `kept` is for what every request asks."""

    def __init__(self, database: Path, kept: Kept) -> None:
        self._database = database
        self._kept = kept

    def begin(self, name: str, role: Role, now_ms: int, user_agent: str = "") -> str:
        """Open a session of a browser and return the cookie's secret. Raises StoreError."""
        plain = secrets.token_urlsafe(32)
        agent = user_agent.encode("utf-8", "replace").decode()[:_MAX_AGENT]
        with changed(self._database) as connection:
            connection.execute(f"DELETE FROM login WHERE NOT ({_ALIVE})", _limits(now_ms))  # noqa: S608 - our constant
            connection.execute(
                "INSERT INTO login (hash, name, role, created, last_used, user_agent)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (fingerprint(plain), name, str(role), now_ms, now_ms, agent),
            )
        return plain

    def identity(self, plain: str, now_ms: int) -> Identity | None:
        """Return whose session it is, or None: unknown, idle for 7 days, 30 days old. Raises StoreError."""
        with self._kept.opened() as connection:
            row = find(
                connection, "SELECT hash, name, role, last_used, created FROM login WHERE hash = ?", plain
            )
            if row is None:
                return None
            known, name, role, used, created = row
            idle_ms, life_ms = _limits(now_ms)
            if used <= idle_ms or created <= life_ms:
                return None
            if now_ms - used >= USED_MS:
                note_use(self._database, _NOTE_USE, (now_ms, known))
        return Identity(f"user:{name}", Role(role))

    def alive(self, now_ms: int) -> list[SessionInfo]:
        """Return the sessions that hold, newest first. Raises StoreError."""
        with opened(self._database) as connection:
            rows = connection.execute(
                f"SELECT hash, name, role, created, last_used, user_agent FROM login WHERE {_ALIVE}"  # noqa: S608 - our constant
                " ORDER BY created DESC",
                _limits(now_ms),
            ).fetchall()
        return [
            SessionInfo(
                id=session_id(known),
                name=name,
                role=Role(role),
                created_time=created,
                last_used_time=used,
                user_agent=agent or "",
            )
            for known, name, role, created, used, agent in rows
        ]

    def end(self, plain: str) -> None:
        """End a session; an unknown one is none. Raises StoreError."""
        with opened(self._database) as connection:
            connection.execute("DELETE FROM login WHERE hash = ?", (fingerprint(plain),))

    def end_called(self, identity: str, now_ms: int, *, by: str) -> bool:
        """End the session of that id at once; False where there is none. Raises StoreError."""
        with changed(self._database) as connection:
            found = connection.execute(
                "DELETE FROM login WHERE substr(lower(hex(hash)), 1, ?) = ? RETURNING name",
                (_SESSION_ID_HEX, clean(identity)),
            ).fetchall()
            for (name,) in found:
                record(
                    connection,
                    SecurityEvent(time=now_ms, kind=SecurityKind.SESSION_ENDED, actor=by, detail=name),
                )
        return bool(found)

    def role_of(self, connection: sqlite3.Connection, known: bytes, now_ms: int) -> Role | None:
        """Return what the session of that fingerprint may do, which is a use; None where none holds.

        Raises sqlite3.Error.
        """
        row = connection.execute(
            f"SELECT last_used, role FROM login WHERE hash = ?3 AND {_ALIVE}",  # noqa: S608 - our constant
            (*_limits(now_ms), known),
        ).fetchone()
        if row is None:
            return None
        if now_ms - row[0] >= USED_MS:
            note_use(self._database, _NOTE_USE, (now_ms, known))
        return Role(row[1])


def session_id(credential: bytes) -> str:
    """Return the name under which a session is listed: a part of its hash, which opens nothing."""
    return credential.hex()[:_SESSION_ID_HEX]


def _limits(now_ms: int) -> tuple[int, int]:
    return now_ms - SESSION_IDLE_MS, now_ms - SESSION_LIFE_MS
