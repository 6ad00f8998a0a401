"""API tokens and browser sessions: only hashes are kept.

A secret is 256 random bits, so a plain SHA-256 is enough to keep it (nobody can guess its input), and quick.
Each call uses a connection of its own, so that another program may add a token while the hub runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model import Identity, OutpostError, Role
from hub.store.folder import StoreError, prepare
from hub.store.hotlog import clean
from hub.store.schema import connect, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX = "outpost_"
"""Lets people and secret scanners recognise a token."""
SESSION_IDLE_MS = 7 * 86_400_000
SESSION_LIFE_MS = 30 * 86_400_000
_USED_MS = 60_000
_MAX_NAME = 64
_MAX_SECRET = 128
_MAX_AGENT = 200


class NameTaken(OutpostError):
    """There is a token of that name."""


class BadName(OutpostError):
    """A token cannot have that name."""


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a token; the secret is not."""

    name: str
    role: Role
    created_time: int
    last_used_time: int | None


class Accounts:
    """Tokens and sessions in the store's file."""

    def __init__(self, database: Path) -> None:
        self._database = database

    @classmethod
    def open(cls, folder: Path) -> Accounts:
        """Open the accounts of a data folder, beside a running hub or without one. Raises StoreError."""
        database = prepare(folder)
        migrate(database)
        return cls(database)

    def create_token(self, name: str, role: Role, now_ms: int) -> str:
        """Make a token and return its secret, which is shown once. Raises NameTaken, BadName, StoreError."""
        if not (0 < len(name) <= _MAX_NAME and name.isprintable() and name == name.strip()):
            raise BadName(f"{name[:80]!a} is no name for a token: 1 to {_MAX_NAME} printable characters")
        plain = PREFIX + secrets.token_urlsafe(32)
        with self._connection() as connection:
            try:
                connection.execute(
                    "INSERT INTO token (name, hash, role, created) VALUES (?, ?, ?, ?)",
                    (name, _hash(plain), str(role), now_ms),
                )
            except sqlite3.IntegrityError as error:
                raise NameTaken(
                    f"there is a token {name!r} already; revoke it, or choose another name"
                ) from error
        return plain

    def revoke_token(self, name: str) -> bool:
        """End a token at once; False when there is none of that name. Raises StoreError."""
        with self._connection() as connection:
            return connection.execute("DELETE FROM token WHERE name = ?", (clean(name),)).rowcount > 0

    def tokens(self) -> list[TokenInfo]:
        """Return all tokens by name. Raises StoreError."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT name, role, created, last_used FROM token ORDER BY name"
            ).fetchall()
        return [
            TokenInfo(name=name, role=Role(role), created_time=created, last_used_time=used)
            for name, role, created, used in rows
        ]

    def token_identity(self, plain: str, now_ms: int) -> Identity | None:
        """Return whose token it is, or None. Raises StoreError."""
        if not plain.startswith(PREFIX):
            return None
        with self._connection() as connection:
            row = _find(connection, "SELECT hash, name, role, last_used FROM token WHERE hash = ?", plain)
            if row is None:
                return None
            known, name, role, used = row
            if used is None or abs(now_ms - used) >= _USED_MS:
                _note_use(connection, "UPDATE token SET last_used = ? WHERE hash = ?", (now_ms, known))
        return Identity(f"token:{name}", Role(role))

    def create_session(self, name: str, role: Role, now_ms: int, user_agent: str = "") -> str:
        """Open a session of a browser and return the cookie's secret. Raises StoreError."""
        plain = secrets.token_urlsafe(32)
        agent = user_agent.encode("utf-8", "replace").decode()[:_MAX_AGENT]
        with self._connection() as connection:
            connection.execute(
                "DELETE FROM login WHERE last_used <= ? OR created <= ?",
                (now_ms - SESSION_IDLE_MS, now_ms - SESSION_LIFE_MS),
            )
            connection.execute(
                "INSERT INTO login (hash, name, role, created, last_used, user_agent)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (_hash(plain), name, str(role), now_ms, now_ms, agent),
            )
        return plain

    def session_identity(self, plain: str, now_ms: int) -> Identity | None:
        """Return whose session it is, or None: unknown, idle for 7 days, 30 days old. Raises StoreError."""
        with self._connection() as connection:
            row = _find(
                connection, "SELECT hash, name, role, last_used, created FROM login WHERE hash = ?", plain
            )
            if row is None:
                return None
            known, name, role, used, created = row
            if now_ms - used >= SESSION_IDLE_MS or now_ms - created >= SESSION_LIFE_MS:
                return None
            if now_ms - used >= _USED_MS:
                _note_use(connection, "UPDATE login SET last_used = ? WHERE hash = ?", (now_ms, known))
        return Identity(f"user:{name}", Role(role))

    def end_session(self, plain: str) -> None:
        """End a session; an unknown one is none. Raises StoreError."""
        with self._connection() as connection:
            connection.execute("DELETE FROM login WHERE hash = ?", (_hash(plain),))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(connect(self._database)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreError(f"{self._database}: accounts cannot be read or written now: {error}") from error


def _hash(plain: str) -> bytes:
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()


def _find(connection: sqlite3.Connection, sql: str, plain: str) -> tuple[Any, ...] | None:
    if len(plain) > _MAX_SECRET:
        return None
    known = _hash(plain)
    row: tuple[Any, ...] | None = connection.execute(sql, (known,)).fetchone()
    # The index finds by hash, which tells a guesser nothing; the last word is a comparison in constant time.
    return row if row is not None and hmac.compare_digest(row[0], known) else None


def _note_use(connection: sqlite3.Connection, sql: str, parameters: tuple[int, bytes]) -> None:
    """Record a use where that costs no wait: neither for the disk nor for the writer, nor on a full disk."""
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute(sql, parameters)
