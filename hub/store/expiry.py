"""What is too old leaves the file: the oldest keys, which lie together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.store import chunk, tiers

if TYPE_CHECKING:
    import sqlite3


def expire(connection: sqlite3.Connection, before_ms: int, limit: int) -> int:
    """Delete up to `limit` of the chunks all of whose samples are older than `before_ms`; return how many.

    A chunk goes whole, so a sample stays up to a window (15 min) longer than it must; and it stays until the
    rollups of its day are made.
    """
    waits = tiers.due(connection, tiers.DAILY, before_ms + tiers.DAILY.span_ms)
    if waits is not None:
        before_ms = min(before_ms, waits[1])
    end = chunk.chunk_id(before_ms // chunk.WINDOW_MS, 0)
    return connection.execute(
        "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id < ? ORDER BY id LIMIT ?)", (end, limit)
    ).rowcount
