"""Questions about samples: raw pages, buckets for charts, and the last of each metric."""

from __future__ import annotations

import json
from itertools import starmap
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.model import Quality, Sample, Value
from hub.store.format import summary
from hub.store.format.hotlog import QUALITIES
from hub.store.format.tiers import TIERS
from hub.store.queries.budget import QueryRefused
from hub.store.queries.cursors import parse_cursor
from hub.store.queries.series import piece_until
from hub.store.queries.table import Table, merged, table_of
from hub.store.writing.rollup import coarser, cover
from hub.store.writing.samples import MAX_TIME_MS

if TYPE_CHECKING:
    import sqlite3

    from hub.store.format.chunk import Piece
    from hub.store.format.columns import Ints
    from hub.store.format.summary import Summary
    from hub.store.queries.series import Series
    from hub.store.writing.recent import Recent

MAX_ROWS = 10_000
"""The most rows of one page."""
MAX_POINTS = 10_000
"""The most buckets of one answer."""

_PARTS = 512
"""As many parts of an answer are gathered before more are opened."""

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

    table: Table
    next: str | None

    @property
    def rows(self) -> list[Row]:
        """The samples as rows."""
        return list(starmap(Row, self.table))


def raw(series: Series, from_ms: int, to_ms: int, *, limit: int, after: str | None) -> Page:
    """Return samples of `from_ms <= time < to_ms`, at most `limit`, from `after` on. Raises QueryRefused."""
    check_span(from_ms, to_ms)
    if not 1 <= limit <= MAX_ROWS:
        raise QueryRefused(f"`limit` is {limit}; it must be 1 to {MAX_ROWS}", "limit")
    time, given = beginning(from_ms, after)
    found, given = first(series, time, to_ms, given, limit)
    end, following = page_end(found.times, given, limit)
    return Page(table_of([found]).cut(given, end), following)


def first(series: Series, time: int, to_ms: int, given: int, limit: int) -> tuple[Piece, int]:
    """Return the first samples from `time` on: those given, a page and more where there is more.

    All of the last row's time are there. And how many are given really: a cursor may say that it gave more
    than there are of its time. Raises QueryRefused.
    """
    found: list[Piece] = []
    count = 0
    for _, pieces in series.pieces(time, to_ms) if time < to_ms else ():
        if not found:
            given = min(given, sum(int(np.searchsorted(piece.times, time, "right")) for piece in pieces))
        window = _earliest(pieces, given + limit + 1 - count)
        found += window
        count += sum(len(piece.times) for piece in window)
        if count > given + limit:
            break
    return merged(found), min(given, count)


def beginning(from_ms: int, after: str | None) -> tuple[int, int]:
    """Return the time at which a page begins, and how many samples of it were given. Raises QueryRefused."""
    time, given = parse_cursor(after) if after is not None else (from_ms, 0)
    return (from_ms, 0) if time < from_ms else (time, given)


def page_end(times: Ints, given: int, limit: int) -> tuple[int, str | None]:
    """Return where a page of rows of these times ends, and the cursor to what follows.

    It ends with a millisecond, so that neither samples that come later nor sealing, which may put those of
    one millisecond in another order, make pages repeat or skip. Only a millisecond that fills a page by
    itself is cut; the cursor says how many of its samples were given.
    """
    end = given + limit
    if len(times) <= end:
        return len(times), None
    whole = int(np.searchsorted(times, times[end]))
    if whole > given:
        return whole, f"{int(times[whole - 1]) + 1}-0"
    return end, f"{int(times[end])}-{end - whole}"


def _earliest(pieces: list[Piece], count: int) -> list[Piece]:
    """Leave out what cannot be among the first `count` samples, before it is made into rows."""
    if sum(len(piece.times) for piece in pieces) <= count:
        return pieces
    times = np.concatenate([piece.times for piece in pieces])
    last = int(np.partition(times, count - 1)[count - 1])
    return [cut for piece in pieces if (cut := piece_until(piece, last + 1)) is not None]


def rows_of(pieces: list[Piece]) -> list[Row]:
    """Return the samples of one window by time; of one time in the order of the pieces."""
    return list(starmap(Row, table_of([merged(pieces)])))


def buckets(series: Series, from_ms: int, to_ms: int, points: int) -> list[Bucket]:
    """Return at most `points` buckets over `from_ms <= time < to_ms`, empty ones left out.

    They are as wide as a clock's divisions (1, 2, 5, 10 s, …) and line up with UTC, so that a chart which
    moves on sees the same buckets again. A single point covers exactly the span.
    Raises QueryRefused.
    """
    check_span(from_ms, to_ms)
    if not 1 <= points <= MAX_POINTS:
        raise QueryRefused(f"`points` is {points}; it must be 1 to {MAX_POINTS}", "points")
    starts, spans = spans_of(series, from_ms, to_ms, points)
    return [
        Bucket(start, low, high, total / count, count)
        for start, low, high, total, count in zip(
            starts.tolist(),
            spans.low.tolist(),
            spans.high.tolist(),
            spans.total.tolist(),
            spans.count.tolist(),
            strict=True,
        )
    ]


def spans_of(series: Series, from_ms: int, to_ms: int, points: int) -> tuple[Ints, Summary]:
    """Return the starts (UTC ms) of the buckets that hold numbers, and what these come to; see `buckets`."""
    origin, width = grid_of(from_ms, to_ms, points)
    # A single point may end in the middle of any tier's buckets; others end where finer buckets do.
    choice = [tier for tier in TIERS if points == 1 or width % tier.width_ms == 0]
    found: list[tuple[Ints, Summary]] = []
    for starts, spans in cover(series, from_ms, to_ms, choice):
        found.append(summary.gathered(spans, (starts - origin) // width))
        if len(found) >= _PARTS:
            found = [_gathered(found)]
    numbers, spans = _gathered(found)
    until_ms = int(spans.first_ms[0]) if len(spans) else to_ms
    gone = coarser(series, from_ms, until_ms, choice)
    if gone:
        before = [(summary.gathered(part, (starts - origin) // width)) for starts, part in gone]
        numbers, spans = _gathered([*before, (numbers, spans)])
    return numbers * width + origin, spans


def _gathered(found: list[tuple[Ints, Summary]]) -> tuple[Ints, Summary]:
    numbers = np.concatenate([numbers for numbers, _ in found]) if found else np.zeros(0, dtype=np.int64)
    return summary.gathered(summary.joined(part for _, part in found), numbers)


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


def grid_of(from_ms: int, to_ms: int, points: int) -> tuple[int, int]:
    """Return where buckets begin and how wide they are, in ms: in step with UTC, a single one as the span."""
    return (from_ms, to_ms - from_ms) if points == 1 else (0, bucket_width_ms(from_ms, to_ms, points))


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
            f"the span from {from_ms} to {to_ms} is empty or no time; `from` must be before `to`",
            "from",
        )
