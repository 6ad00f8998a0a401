"""Questions about samples: raw pages, buckets for charts, and the last of each metric."""

from __future__ import annotations

import heapq
import json
import re
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

from hub.model import Quality, Sample, Value
from hub.store.reader import QueryRefused
from hub.store.samples import MAX_TIME_MS, QUALITIES, clean, decode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

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


def raw(
    connection: sqlite3.Connection,
    device: str,
    metric: str,
    from_ms: int,
    to_ms: int,
    *,
    limit: int,
    after: str | None,
) -> Page:
    """Return samples of `from_ms <= time < to_ms`, at most `limit`, from `after` on. Raises QueryRefused."""
    check_span(from_ms, to_ms)
    if not 1 <= limit <= MAX_ROWS:
        raise QueryRefused(f"`limit` is {limit}; it must be 1 to {MAX_ROWS}")
    time, identity = parse_cursor(after) if after is not None else (from_ms, 0)
    if time < from_ms:
        time, identity = from_ms, 0
    # One cursor a shape, each in order by the index; merged they need no sorting.
    found = heapq.merge(
        *(
            _raw_of(connection, shape, place, (time, identity), to_ms, limit + 1)
            for shape, place in _shapes(connection, device, metric)
        ),
        key=itemgetter(0, 1),
    )
    rows = list(islice(found, limit + 1))
    page = [Row(at, value, quality) for at, _, value, quality in rows[:limit]]
    return Page(page, f"{rows[limit - 1][0]}-{rows[limit - 1][1]}" if len(rows) > limit else None)


def _raw_of(
    connection: sqlite3.Connection, shape: int, place: int, after: tuple[int, int], to_ms: int, limit: int
) -> Iterator[tuple[int, int, Value, Quality]]:
    rows = connection.execute(
        "SELECT time, id, quality, data FROM reading WHERE shape = ? AND time < ? AND (time, id) > (?, ?)"
        " ORDER BY time, id LIMIT ?",
        (shape, to_ms, *after, limit),
    )
    for time, identity, quality, data in rows:
        value = decode(data)[place]
        yield time, identity, value, Quality.BAD if value is None else QUALITIES[quality]


def _shapes(connection: sqlite3.Connection, device: str, metric: str) -> list[tuple[int, int]]:
    """Return the shapes that hold a metric, each with its place there."""
    rows = connection.execute(
        "SELECT shape.id, min(key) FROM shape, json_each(metrics)"
        " WHERE device = ? AND value = ? GROUP BY shape.id",
        (clean(device), clean(metric)),
    )
    return rows.fetchall()


def buckets(
    connection: sqlite3.Connection, device: str, metric: str, from_ms: int, to_ms: int, points: int
) -> list[Bucket]:
    """Return at most `points` buckets over `from_ms <= time < to_ms`, empty ones left out.

    They are as wide as a clock's divisions (1, 2, 5, 10 s, …) and line up with UTC, so that a chart which
    moves on sees the same buckets again. A single point covers exactly the span.
    Raises QueryRefused.
    """
    check_span(from_ms, to_ms)
    if not 1 <= points <= MAX_POINTS:
        raise QueryRefused(f"`points` is {points}; it must be 1 to {MAX_POINTS}")
    shapes = _shapes(connection, device, metric)
    width = to_ms - from_ms if points == 1 else bucket_width_ms(from_ms, to_ms, points)
    found: list[Bucket] = []
    at = _next_time(connection, shapes, from_ms, to_ms)
    while at is not None:
        start = from_ms if points == 1 else at - at % width
        end = min(start + width, to_ms)
        parts = [_numbers(connection, *shape, at, end) for shape in shapes]
        parts = [part for part in parts if part[3]]
        if parts:
            lowest, highest, totals, counts = zip(*parts, strict=True)
            count = sum(counts)
            found.append(Bucket(start, min(lowest), max(highest), sum(totals) / count, count))
        # The next sample tells the next bucket, so that a long silence costs nothing.
        at = _next_time(connection, shapes, end, to_ms)
    return found


def _numbers(
    connection: sqlite3.Connection, shape: int, place: int, from_ms: int, to_ms: int
) -> tuple[float, float, float, int]:
    """Return min, max, total and count of a span's numbers; SQLite computes them outside Python's lock."""
    row: tuple[float, float, float, int] = connection.execute(
        "SELECT min(value), max(value), total(value), count(value) FROM ("
        " SELECT CASE WHEN json_type(data, ?1) IN ('integer', 'real', 'true', 'false')"
        " THEN json_extract(data, ?1) END AS value"
        " FROM reading WHERE shape = ?2 AND time >= ?3 AND time < ?4)",
        (f"$[{place}]", shape, from_ms, to_ms),
    ).fetchone()
    return row


def _next_time(
    connection: sqlite3.Connection, shapes: list[tuple[int, int]], from_ms: int, to_ms: int
) -> int | None:
    times = [
        connection.execute(
            "SELECT min(time) FROM reading WHERE shape = ? AND time >= ? AND time < ?",
            (shape, from_ms, to_ms),
        ).fetchone()[0]
        for shape, _ in shapes
    ]
    return min((time for time in times if time is not None), default=None)


def latest(connection: sqlite3.Connection) -> dict[str, dict[str, Sample]]:
    """Return each device's last sample of each metric, by source time."""
    rows = connection.execute(
        "SELECT device, metrics, time, delay, quality, data FROM shape JOIN reading ON reading.id ="
        " (SELECT id FROM reading WHERE shape = shape.id ORDER BY time DESC, id DESC LIMIT 1)"
        " ORDER BY time, reading.id"
    )
    found: dict[str, dict[str, Sample]] = {}
    for device, metrics, time, delay, number, data in rows:
        for metric, value in zip(json.loads(metrics), decode(data), strict=True):
            quality = Quality.BAD if value is None else QUALITIES[number]
            sample = Sample(value=value, quality=quality, source_time=time, hub_time=time + delay)
            found.setdefault(device, {})[metric] = sample
    return found


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
