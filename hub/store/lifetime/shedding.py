"""The store's size: which rows go when the file has grown past its budget, whatever the rules say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.store.format import tiers
from hub.store.lifetime.expiry import RAW, Shelf

if TYPE_CHECKING:
    import sqlite3

YOUNGEST_MS = 86_400_000
"""Younger than this nothing goes for the size: its rollups are not made, and a live view needs it."""
_ROWS = 500

ORDER = (RAW, *(Shelf(tier.keep, tier) for tier in (tiers.SECONDS, tiers.MINUTES, tiers.HOURS)))
"""The oldest samples first, then the oldest of the finest rollups. Days stay: a year of a metric is 30 KB."""


class Room(msgspec.Struct, frozen=True):
    """What of the file is used, and what is free in it: rows to come take that first."""

    used_bytes: int
    free_bytes: int


def room(connection: sqlite3.Connection) -> Room:
    """Return how much of the file is used."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return Room((pages - free) * size, free * size)


def shed(
    connection: sqlite3.Connection, excess_bytes: int, now_ms: int, rows: int = _ROWS
) -> tuple[int, int]:
    """Delete the oldest rows, in the caller's transaction, until `excess_bytes` went or `rows` did.

    Returns how many rows and bytes went; 0 rows: nothing is left that may go. Samples whose rollups are not
    made stay.
    """
    for shelf in ORDER:
        gone = freed = 0
        before_ms = _before_ms(connection, shelf, now_ms - YOUNGEST_MS)
        for identity, size in connection.execute(
            f"SELECT id, length(data) FROM {shelf.table} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",  # noqa: S608 - one of two names
            (shelf.first_id(0), shelf.first_id(before_ms), rows),
        ).fetchall():
            if shelf.place(identity)[2] > before_ms:
                continue  # a day's chunk, of which some is young
            connection.execute(f"DELETE FROM {shelf.table} WHERE id = ?", (identity,))  # noqa: S608 - see above
            gone, freed = gone + 1, freed + size
            if freed >= excess_bytes:
                break
        if gone:
            return gone, freed
    return 0, 0


def _before_ms(connection: sqlite3.Connection, shelf: Shelf, before_ms: int) -> int:
    if shelf.tier is None:
        for job in tiers.JOBS:
            waits = tiers.due(connection, job, before_ms + job.span_ms)
            if waits is not None:
                before_ms = min(before_ms, waits[1])
    return before_ms
