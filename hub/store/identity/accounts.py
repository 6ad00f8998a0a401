"""API tokens and browser sessions: only hashes are kept.

A secret is 256 random bits, so a plain SHA-256 is enough to keep it (nobody can guess its input), and quick.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model import Identity, Role, Scope
from hub.store.folder import StoreError, prepare
from hub.store.format.hotlog import clean
from hub.store.identity.kept import Kept
from hub.store.identity.rights import (
    CONSOLE,
    BadName,
    BadScope,
    NameTaken,
    SecurityEvent,
    SecurityKind,
    changed,
    check_name,
    check_scope,
    fingerprint,
    opened,
    record,
)
from hub.store.identity.users import Users
from hub.store.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["PREFIX", "Accounts", "BadName", "BadScope", "NameTaken", "SessionInfo", "TokenInfo"]

PREFIX = "outpost_"
"""Lets people and secret scanners recognise a token."""
SESSION_IDLE_MS = 7 * 86_400_000
SESSION_LIFE_MS = 30 * 86_400_000
_USED_MS = 60_000
_MAX_SECRET = 128
_MAX_AGENT = 200
_SESSION_ID_HEX = 16
_ALIVE = "last_used > ?1 AND created > ?2"
_ALL = Scope()


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a token; the secret is not."""

    name: str
    role: Role
    created_time: int
    last_used_time: int | None
    devices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """What it is for, as in Scope; neither: all."""


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a browser's session; the cookie is not."""

    id: str
    name: str
    role: Role
    created_time: int
    last_used_time: int
    user_agent: str


class Accounts:
    """Tokens and sessions in the store's file; `users` are those with a password."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._kept = Kept(database)
        self.users = Users(database)

    @classmethod
    def open(cls, folder: Path) -> Accounts:
        """Open the accounts of a data folder, beside a running hub or without one. Raises StoreError."""
        database = prepare(folder)
        migrate(database)
        return cls(database)

    def close(self) -> None:
        """Close the file, which stays open between the questions of requests."""
        self._kept.close()

    # --- tokens -------------------------------------------------------------------------------------

    def create_token(
        self, name: str, role: Role, now_ms: int, *, scope: Scope = _ALL, by: str = CONSOLE
    ) -> str:
        """Make a token and return its secret, which is shown once.

        Raises NameTaken, BadName, BadScope, StoreError.
        """
        check_name(name, "token")
        check_scope(role, scope)
        plain = PREFIX + secrets.token_urlsafe(32)
        with changed(self._database) as connection:
            try:
                connection.execute(
                    "INSERT INTO token (name, hash, role, created, scope) VALUES (?, ?, ?, ?, ?)",
                    (name, fingerprint(plain), str(role), now_ms, _written(scope)),
                )
            except sqlite3.IntegrityError as error:
                raise NameTaken(
                    f"there is a token {name!r} already; revoke it, or choose another name"
                ) from error
            about = f"{name} ({role}{_told(scope)})"
            record(connection, _event(now_ms, SecurityKind.TOKEN_MADE, by, about))
        return plain

    def revoke_token(self, name: str, now_ms: int, *, by: str = CONSOLE) -> bool:
        """End a token at once; False when there is none of that name. Raises StoreError."""
        with changed(self._database) as connection:
            found = connection.execute("DELETE FROM token WHERE name = ?", (clean(name),)).rowcount > 0
            if found:
                record(connection, _event(now_ms, SecurityKind.TOKEN_REVOKED, by, name))
        return found

    def tokens(self) -> list[TokenInfo]:
        """Return all tokens by name. Raises StoreError."""
        with opened(self._database) as connection:
            rows = connection.execute(
                "SELECT name, role, created, last_used, scope FROM token ORDER BY name"
            ).fetchall()
        return [
            TokenInfo(
                name=name,
                role=Role(role),
                created_time=created,
                last_used_time=used,
                **msgspec.structs.asdict(_read(scope)),
            )
            for name, role, created, used, scope in rows
        ]

    def token_identity(self, plain: str, now_ms: int) -> Identity | None:
        """Return whose token it is, or None. Raises StoreError."""
        if not plain.startswith(PREFIX):
            return None
        with self._kept.opened() as connection:
            row = _find(
                connection, "SELECT hash, name, role, last_used, scope FROM token WHERE hash = ?", plain
            )
            if row is None:
                return None
            known, name, role, used, scope = row
            if used is None or abs(now_ms - used) >= _USED_MS:
                self._note_use("UPDATE token SET last_used = ? WHERE hash = ?", (now_ms, known))
        return Identity(f"token:{name}", Role(role), _read(scope))

    # --- sessions -----------------------------------------------------------------------------------

    def create_session(self, name: str, role: Role, now_ms: int, user_agent: str = "") -> str:
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

    def session_identity(self, plain: str, now_ms: int) -> Identity | None:
        """Return whose session it is, or None: unknown, idle for 7 days, 30 days old. Raises StoreError."""
        with self._kept.opened() as connection:
            row = _find(
                connection, "SELECT hash, name, role, last_used, created FROM login WHERE hash = ?", plain
            )
            if row is None:
                return None
            known, name, role, used, created = row
            idle_ms, life_ms = _limits(now_ms)
            if used <= idle_ms or created <= life_ms:
                return None
            if now_ms - used >= _USED_MS:
                self._note_use("UPDATE login SET last_used = ? WHERE hash = ?", (now_ms, known))
        return Identity(f"user:{name}", Role(role))

    def sessions(self, now_ms: int) -> list[SessionInfo]:
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

    def end_session(self, plain: str) -> None:
        """End a session; an unknown one is none. Raises StoreError."""
        with opened(self._database) as connection:
            connection.execute("DELETE FROM login WHERE hash = ?", (fingerprint(plain),))

    def end_session_called(self, identity: str, now_ms: int, *, by: str) -> bool:
        """End the session of that id at once; False where there is none. Raises StoreError."""
        with changed(self._database) as connection:
            found = connection.execute(
                "DELETE FROM login WHERE substr(lower(hex(hash)), 1, ?) = ? RETURNING name",
                (_SESSION_ID_HEX, clean(identity)),
            ).fetchall()
            for (name,) in found:
                record(connection, _event(now_ms, SecurityKind.SESSION_ENDED, by, name))
        return bool(found)

    # --- what still holds ---------------------------------------------------------------------------

    def holding(self, credentials: Iterable[bytes], now_ms: int) -> dict[bytes, Role]:
        """Return the roles of the fingerprints whose token or session holds now, which is a use.

        Raises StoreError.
        """
        held: dict[bytes, Role] = {}
        idle_ms, life_ms = _limits(now_ms)
        with self._kept.opened() as connection:
            for known in credentials:
                token = connection.execute("SELECT role FROM token WHERE hash = ?", (known,)).fetchone()
                if token is not None:
                    held[known] = Role(token[0])
                    continue
                row = connection.execute(
                    f"SELECT last_used, role FROM login WHERE hash = ?3 AND {_ALIVE}",  # noqa: S608 - our constant
                    (idle_ms, life_ms, known),
                ).fetchone()
                if row is not None:
                    held[known] = Role(row[1])
                    if now_ms - row[0] >= _USED_MS:
                        self._note_use("UPDATE login SET last_used = ? WHERE hash = ?", (now_ms, known))
        return held

    def _note_use(self, sql: str, parameters: tuple[int, bytes]) -> None:
        """Record a use where it costs no wait, for the disk or for the writer, and the disk is not full."""
        # On a connection of its own, since the one that stays open keeps what is set here.
        with contextlib.suppress(StoreError), opened(self._database) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute(sql, parameters)


def session_id(credential: bytes) -> str:
    """Return the name under which a session is listed: a part of its hash, which opens nothing."""
    return credential.hex()[:_SESSION_ID_HEX]


def _limits(now_ms: int) -> tuple[int, int]:
    return now_ms - SESSION_IDLE_MS, now_ms - SESSION_LIFE_MS


def _event(now_ms: int, kind: SecurityKind, by: str, detail: str) -> SecurityEvent:
    return SecurityEvent(time=now_ms, kind=kind, actor=by, detail=detail)


def _written(scope: Scope) -> str | None:
    return None if scope.whole else msgspec.json.encode(scope).decode()


def _read(scope: str | None) -> Scope:
    return _ALL if scope is None else msgspec.json.decode(scope, type=Scope)


def _told(scope: Scope) -> str:
    parts = [f"{field} {', '.join(names)}" for field, names in msgspec.structs.asdict(scope).items() if names]
    return f", {' and '.join(parts)}" if parts else ""


def _find(connection: sqlite3.Connection, sql: str, plain: str) -> tuple[Any, ...] | None:
    if len(plain) > _MAX_SECRET:
        return None
    known = fingerprint(plain)
    row: tuple[Any, ...] | None = connection.execute(sql, (known,)).fetchone()
    # The index finds by hash, which tells a guesser nothing; the last word is a comparison in constant time.
    return row if row is not None and hmac.compare_digest(row[0], known) else None
