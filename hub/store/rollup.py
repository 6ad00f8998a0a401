"""Rollups: what is left of samples by minute, hour and day; made from chunks, and read by wide queries."""

from __future__ import annotations

import logging
import struct
import zlib
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from hub.store import chunk, columns, summary, tiers
from hub.store.names import shapes_of_device
from hub.store.series import Series
from hub.store.summary import Summary
from hub.store.tiers import DAYS, HOURS, MINUTES, QUARTERLY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from hub.store.columns import Ints
    from hub.store.tiers import Job, Tier

log = logging.getLogger(__name__)

Buckets: TypeAlias = tuple["Ints", Summary]
"""Starts (UTC ms), ascending, and what their samples come to."""

_HEAD = struct.Struct("<BII")
_FORMAT = 1
_FLOATS = ("low", "high", "total", "last", "held")
_ALWAYS = ("count", "low", "high", "total", "last")
_WEIGHTED = (*_ALWAYS, "first_ms", "last_ms", "held")


_NOTHING: Buckets = (np.zeros(0, dtype=np.int64), summary.joined([]))


class _Header(msgspec.Struct, array_like=True):
    metric: str
    rows: int
    sizes: list[int]
    """Bytes of the starts (in widths of the tier) and of the fields: all of them for booleans."""


_HEADERS = msgspec.msgpack.Decoder(list[_Header])


# --- making -------------------------------------------------------------------------------------------


def step(connection: sqlite3.Connection, job: Job, now_ms: int) -> bool:
    """Do one span of a job in the caller's transaction; False when none is due."""
    found = tiers.due(connection, job, now_ms)
    if found is None:
        return False
    source, start_ms = found
    row = connection.execute("SELECT device FROM source WHERE id = ?", (source,)).fetchone()
    if row is not None:
        made = _made(connection, row[0], job, start_ms)
        for tier in (HOURS,) if job is QUARTERLY else (MINUTES, DAYS):
            _store(
                connection, tier, source, start_ms, {name: found[tier.level] for name, found in made.items()}
            )
    tiers.done(connection, job, source, start_ms)
    return True


def _made(
    connection: sqlite3.Connection, device: str, job: Job, start_ms: int
) -> dict[str, dict[int, tuple[Ints, Summary, bool]]]:
    """Return for each metric what each tier of the job says of a span, from its chunks."""
    found: dict[str, dict[int, tuple[Ints, Summary, bool]]] = {}
    metrics = {name: None for shape in shapes_of_device(connection, device) for name in shape.metrics}
    for metric in metrics:
        windows = [
            pieces
            for _, pieces in Series(connection, device, metric, None).pieces(start_ms, start_ms + job.span_ms)
        ]
        samples = summary.joined(summary.of_pieces(pieces) for pieces in windows)
        if not len(samples):
            continue
        weighted = any(piece.column.boolean for pieces in windows for piece in pieces)
        found[metric] = {}
        fine = samples.first_ms, samples
        for tier in (HOURS,) if job is QUARTERLY else (MINUTES, DAYS):
            fine = summary.gathered(fine[1], fine[0] // tier.width_ms * tier.width_ms)
            found[metric][tier.level] = (*fine, weighted)
    return found


def _store(
    connection: sqlite3.Connection,
    tier: Tier,
    source: int,
    start_ms: int,
    made: dict[str, tuple[Ints, Summary, bool]],
) -> None:
    """Put buckets into their row, in place of what it says of the same times.

    Where it knows more samples than there are now, their chunks have expired: its bucket stands.
    """
    identity = tiers.row_id(tier, start_ms, source)
    row = connection.execute("SELECT data FROM roll WHERE id = ?", (identity,)).fetchone()
    known = {}
    if row is not None:
        try:
            known = {name: (*read(row[0], name, tier), weighted) for name, weighted in _names(row[0])}
        except chunk.ChunkDamaged:
            known = {}  # made anew as far as there are chunks; better than none
    for metric, (starts, spans, weighted) in made.items():
        old_starts, old, was_weighted = known.get(metric, (*_NOTHING, False))
        known[metric] = *_laid_over(old_starts, old, starts, spans), weighted or was_weighted
    connection.execute(
        "INSERT OR REPLACE INTO roll (id, data) VALUES (?, ?)", (identity, _encode(known, tier))
    )


def _laid_over(old_starts: Ints, old: Summary, starts: Ints, spans: Summary) -> Buckets:
    count_now = dict(zip(starts.tolist(), spans.count.tolist(), strict=True))
    count_then = dict(zip(old_starts.tolist(), old.count.tolist(), strict=True))
    kept = [count > count_now.get(start, 0) for start, count in count_then.items()]
    taken = [count >= count_then.get(start, 0) for start, count in count_now.items()]
    both = np.concatenate((old_starts[kept], starts[taken]))
    order = np.argsort(both, kind="stable")
    return both[order], summary.joined([old.at(np.flatnonzero(kept)), spans.at(np.flatnonzero(taken))]).at(
        order
    )


def _encode(found: dict[str, tuple[Ints, Summary, bool]], tier: Tier) -> bytes:
    headers, bodies = [], []
    for metric, (starts, spans, weighted) in found.items():
        own = [columns.encode_ints(starts // tier.width_ms)]
        for name in _WEIGHTED if weighted else _ALWAYS:
            part = getattr(spans, name)
            own.append(columns.encode_floats(part) if name in _FLOATS else columns.encode_ints(part))
        headers.append(_Header(metric, len(starts), [len(body) for body in own]))
        bodies += own
    header = msgspec.msgpack.encode(headers)
    rest = struct.pack("<I", len(header)) + header + b"".join(bodies)
    return struct.pack("<BI", _FORMAT, zlib.crc32(rest)) + rest


# --- reading ------------------------------------------------------------------------------------------


def read(data: bytes, metric: str, tier: Tier) -> Buckets:
    """Return what a row says of a metric. Raises ChunkDamaged."""
    return chunk.careful(lambda: _read(data, metric, tier))


def _read(data: bytes, metric: str, tier: Tier) -> Buckets:
    for header, at in _headers(data):
        if header.metric == metric:
            return _decoded(data, header, at, tier)
    return _NOTHING


def _names(data: bytes) -> list[tuple[str, bool]]:
    return [(header.metric, len(header.sizes) > 1 + len(_ALWAYS)) for header, _ in _headers(data)]


def _headers(data: bytes) -> Iterator[tuple[_Header, int]]:
    chunk.check(data)
    at = _HEAD.size + _HEAD.unpack_from(data)[2]
    for header in _HEADERS.decode(data[_HEAD.size : at]):
        yield header, at
        at += sum(header.sizes)


def _decoded(data: bytes, header: _Header, at: int, tier: Tier) -> Buckets:
    parts = []
    for size in header.sizes:
        parts.append(data[at : at + size])
        at += size
    starts = columns.decode_ints(parts[0], header.rows) * tier.width_ms
    floats = {
        name: columns.decode_floats(part, header.rows)
        for name, part in zip(_WEIGHTED, parts[1:], strict=False)
        if name in _FLOATS
    }
    ints = {
        name: columns.decode_ints(part, header.rows)
        for name, part in zip(_WEIGHTED, parts[1:], strict=False)
        if name not in _FLOATS
    }
    return starts, Summary(
        low=floats["low"],
        high=floats["high"],
        total=floats["total"],
        count=ints["count"],
        last=floats["last"],
        first_ms=ints.get("first_ms", starts),
        last_ms=ints.get("last_ms", starts),
        held=floats.get("held", np.zeros(header.rows)),
    )


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
        yield from _rows(series, tier, at, min(start, end))
        at = min(start + tier.job.span_ms, end)
        yield from cover(series, max(start, first), at, finer)
    yield from _rows(series, tier, at, end)
    yield from cover(series, end, to_ms, finer)


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
            starts, spans = read(row[0], series.metric, tier)
        except chunk.ChunkDamaged as error:
            log.error("rollup %d: %s", low - step, error)
            continue
        first, end = np.searchsorted(starts, (from_ms, to_ms))
        if first < end:
            yield starts[first:end], spans.at(slice(first, end))
