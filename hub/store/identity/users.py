"""People with a password: argon2id hashes, roles, and the sessions that end with them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import msgspec

from hub.model import OutpostError, Role
from hub.store.format.hotlog import clean
from hub.store.identity.rights import (
    CONSOLE,
    BadName,
    NameTaken,
    SecurityEvent,
    SecurityKind,
    changed,
    check_name,
    opened,
    record,
)

if TYPE_CHECKING:
    from pathlib import Path

    from argon2 import PasswordHasher

MIN_PASSWORD = 12
MAX_PASSWORD = 256


class BadPassword(OutpostError):
    """This cannot be a password."""


class BadRole(OutpostError):
    """People do not have that role."""


class UserInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a user; the password is not."""

    name: str
    role: Role
    created_time: int
    last_login_time: int | None


def hasher() -> PasswordHasher:
    """Return argon2id with 19 MiB, 2 passes, 1 lane: OWASP's setting for machines with little memory."""
    # Costs 20 ms, and only logins need it.
    from argon2 import PasswordHasher  # noqa: PLC0415 - see above

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_password(name: str, password: str) -> None:
    """Raise BadPassword for what is easily guessed or no text; length is what counts (NIST SP 800-63B)."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadPassword(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if clean(password) != password:
        raise BadPassword("a password is text: this holds characters that no text can")
    if name.casefold() in password.casefold() and len(name) * 2 > len(password):
        raise BadPassword("this password is the name, more or less")
    if len(set(password)) < MIN_PASSWORD // 3:
        raise BadPassword("this password is the same few characters again and again")


def verify(hashed: str | None, password: str) -> bool:
    """Tell whether a password fits its hash. Takes as long for a user who is not there (None). Blocks."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - as `hasher`

    try:
        hasher().verify(hashed or _NOBODY, password.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


# Of a password that nobody knows; it costs as much to check as any.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class Users:
    """Users in the store's file."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def create(self, name: str, role: Role, password: str, now_ms: int, *, by: str = CONSOLE) -> None:
        """Make a user. Blocks for a hash. Raises NameTaken, BadName, BadRole, BadPassword, StoreError."""
        check_name(name, "user")
        check_role(role)
        if "/" in name:
            raise BadName(f"{name!r} is no name for a user: it stands in addresses, so no /")
        check_password(name, password)
        hashed = hasher().hash(password)
        with changed(self._database) as connection:
            try:
                connection.execute(
                    "INSERT INTO user (name, hash, role, created) VALUES (?, ?, ?, ?)",
                    (clean(name), hashed, str(role), now_ms),
                )
            except sqlite3.IntegrityError as error:
                raise NameTaken(f"there is a user {name!r} already") from error
            record(connection, _event(now_ms, SecurityKind.USER_MADE, by, f"{name} ({role})"))

    def all(self) -> list[UserInfo]:
        """Return all users by name. Raises StoreError."""
        with opened(self._database) as connection:
            rows = connection.execute(
                "SELECT name, role, created, last_login FROM user ORDER BY name"
            ).fetchall()
        return [
            UserInfo(name=name, role=Role(role), created_time=created, last_login_time=used)
            for name, role, created, used in rows
        ]

    def hash_of(self, name: str) -> tuple[str, Role] | None:
        """Return a user's password hash and role; None where there is no such user. Raises StoreError."""
        with opened(self._database) as connection:
            row = connection.execute("SELECT hash, role FROM user WHERE name = ?", (clean(name),)).fetchone()
        return None if row is None else (row[0], Role(row[1]))

    def came(self, name: str, now_ms: int) -> None:
        """Record a login. Raises StoreError."""
        with opened(self._database) as connection:
            connection.execute("UPDATE user SET last_login = ? WHERE name = ?", (now_ms, clean(name)))

    def set_role(self, name: str, role: Role, now_ms: int, *, by: str = CONSOLE) -> bool:
        """Change a role, also of open sessions; False where there is no such user. Raises BadRole."""
        check_role(role)
        with changed(self._database) as connection:
            found = connection.execute(
                "UPDATE user SET role = ? WHERE name = ?", (str(role), clean(name))
            ).rowcount
            if found:
                connection.execute("UPDATE login SET role = ? WHERE name = ?", (str(role), clean(name)))
                record(connection, _event(now_ms, SecurityKind.ROLE_CHANGED, by, f"{name}: {role}"))
        return bool(found)

    def set_password(self, name: str, password: str, now_ms: int, *, by: str = CONSOLE) -> bool:
        """Change a password and end the user's sessions; False where there is no such user. Blocks."""
        check_password(name, password)
        hashed = hasher().hash(password)
        with changed(self._database) as connection:
            found = connection.execute(
                "UPDATE user SET hash = ? WHERE name = ?", (hashed, clean(name))
            ).rowcount
            if found:
                connection.execute("DELETE FROM login WHERE name = ?", (clean(name),))
                record(connection, _event(now_ms, SecurityKind.PASSWORD_CHANGED, by, name))
        return bool(found)

    def replace_password(
        self, name: str, old_hash: str, password: str, now_ms: int, *, keep: bytes, by: str
    ) -> bool:
        """Change one's own password and end one's other sessions: all but that with the fingerprint `keep`.

        False, changing nothing, where the hash is not `old_hash` any more: it was changed meanwhile.
        Blocks for a hash. Raises BadPassword, StoreError.
        """
        check_password(name, password)
        hashed = hasher().hash(password)
        with changed(self._database) as connection:
            found = connection.execute(
                "UPDATE user SET hash = ? WHERE name = ? AND hash = ?", (hashed, clean(name), old_hash)
            ).rowcount
            if found:
                connection.execute("DELETE FROM login WHERE name = ? AND hash != ?", (clean(name), keep))
                record(connection, _event(now_ms, SecurityKind.PASSWORD_CHANGED, by, name))
        return bool(found)

    def remove(self, name: str, now_ms: int, *, by: str = CONSOLE) -> bool:
        """Remove a user and end the sessions; False where there is no such user. Raises StoreError."""
        with changed(self._database) as connection:
            found = connection.execute("DELETE FROM user WHERE name = ?", (clean(name),)).rowcount
            if found:
                connection.execute("DELETE FROM login WHERE name = ?", (clean(name),))
                record(connection, _event(now_ms, SecurityKind.USER_REMOVED, by, name))
        return bool(found)


def check_role(role: Role) -> None:
    """Raise BadRole for a role that people do not have."""
    if role is Role.DEVICE:
        raise BadRole("the role device is for tokens of devices; people are viewer, operator or admin")


def _event(now_ms: int, kind: SecurityKind, by: str, detail: str) -> SecurityEvent:
    return SecurityEvent(time=now_ms, kind=kind, actor=by, detail=detail)
