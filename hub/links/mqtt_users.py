"""Who may do what on the broker: Mosquitto's password file and access rules, a user for each device.

Pure but for `Files`. What others wrote into the two files stays: users in the password file, and in the rules
all that stands before the part of the hub's, which is last.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from typing import TYPE_CHECKING

import msgspec

from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PASSWORDS, RULES = "passwords", "acl"
_ITERATIONS = 1000
"""Enough for a password of 192 random bits, which nobody guesses however quick a try is."""
_SALT_BYTES = 12
_BEGIN = "# Made by `outpost mqtt`, which writes all from here to the end of the file anew. Yours goes above."
# A device's id (docs/mqtt.md), without the colon, which ends the name in Mosquitto's password file.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_TOPIC = re.compile(r"[^#+\x00-\x1f\x7f]{1,200}")


class BadMqttUser(OutpostError):
    """There cannot be such a user of the broker, or there is none."""


class MqttUser(msgspec.Struct, frozen=True, order=True):
    """A user of the broker: a device, named by its id, or the hub."""

    name: str
    hub: bool = False


def new_password() -> str:
    """Make a password: 192 random bits, of characters that JSON and shells leave alone."""
    return secrets.token_urlsafe(24)


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return a password as Mosquitto's password file has it: PBKDF2 with HMAC-SHA512.

    After mosquitto 2.0's `mosquitto_passwd`: `$7$iterations$salt$hash`, the last two in base64.
    """
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def with_password(passwords: str, name: str, hash_: str | None) -> str:
    """Return a password file with another hash for a user; None: without the user."""
    lines = [line for line in passwords.splitlines() if line.partition(":")[0] != name]
    if hash_ is not None:
        lines.append(f"{name}:{hash_}")
    return "".join(f"{line}\n" for line in lines)


def rules_of(user: MqttUser, topic: str) -> list[str]:
    """Return a user's access rules under the hub's topic; a rule allows, and nothing else is allowed.

    A device publishes in its own name; a board's session (docs/mqtt.md) reads what the hub says to it.
    """
    if user.hub:
        return [f"user {user.name}", f"topic readwrite {topic}/#"]
    board = f"{topic}/board/{user.name}"
    return [
        f"user {user.name}",
        f"topic write {topic}/{user.name}",
        f"topic write {topic}/{user.name}/+",
        f"topic write {board}/up",
        f"topic write {board}/status",
        f"topic read {board}/down",
    ]


def users_in(rules: str) -> list[MqttUser]:
    """Return the users that the hub's part of the rules is about."""
    found: list[MqttUser] = []
    for line in rules.partition(_BEGIN)[2].splitlines():
        word, _, rest = line.partition(" ")
        if word == "user" and rest:
            found.append(MqttUser(rest))
        elif found and line.startswith("topic readwrite ") and line.endswith("/#"):
            found[-1] = MqttUser(found[-1].name, hub=True)
    return found


def with_users(rules: str, users: Iterable[MqttUser], topic: str) -> str:
    """Return access rules with these users in the hub's part."""
    before = rules.partition(_BEGIN)[0].rstrip("\n")
    blocks = [
        "\n".join(rules_of(user, topic)) for user in sorted(users, key=lambda user: (not user.hub, user.name))
    ]
    return "\n\n".join(part for part in (before, _BEGIN, *blocks) if part) + "\n"


class Files:
    """The two files in a folder. Raises OSError where they cannot be read or written.

    `owner` (uid, gid) is who they belong to: the broker, which should be the only one to read them. None:
    whoever runs this.
    """

    def __init__(self, folder: Path, topic: str, owner: tuple[int, int] | None = None) -> None:
        if not _TOPIC.fullmatch(topic):
            raise BadMqttUser(f"{topic[:80]!r} is no topic: 1 to 200 characters, none of them + or #")
        self.passwords, self.rules = folder / PASSWORDS, folder / RULES
        self._topic = topic
        self._owner = owner

    def users(self) -> list[MqttUser]:
        """Return the users that were added here."""
        return users_in(_read(self.rules))

    def add(self, user: MqttUser) -> str:
        """Add a user, or give one that is there a new password; return it. Raises BadMqttUser."""
        if not _NAME.fullmatch(user.name):
            raise BadMqttUser(
                f"{user.name[:80]!r} cannot be a user: 1 to 64 of A-Z a-z 0-9 _ . -, and . or - not first"
            )
        others = [one for one in self.users() if one.name != user.name]
        foreign = {line.partition(":")[0] for line in _read(self.passwords).splitlines()} - {
            one.name for one in self.users()
        }
        if user.name in foreign:
            raise BadMqttUser(f"{self.passwords} has a user {user.name!r} that is not of `outpost mqtt`")
        password = new_password()
        # The rules first: between the two the user is refused, never let in without rules.
        self._write(self.rules, with_users(_read(self.rules), [*others, user], self._topic))
        self._write(self.passwords, with_password(_read(self.passwords), user.name, hashed(password)))
        return password

    def remove(self, name: str) -> None:
        """Remove a user. Raises BadMqttUser where none was added here under that name."""
        users = self.users()
        if name not in {user.name for user in users}:
            raise BadMqttUser(f"{self.rules} has no user {name[:80]!r} of `outpost mqtt`")
        self._write(self.passwords, with_password(_read(self.passwords), name, None))
        left = [user for user in users if user.name != name]
        self._write(self.rules, with_users(_read(self.rules), left, self._topic))

    def _write(self, path: Path, text: str) -> None:
        """Put a file in place of another, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if self._owner is not None:
                os.fchown(file.fileno(), *self._owner)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise BadMqttUser(f"{path}: is no text file of Mosquitto's: {error}") from error
