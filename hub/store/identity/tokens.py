"""API tokens: made, revoked, listed, and whose one is."""

from __future__ import annotations

import secrets
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from hub.model import Identity, Role, Scope
from hub.store.format.hotlog import clean
from hub.store.identity.credentials import USED_MS, find, note_use
from hub.store.identity.rights import (
    CONSOLE,
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

if TYPE_CHECKING:
    from pathlib import Path

    from hub.store.identity.kept import Kept

PREFIX = "outpost_"
"""Lets people and secret scanners recognise a token."""
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


class Tokens:
    """The tokens in the store's file; `kept` is for what every request asks."""

    def __init__(self, database: Path, kept: Kept) -> None:
        self._database = database
        self._kept = kept

    def create(self, name: str, role: Role, now_ms: int, *, scope: Scope = _ALL, by: str = CONSOLE) -> str:
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
            record(
                connection, SecurityEvent(time=now_ms, kind=SecurityKind.TOKEN_MADE, actor=by, detail=about)
            )
        return plain

    def revoke(self, name: str, now_ms: int, *, by: str = CONSOLE) -> bool:
        """End a token at once; False when there is none of that name. Raises StoreError."""
        with changed(self._database) as connection:
            found = connection.execute("DELETE FROM token WHERE name = ?", (clean(name),)).rowcount > 0
            if found:
                record(
                    connection,
                    SecurityEvent(time=now_ms, kind=SecurityKind.TOKEN_REVOKED, actor=by, detail=name),
                )
        return found

    def all(self) -> list[TokenInfo]:
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

    def identity(self, plain: str, now_ms: int) -> Identity | None:
        """Return whose token it is, or None. Raises StoreError."""
        if not plain.startswith(PREFIX):
            return None
        with self._kept.opened() as connection:
            row = find(
                connection, "SELECT hash, name, role, last_used, scope FROM token WHERE hash = ?", plain
            )
            if row is None:
                return None
            known, name, role, used, scope = row
            if used is None or abs(now_ms - used) >= USED_MS:
                note_use(self._database, "UPDATE token SET last_used = ? WHERE hash = ?", (now_ms, known))
        return Identity(f"token:{name}", Role(role), _read(scope))

    def role_of(self, connection: sqlite3.Connection, known: bytes) -> Role | None:
        """Return what the token of that fingerprint may do, or None. Raises sqlite3.Error."""
        row = connection.execute("SELECT role FROM token WHERE hash = ?", (known,)).fetchone()
        return None if row is None else Role(row[0])


def _written(scope: Scope) -> str | None:
    return None if scope.whole else msgspec.json.encode(scope).decode()


def _read(scope: str | None) -> Scope:
    return _ALL if scope is None else msgspec.json.decode(scope, type=Scope)


def _told(scope: Scope) -> str:
    parts = [f"{field} {', '.join(names)}" for field, names in msgspec.structs.asdict(scope).items() if names]
    return f", {' and '.join(parts)}" if parts else ""
