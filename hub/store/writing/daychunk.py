"""A slow device's day in one chunk: a chunk of 15 samples is mostly header, one of 1,440 is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.store.format import chunk, tiers
from hub.store.format.names import shapes_of_device
from hub.store.format.tiers import MERGING
from hub.store.writing import seal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from hub.store.format.chunk import Group

LEAST_AGE_MS = 8 * 86_400_000
"""Metrics whose samples go earlier keep their quarters of an hour: a day goes when all of it is too old."""
SMALL_SAMPLES = 2048
"""A day whose chunks hold no more than this on average becomes one; larger ones would gain nothing."""


def step(
    connection: sqlite3.Connection, now_ms: int, age_ms: Callable[[str, str], int | None]
) -> tuple[int, int] | None:
    """Merge one device's small chunks of one day that is over, in the caller's transaction.

    `age_ms` tells how long the samples of a device's metric stay (None: for ever). Returns (source, start of
    the day), or None when no day is due. At most `seal.MERGED_SAMPLES` are written again at once, and what
    comes late waits until it is as much as the day's chunk, so that each sample is written again few times.
    """
    found = tiers.due(connection, MERGING, now_ms)
    if found is None:
        return None
    source, start_ms = found
    tiers.done(connection, MERGING, source, start_ms)
    if not _stays(connection, source, age_ms):
        return found
    first = start_ms // chunk.WINDOW_MS
    parts = _parts(connection, first, source)
    whole = connection.execute("SELECT n FROM chunk WHERE id = ?", (chunk.day_id(first, source),)).fetchone()
    if _worth(sum(parts.values()), len(parts), 0 if whole is None else whole[0]):
        _merge(connection, list(parts), chunk.day_id(first, source))
    return found


def _stays(connection: sqlite3.Connection, source: int, age_ms: Callable[[str, str], int | None]) -> bool:
    row = connection.execute("SELECT device FROM source WHERE id = ?", (source,)).fetchone()
    if row is None:
        return False
    ages = [age_ms(row[0], name) for shape in shapes_of_device(connection, row[0]) for name in shape.metrics]
    return all(age is None or age >= LEAST_AGE_MS for age in ages)


def _parts(connection: sqlite3.Connection, first: int, source: int) -> dict[int, int]:
    """Return the keys of a day's chunks but the day's own, by time, and the samples of each."""
    found: dict[int, int] = {}
    for window in range(first, first + chunk.DAY_WINDOWS):
        found.update(
            connection.execute(
                "SELECT id, n FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id", chunk.part_ids(window, source)
            )
        )
    return found


def _worth(samples: int, chunks: int, there: int) -> bool:
    """Tell whether merging pays: `there` are the samples that the day's chunk has."""
    if not chunks or (chunks == 1 and not there):
        return False
    small = samples <= SMALL_SAMPLES * chunks
    return small and there <= samples and samples + there <= seal.MERGED_SAMPLES


def _merge(connection: sqlite3.Connection, parts: list[int], day_id: int) -> None:
    # The day's own first: of one time, what came first stays first.
    groups: list[Group] = []
    taken = []
    for identity in (day_id, *parts):
        row = connection.execute("SELECT data FROM chunk WHERE id = ?", (identity,)).fetchone()
        if row is None:
            continue
        try:
            groups += chunk.decode(row[0])
        except chunk.ChunkDamaged:
            if identity == day_id:
                return  # both stay as they are, for who may salvage them
            continue
        taken.append((identity,))
    groups = seal.merged(groups)
    connection.executemany("DELETE FROM chunk WHERE id = ?", taken)
    connection.execute(
        "INSERT INTO chunk (id, n, data) VALUES (?, ?, ?)",
        (day_id, sum(group.samples for group in groups), chunk.encode(groups)),
    )
