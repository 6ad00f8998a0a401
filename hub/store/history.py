"""Questions about samples: raw pages, buckets for charts, and the last of each metric."""

from __future__ import annotations

import json
import re
from itertools import repeat, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.model import Quality, Sample, Value
from hub.store import summary
from hub.store.hotlog import QUALITIES
from hub.store.reader import QueryRefused
from hub.store.rollup import cover
from hub.store.samples import MAX_TIME_MS
from hub.store.tiers import TIERS

if TYPE_CHECKING:
    import sqlite3

    from hub.store.chunk import Piece
    from hub.store.columns import Ints
    from hub.store.recent import Recent
    from hub.store.series import Series
    from hub.store.summary import Summary

MAX_ROWS = 10_000
"""The most rows of one page."""
MAX_POINTS = 10_000
"""The most buckets of one answer."""

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_WIDTHS_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 56, 112, 364)),
)


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One raw sample of a page."""

    time: int
    value: Value
    quality: Quality


class Bucket(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The numbers (booleans as 0 and 1) that fell in `[time, time + width)`; at least one did."""

    time: int
    min: float
    max: float
    mean: float
    count: int


class Page(msgspec.Struct, frozen=True):
    """Raw samples by time; `next` is the cursor to what follows, None at the end."""

    rows: list[Row]
    next: str | None


def raw(series: Series, from_ms: int, to_ms: int, *, limit: int, after: str | None) -> Page:
    """Return samples of `from_ms <= time < to_ms`, at most `limit`, from `after` on. Raises QueryRefused."""
    check_span(from_ms, to_ms)
    if not 1 <= limit <= MAX_ROWS:
        raise QueryRefused(f"`limit` is {limit}; it must be 1 to {MAX_ROWS}")
    # The cursor is a time and how many of its samples were given: of one millisecond, what comes later
    # stands behind what is there, so that pages neither repeat nor skip.
    time, given = parse_cursor(after) if after is not None else (from_ms, 0)
    if time < from_ms:
        time, given = from_ms, 0
    if time >= to_ms:
        return Page([], None)
    rows: list[Row] = []
    for _, pieces in series.pieces(time, to_ms):
        rows += rows_of(pieces)
        if len(rows) > given + limit:
            break
    page = rows[given : given + limit]
    if len(rows) <= given + limit:
        return Page(page, None)
    last = page[-1].time
    given_of_last = sum(1 for _ in takewhile(lambda row: row.time == last, reversed(rows[: given + limit])))
    return Page(page, f"{last}-{given_of_last}")


def rows_of(pieces: list[Piece]) -> list[Row]:
    """Return the samples of one window by time; of one time in the order of the pieces."""
    rows: list[Row] = []
    for piece in pieces:
        times, values = piece.times.tolist(), piece.column.values()
        if piece.qualities is None and None not in values:
            rows += map(Row, times, values, repeat(Quality.GOOD))
        else:
            qualities = repeat(0) if piece.qualities is None else piece.qualities.tolist()
            rows += [
                Row(time, value, Quality.BAD if value is None else QUALITIES[quality])
                for time, value, quality in zip(times, values, qualities, strict=False)
            ]
    if len(pieces) > 1:
        rows.sort(key=attrgetter("time"))
    return rows


def buckets(series: Series, from_ms: int, to_ms: int, points: int) -> list[Bucket]:
    """Return at most `points` buckets over `from_ms <= time < to_ms`, empty ones left out.

    They are as wide as a clock's divisions (1, 2, 5, 10 s, …) and line up with UTC, so that a chart which
    moves on sees the same buckets again. A single point covers exactly the span.
    Raises QueryRefused.
    """
    check_span(from_ms, to_ms)
    if not 1 <= points <= MAX_POINTS:
        raise QueryRefused(f"`points` is {points}; it must be 1 to {MAX_POINTS}")
    if points == 1:
        origin, width = from_ms, to_ms - from_ms
    else:
        origin, width = 0, bucket_width_ms(from_ms, to_ms, points)
    # A single point may end in the middle of any tier's buckets; others end where finer buckets do.
    choice = [tier for tier in TIERS if points == 1 or width % tier.width_ms == 0]
    found: list[tuple[Ints, Summary]] = [
        summary.gathered(spans, (starts - origin) // width)
        for starts, spans in cover(series, from_ms, to_ms, choice)
    ]
    numbers = np.concatenate([numbers for numbers, _ in found]) if found else np.zeros(0, dtype=np.int64)
    numbers, spans = summary.gathered(summary.joined(part for _, part in found), numbers)
    return [
        Bucket(start, low, high, total / count, count)
        for start, low, high, total, count in zip(
            np.maximum(numbers * width + origin, origin).tolist(),
            spans.low.tolist(),
            spans.high.tolist(),
            spans.total.tolist(),
            spans.count.tolist(),
            strict=True,
        )
    ]


def latest(connection: sqlite3.Connection, recent: Recent) -> dict[str, dict[str, Sample]]:
    """Return each device's last sample of each metric, by source time, of a file nobody writes to now."""
    found: dict[str, dict[str, Sample]] = {}
    for device, metric, time, delay, quality, text in connection.execute(
        "SELECT device, metric, time, delay, quality, value FROM last JOIN source ON source.id = source"
    ):
        found.setdefault(device, {})[metric] = _sample(json.loads(text), time, delay, quality)
    for rows in recent.rows.values():
        known = found.setdefault(rows.shape.device, {})
        place = max(range(len(rows.times)), key=lambda row: (rows.times[row], row))
        time = rows.times[place]
        for metric, column in rows.shape.places.items():
            if metric not in known or known[metric].source_time <= time:
                known[metric] = _sample(
                    rows.columns[column][place], time, rows.delays[place], rows.qualities[place]
                )
    return found


def _sample(value: Value, time: int, delay: int, quality: int) -> Sample:
    return Sample(
        value=value,
        quality=Quality.BAD if value is None else QUALITIES[quality],
        source_time=time,
        hub_time=time + delay,
    )


def bucket_width_ms(from_ms: int, to_ms: int, points: int) -> int:
    """Return the narrowest width with which aligned buckets cover the span in at most `points` (≥ 2)."""
    for width in _WIDTHS_MS:
        if (to_ms - 1) // width - from_ms // width < points:
            return width
    width = _WIDTHS_MS[-1]
    while (to_ms - 1) // width - from_ms // width >= points:
        width *= 2
    return width


def check_span(from_ms: int, to_ms: int) -> None:
    """Raise QueryRefused unless the span is one."""
    if not 0 <= from_ms < to_ms <= MAX_TIME_MS:
        raise QueryRefused(
            f"the span from {from_ms} to {to_ms} is empty or no time; `from` must be before `to`"
        )


def parse_cursor(text: str) -> tuple[int, int]:
    """Read a cursor that this store made. Raises QueryRefused."""
    found = re.fullmatch(r"([0-9]{1,16})-([0-9]{1,18})", text)
    if found is None:
        raise QueryRefused(f"the cursor {text[:40]!r} is not one this hub gave; start again without it")
    return int(found[1]), int(found[2])
