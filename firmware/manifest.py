"""The manifest of an update: what it must be for this board to take it. docs/protocol.md has its form."""

import binascii
import sys

from jobs import Refused
from micropython import const
from version import VERSION, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MANIFEST = "/manifest"
KEPT = "the firmware stays as it is"
FILES = const(128)
_BYTES = const(8192)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/."


class File:
    """One part of an update: what a file is to be."""

    def __init__(self, part: int, sha256: bytes, size: int, path: str) -> None:
        self.part = part
        self.sha256 = sha256
        self.size = size
        self.path = path


def named(params: "dict[str, Any]") -> File:
    """Return the manifest as a command names it. Raises Refused."""
    sha256, size = params.get("manifest"), params.get("bytes")
    if isinstance(size, int) and 0 < size <= _BYTES:
        digest = _digest(sha256)
        if digest is not None:
            return File(0, digest, size, MANIFEST)
    raise Refused(f"manifest must be a SHA-256 in hex, bytes 1 to {_BYTES}; {KEPT}")


def file(part: int, line: str) -> File:
    """Read the line of a file. Raises Refused."""
    words = line.split()
    if len(words) == 3 and _is_path(words[2]):
        digest = _digest(words[0])
        if digest is not None and words[1].isdigit():
            return File(part, digest, int(words[1]), words[2])
    raise Refused(f"line {part + 1} of the manifest makes no sense; {KEPT}")


def check(line: str, force: bool) -> str:
    """Return the version that the first line names. Raises Refused where it is not for this board."""
    words = line.split()
    if len(words) != 5 or words[0] != "outpost-firmware" or words[1] != "1":
        raise Refused(f"this is no firmware for Outpost's boards; {KEPT}")
    _, _, version, platforms, oldest = words
    try:
        older = parsed(version) < parsed(VERSION)
        too_new = parsed(oldest) > tuple(sys.implementation.version[:3])
    except ValueError:
        raise Refused(f"this is no firmware for Outpost's boards; {KEPT}")  # noqa: B904 - no `from`
    if sys.platform not in platforms.split(","):
        raise Refused(f"the firmware is for {platforms}; this board is {sys.platform}; {KEPT}")
    if too_new:
        raise Refused(f"the firmware needs MicroPython {oldest} or newer; {KEPT}")
    if older and not force:
        raise Refused(f"version {version} is older than {VERSION}, which the board has; force it if you must")
    return version


def _digest(text: "Any") -> "bytes | None":
    try:
        if isinstance(text, str) and len(text) == 64:
            return binascii.unhexlify(text)
    except ValueError:
        pass  # no hex
    return None


def _is_path(path: str) -> bool:
    """Whether it is a Python file's path that cannot leave its place; nothing else is firmware."""
    for letter in path:
        if letter not in _LETTERS:
            return False
    inside = path[0] == "/" and ".." not in path and "//" not in path
    return inside and path.endswith(".py") and len(path) < 64
