"""Several metrics on one grid of time: buckets side by side, or samples joined by their times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.store import history
from hub.store.budget import QueryRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.model import Quality, Value
    from hub.store.columns import Ints
    from hub.store.series import Series
    from hub.store.summary import Summary

MAX_METRICS = 64
"""The most metrics of one answer."""
MAX_CELLS = 50_000
"""The most buckets, or samples, of one answer: metrics times points, or times rows."""


class Grid(msgspec.Struct, frozen=True):
    """Buckets of several metrics. `times` are the starts (UTC ms) at which one of them has a bucket."""

    width_ms: int
    times: Ints
    parts: list[tuple[Ints, Summary]]
    """For each metric the places in `times` at which it has a bucket, and these."""


class Joined(msgspec.Struct, frozen=True):
    """Samples of several metrics by time; `next` is the cursor to what follows, None at the end.

    A row is a time and each metric's value and quality, both None where it has no sample then.
    """

    rows: list[tuple[int, list[Value | Quality]]]
    next: str | None


def grid(found: Sequence[Series], from_ms: int, to_ms: int, points: int) -> Grid:
    """Return at most `points` buckets of each metric, which line up. Raises QueryRefused."""
    history.check_span(from_ms, to_ms)
    check_cells(len(found), points, "points")
    _, width_ms = history.grid_of(from_ms, to_ms, points)
    spans = [history.spans_of(series, from_ms, to_ms, points) for series in found]
    times = np.unique(np.concatenate([starts for starts, _ in spans]))
    return Grid(width_ms, times, [(np.searchsorted(times, starts), part) for starts, part in spans])


def joined(found: Sequence[Series], from_ms: int, to_ms: int, *, limit: int, after: str | None) -> Joined:
    """Return samples of `from_ms <= time < to_ms`, at most `limit` rows, from `after` on.

    Of a time that a metric has more than once, the first samples of all stand in one row, then the second.
    Raises QueryRefused.
    """
    history.check_span(from_ms, to_ms)
    check_cells(len(found), limit, "limit")
    time, given = history.beginning(from_ms, after)
    rows: dict[tuple[int, int], list[Value | Quality]] = {}
    end: int | None = None
    for place, series in enumerate(found):
        some, given_of_it = history.first_rows(series, time, to_ms, given, limit)
        if len(some) > given_of_it + limit:
            # There may be more; past it the other metrics' rows would lack its samples.
            end = some[-1].time if end is None else min(end, some[-1].time)
        before, again = -1, 0
        for row in some:
            again = again + 1 if row.time == before else 0
            before = row.time
            cells = rows.setdefault((row.time, again), [None] * (2 * len(found)))
            cells[2 * place], cells[2 * place + 1] = row.value, row.quality
    keys = sorted(key for key in rows if end is None or key[0] <= end)
    given = min(given, sum(1 for key in keys if key[0] == time))
    stop, following = history.page_end([of for of, _ in keys], given, limit)
    return Joined([(key[0], rows[key]) for key in keys[given:stop]], following)


def check_cells(metrics: int, rows: int, parameter: str) -> None:
    """Raise QueryRefused for an answer that is too large."""
    if not 1 <= metrics <= MAX_METRICS:
        raise QueryRefused(f"`metric`: {metrics} metrics; one answer has 1 to {MAX_METRICS}", "metric")
    if rows < 1 or rows > history.MAX_POINTS or metrics * rows > MAX_CELLS:
        most = min(history.MAX_POINTS, MAX_CELLS // metrics)
        raise QueryRefused(
            f"`{parameter}` is {rows}; for {metrics} metrics it must be 1 to {most}", parameter
        )
