"""Questions about samples: raw pages, buckets for charts, and the last of each metric."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from hub.model import Quality, Sample, Value
from hub.store.reader import QueryRefused
from hub.store.samples import MAX_TIME_MS, decode

if TYPE_CHECKING:
    import sqlite3

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
    rows = connection.execute(
        "SELECT time, id, value, flags FROM sample"
        " WHERE series = (SELECT id FROM series WHERE device = ? AND metric = ?)"
        " AND time < ? AND (time, id) > (?, ?) ORDER BY time, id LIMIT ?",
        (device, metric, to_ms, max(time, from_ms), identity if time >= from_ms else 0, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    page = [Row(at, *decode(value, flags)) for at, _, value, flags in rows[:limit]]
    return Page(page, f"{rows[limit - 1][0]}-{rows[limit - 1][1]}" if more else None)


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
    series = connection.execute(
        "SELECT id FROM series WHERE device = ? AND metric = ?", (device, metric)
    ).fetchone()
    if series is None:
        return []
    width = to_ms - from_ms if points == 1 else bucket_width_ms(from_ms, to_ms, points)
    found: list[Bucket] = []
    at: int | None = from_ms
    while at is not None:
        start = from_ms if points == 1 else at - at % width
        row = connection.execute(
            "SELECT min(value), max(value), avg(value), count(value) FROM sample WHERE series = ?"
            " AND time >= ? AND time < ? AND typeof(value) IN ('integer', 'real')",
            (series[0], max(start, from_ms), min(start + width, to_ms)),
        ).fetchone()
        if row[3]:
            found.append(Bucket(start, *row))
        # The next sample tells the next bucket, so that a long silence costs nothing.
        at = connection.execute(
            "SELECT min(time) FROM sample WHERE series = ? AND time >= ? AND time < ?",
            (series[0], start + width, to_ms),
        ).fetchone()[0]
    return found


def latest(connection: sqlite3.Connection) -> dict[str, dict[str, Sample]]:
    """Return each device's last sample of each metric, by source time."""
    rows = connection.execute(
        "SELECT device, metric, time, delay, value, flags FROM series JOIN sample ON sample.id ="
        " (SELECT id FROM sample WHERE series = series.id ORDER BY time DESC, id DESC LIMIT 1)"
    )
    found: dict[str, dict[str, Sample]] = {}
    for device, metric, time, delay, stored, flags in rows:
        value, quality = decode(stored, flags)
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
