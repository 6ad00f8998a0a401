"""Several metrics on one grid of time: buckets side by side, or samples joined by their times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from hub.store.queries import history
from hub.store.queries.budget import QueryRefused
from hub.store.queries.table import Table, table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.store.format.columns import Ints
    from hub.store.format.summary import Summary
    from hub.store.queries.series import Series

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
    """Samples of several metrics by time; `next` is the cursor to what follows, None at the end."""

    table: Table
    next: str | None

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """A time and then each metric's value and quality, both None where it has no sample then."""
        return list(self.table)


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
    some = [history.first(series, time, to_ms, given, limit) for series in found]
    # Past the last row of a metric that may have more, the other metrics' rows would lack its samples.
    ends = [of.times[-1] for of, given_of_it in some if len(of.times) > given_of_it + limit]
    table = table_of([of for of, _ in some])
    if ends:
        table = table.cut(0, int(np.searchsorted(table.times, min(ends), "right")))
    given = min(given, int(np.searchsorted(table.times, time, "right")))
    stop, following = history.page_end(table.times, given, limit)
    return Joined(table.cut(given, stop), following)


def check_cells(metrics: int, rows: int, parameter: str) -> None:
    """Raise QueryRefused for an answer that is too large."""
    if not 1 <= metrics <= MAX_METRICS:
        raise QueryRefused(f"`metric`: {metrics} metrics; one answer has 1 to {MAX_METRICS}", "metric")
    if rows < 1 or rows > history.MAX_POINTS or metrics * rows > MAX_CELLS:
        most = min(history.MAX_POINTS, MAX_CELLS // metrics)
        raise QueryRefused(
            f"`{parameter}` is {rows}; for {metrics} metrics it must be 1 to {most}", parameter
        )
