"""The chunks that questions open: what several metrics, or several questions, are about is decoded once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hub.store.format import chunk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from hub.store.format.chunk import Opened

log = logging.getLogger(__name__)

KEPT_BYTES = 4 << 20
"""How much stays open for the next metric and the next question."""


class Open:
    """Chunks that were opened lately. One thread's."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._chunks: dict[int, Opened] = {}
        self._cost = 0

    def get(self, identity: int, data: bytes) -> Opened:
        """Return a chunk, open; one that has changed since is opened anew. Raises ChunkDamaged."""
        found = self._chunks.pop(identity, None)
        if found is None or found.data != data:
            self._cost -= 0 if found is None else found.cost
            found = chunk.Opened(data)
            self._cost += found.cost
        self._chunks[identity] = found
        while self._cost > self._most_bytes:
            # The one that was not asked for the longest.
            self._cost -= self._chunks.pop(next(iter(self._chunks))).cost
        return found


class Chunks:
    """The chunks of one snapshot of the file, for one question."""

    def __init__(self, connection: sqlite3.Connection, lately: Open | None = None) -> None:
        self._connection = connection
        self._lately = Open() if lately is None else lately
        self._found: dict[tuple[int, int], list[Opened]] = {}
        self._cost = 0

    def between(self, low: int, high: int) -> list[Opened]:
        """Return the chunks of those keys, by key; a damaged one is left out, and logged."""
        found = self._found.get((low, high))
        if found is None:
            found = self._found[low, high] = list(self._read(low, high))
            self._cost += sum(one.cost for one in found)
            while self._cost > KEPT_BYTES:
                self._cost -= sum(one.cost for one in self._found.pop(next(iter(self._found))))
        return found

    def _read(self, low: int, high: int) -> Iterator[Opened]:
        for identity, data in self._connection.execute(
            "SELECT id, data FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id", (low, high)
        ).fetchall():
            try:
                yield self._lately.get(identity, data)
            except chunk.ChunkDamaged as error:
                log.error("chunk %d: %s", identity, error)
