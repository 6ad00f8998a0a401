"""Rollups: what is left of samples by 10 s, minute, hour and day; made from chunks, read by wide queries."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from hub.store.format import chunk, rollrow, summary, tiers
from hub.store.format.names import shapes_of_device
from hub.store.format.rollrow import NOTHING, Buckets
from hub.store.format.summary import ALWAYS_MS
from hub.store.queries.holding import holds_ms
from hub.store.queries.series import Series

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from hub.store.format.tiers import Job, Tier

log = logging.getLogger(__name__)


# --- making -------------------------------------------------------------------------------------------


def step(
    connection: sqlite3.Connection,
    job: Job,
    now_ms: int,
    wants: Callable[[str, str], bool] = lambda device, metric: False,
) -> tuple[int, int] | None:
    """Do one span of a job in the caller's transaction; return (source, start), None when none is due.

    `wants` tells of a device and metric whether the partial tiers are stored.
    """
    found = tiers.due(connection, job, now_ms)
    if found is None:
        return None
    source, start_ms = found
    row = connection.execute("SELECT device FROM source WHERE id = ?", (source,)).fetchone()
    if row is not None:
        _make(connection, row[0], source, job, start_ms, wants)
    tiers.done(connection, job, source, start_ms)
    return found


def _make(
    connection: sqlite3.Connection,
    device: str,
    source: int,
    job: Job,
    start_ms: int,
    wants: Callable[[str, str], bool],
) -> None:
    """Make what each tier of a job says of a span, from the device's chunks."""
    metrics = {name: None for shape in shapes_of_device(connection, device) for name in shape.metrics}
    found = tiers.of_job(job)
    wanted = [name for name in metrics if not found[0].partial or wants(device, name)]
    if not wanted:
        return
    made: list[dict[str, Buckets]] = [{} for _ in found]
    holds = holds_ms(connection, device)
    for metric in wanted:
        series = Series(connection, device, metric, None)
        pieces = [summary.of_pieces(some) for _, some in series.pieces(start_ms, start_ms + job.span_ms)]
        fine = summary.joined(pieces)
        if not len(fine):
            continue
        for tier, of_tier in zip(found, made, strict=True):
            numbers = fine.first_ms // tier.width_ms
            numbers, fine = summary.gathered(fine, numbers, holds.get(metric, ALWAYS_MS))
            of_tier[metric] = numbers * tier.width_ms, fine
    for tier, of_tier in zip(found, made, strict=True):
        # A partial tier's row is there though it says nothing: then nothing is to be made.
        if of_tier or tier.partial:
            lay_over(connection, tier, source, start_ms, of_tier)


def lay_over(
    connection: sqlite3.Connection, tier: Tier, source: int, start_ms: int, made: dict[str, Buckets]
) -> None:
    """Put buckets into their row, in place of what it says of the same times.

    Where it knows more samples than there are now, their chunks have expired: its bucket stands.
    """
    identity = tiers.row_id(tier, start_ms, source)
    row = connection.execute("SELECT data FROM roll WHERE id = ?", (identity,)).fetchone()
    known: dict[str, Buckets] = {}
    if row is not None:
        try:
            known = rollrow.read_all(row[0], tier)
        except chunk.ChunkDamaged:
            known = {}  # made anew as far as there are chunks; better than none
    for metric, buckets in made.items():
        known[metric] = _laid_over(known.get(metric, NOTHING), buckets)
    connection.execute(
        "INSERT OR REPLACE INTO roll (id, data) VALUES (?, ?)", (identity, rollrow.encode(known, tier))
    )


def _laid_over(before: Buckets, now: Buckets) -> Buckets:
    (old_starts, old), (starts, spans) = before, now
    count_now = dict(zip(starts.tolist(), spans.count.tolist(), strict=True))
    count_then = dict(zip(old_starts.tolist(), old.count.tolist(), strict=True))
    kept = [count > count_now.get(start, 0) for start, count in count_then.items()]
    taken = [count >= count_then.get(start, 0) for start, count in count_now.items()]
    both = np.concatenate((old_starts[kept], starts[taken]))
    order = np.argsort(both, kind="stable")
    joined = summary.joined([old.at(np.flatnonzero(kept)), spans.at(np.flatnonzero(taken))])
    return both[order], joined.at(order)


# --- reading ------------------------------------------------------------------------------------------


def cover(series: Series, from_ms: int, to_ms: int, choice: Sequence[Tier]) -> Iterator[Buckets]:
    """Yield what there is of `from_ms <= time < to_ms`, in order of time, from as coarse tiers as can be.

    `choice` goes from coarse to fine. Where a tier's buckets reach over the span's ends, or its job has not
    been done since samples came, finer ones answer, and at last the samples.
    """
    if from_ms >= to_ms:
        return
    if not choice:
        for _, pieces in series.pieces(from_ms, to_ms):
            samples = summary.of_pieces(pieces)
            yield samples.first_ms, samples
        return
    tier, finer = choice[0], choice[1:]
    first = -(-from_ms // tier.width_ms) * tier.width_ms
    end = to_ms // tier.width_ms * tier.width_ms
    if first >= end:
        yield from cover(series, from_ms, to_ms, finer)
        return
    yield from cover(series, from_ms, first, finer)
    at = first
    for start in _not_held(series, tier, first, end):
        yield from _stored(series, tier, at, min(start, end), finer)
        at = min(start + tier.job.span_ms, end)
        yield from cover(series, max(start, first), at, finer)
    yield from _stored(series, tier, at, end, finer)
    yield from cover(series, end, to_ms, finer)


def _stored(series: Series, tier: Tier, from_ms: int, to_ms: int, finer: Sequence[Tier]) -> Iterator[Buckets]:
    """Yield what a tier has; of a partial one, what finer ones have where it has nothing of the metric."""
    if not tier.partial:
        yield from _rows(series, tier, from_ms, to_ms)
        return
    at = from_ms
    for start in _kept(series, tier, from_ms, to_ms):
        yield from cover(series, at, max(at, start), finer)
        at = min(start + tier.row_ms, to_ms)
        yield from _rows(series, tier, max(start, from_ms), at)
    yield from cover(series, at, to_ms, finer)


def _kept(series: Series, tier: Tier, from_ms: int, to_ms: int) -> list[int]:
    """Return the starts of a partial tier's rows that know the metric."""
    found = []
    for start in range(from_ms // tier.row_ms * tier.row_ms, to_ms, tier.row_ms):
        row = series.connection.execute(
            "SELECT data FROM roll WHERE id = ?", (tiers.row_id(tier, start, series.source),)
        ).fetchone()
        if row is not None and _knows(row[0], series.metric):
            found.append(start)
    return found


def _knows(data: bytes, metric: str) -> bool:
    try:
        return any(name == metric for name, _, _ in rollrow.outline(data))
    except chunk.ChunkDamaged:
        return False


def _not_held(series: Series, tier: Tier, from_ms: int, to_ms: int) -> list[int]:
    found = set(tiers.pending(series.connection, tier.job, series.source, from_ms, to_ms))
    span_ms = tier.job.span_ms
    found.update(start for start in series.held_spans(span_ms) if start < to_ms and start + span_ms > from_ms)
    return sorted(found)


def _rows(series: Series, tier: Tier, from_ms: int, to_ms: int) -> Iterator[Buckets]:
    if from_ms >= to_ms:
        return
    step = 1 << 20
    low = tiers.row_id(tier, from_ms, series.source)
    high = tiers.row_id(tier, to_ms - 1, series.source)
    while low <= high:
        row = series.connection.execute("SELECT data FROM roll WHERE id = ?", (low,)).fetchone()
        if row is None:
            following = series.connection.execute(
                "SELECT id FROM roll WHERE id > ? AND id <= ? ORDER BY id LIMIT 1", (low, high)
            ).fetchone()
            if following is None:
                return
            # The next row of any device tells how far on the next of this one can be.
            there = following[0] & ~(chunk.SOURCES - 1) | series.source
            low = max(low + step, there if there >= following[0] else there + step)
            continue
        low += step
        try:
            starts, spans = rollrow.read(row[0], series.metric, tier) or NOTHING
        except chunk.ChunkDamaged as error:
            log.error("rollup %d: %s", low - step, error)
            continue
        first, end = np.searchsorted(starts, (from_ms, to_ms))
        if first < end:
            yield starts[first:end], spans.at(slice(first, end))


def coarser(series: Series, from_ms: int, until_ms: int, choice: Sequence[Tier]) -> list[Buckets]:
    """Return buckets, in order, of tiers that are not in `choice`, for a span of which those know nothing.

    Rules may keep coarse rollups longer than fine ones and samples: then a coarse bucket stands for what its
    time was. The finest that are there; only buckets that lie in the span.
    """
    found: list[Buckets] = []
    for tier in reversed(tiers.TIERS):
        if tier not in choice:
            first = -(-from_ms // tier.width_ms) * tier.width_ms
            of_tier = list(_rows(series, tier, first, until_ms // tier.width_ms * tier.width_ms))
            if of_tier:
                until_ms = int(of_tier[0][0][0])
                found = of_tier + found
    return found
