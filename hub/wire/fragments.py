"""Messages too long for one frame: cut into fragments, and put together again. Both ways alike."""

import binascii

from .frame import MAX_PAYLOAD
from .message import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Pieces = Callable[[], Iterable[str]]

_ROOM = MAX_PAYLOAD - 32
"""Of a fragment: what its tag, numbers, quotes and commas leave to the text."""


def crc(text: str) -> int:
    """Return the crc32 of an ASCII text."""
    value: int = binascii.crc32(text.encode())
    return value


def fragments(text: str) -> "Iterator[list[Any]]":
    """Cut the ASCII JSON `text` of a message into fragments that each fit a frame.

    They carry the crc32 of the text, so a receiver adds up what came through of each time it was sent.
    """
    return fragments_of(lambda: [text])


def crc_of(pieces: "Pieces") -> int:
    """Return the crc32 of a text that comes in pieces."""
    value = 0
    for piece in pieces():
        value = binascii.crc32(piece.encode(), value)
    return value


def fragments_of(pieces: "Pieces") -> "Iterator[list[Any]]":
    """Cut a text that comes in pieces, the same each time it is asked for: a board never holds it whole."""
    number = crc_of(pieces)
    count = 0
    for _ in _cut(pieces):
        count += 1
    for index, part in enumerate(_cut(pieces)):
        yield ["f", number, index, count, part]


def _cut(pieces: "Pieces") -> "Iterator[str]":
    rest = ""
    for piece in pieces():
        rest += piece
        while len(rest) > _ROOM:
            end = _fitting(rest)
            yield rest[:end]
            rest = rest[end:]
    while rest:
        end = _fitting(rest)
        yield rest[:end]
        rest = rest[end:]


def _fitting(text: str) -> int:
    """Return how much of the start of `text` fits a fragment once its quotes and backslashes are escaped."""
    end = min(len(text), _ROOM)
    while True:
        over = end + text.count('"', 0, end) + text.count("\\", 0, end) - _ROOM
        if over <= 0:
            return end
        end -= (over + 1) // 2


class Assembly:
    """Put fragments together again: up to 4 texts at a time, each at most `max_bytes` long."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: dict[int, list[str | None]] = {}
        self._order: list[int] = []

    def add(self, message: "list[Any]") -> "str | None":
        """Take in a checked `f` message; return the text once it is whole. Raises WireError."""
        _, number, index, count, text = message
        if index >= count or count > self._max_bytes // 16:
            raise WireError(f"fragment {index} of {count}: out of range")
        parts = self._parts.get(number)
        if parts is None or len(parts) != count:
            parts = self._begin(number, count)
        parts[index] = text
        if sum([len(part or "") for part in parts]) > self._max_bytes:
            self._drop(number)
            raise WireError(f"a message of over {self._max_bytes} bytes")
        if None in parts:
            return None
        self._drop(number)
        whole = "".join([part or "" for part in parts])
        if crc(whole) != number:
            raise WireError("a message whose fragments do not fit together")
        return whole

    def clear(self) -> None:
        """Forget all that is not whole."""
        self._parts.clear()
        self._order.clear()

    def _begin(self, number: int, count: int) -> "list[str | None]":
        self._drop(number)
        if len(self._order) >= 4:
            self._drop(self._order[0])
        parts: list[str | None] = [None] * count
        self._parts[number] = parts
        self._order.append(number)
        return parts

    def _drop(self, number: int) -> None:
        if self._parts.pop(number, None) is not None:
            self._order.remove(number)
