"""Means by time: each value weighs as long as it held; of a boolean, how much of the time it was true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.store.format import summary
from hub.store.format.summary import Summary  # noqa: TC001 - msgspec resolves the fields' types
from hub.store.format.tiers import TIERS
from hub.store.queries.grid import check_cells
from hub.store.queries.history import check_span, grid_of
from hub.store.queries.holding import hold_ms
from hub.store.writing.rollup import coarser, cover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.store.format.columns import Floats, Ints
    from hub.store.queries.series import Series

_PARTS = 512
"""As many parts of an answer are gathered before more are opened."""


class Weighed(msgspec.Struct, frozen=True):
    """Buckets of one metric: their starts, what they come to, and their means by time."""

    starts: Ints
    spans: Summary
    means: Floats


def weighed(series: Series, from_ms: int, to_ms: int, points: int, until_ms: int) -> Weighed:
    """Return the buckets that `history.buckets` gives for the same, with means by time.

    A value holds until the next sample, at most as long as `holding.hold_ms` says, and not past `until_ms`,
    which is now. Raises QueryRefused.
    """
    origin, width_ms = grid_of(from_ms, to_ms, points)
    choice = [tier for tier in TIERS if points == 1 or width_ms % tier.width_ms == 0]
    hold = hold_ms(series.connection, series.device, series.metric)
    parts: list[tuple[Ints, Summary]] = []
    for starts, spans in cover(series, from_ms, to_ms, choice):
        parts.append(summary.gathered(spans, (starts - origin) // width_ms, hold))
        if len(parts) >= _PARTS:
            parts = [_gathered(parts, hold)]
    numbers, spans = _gathered(parts, hold)
    first_ms = int(spans.first_ms[0]) if len(spans) else to_ms
    gone = coarser(series, from_ms, first_ms, choice)
    if gone:
        before = [summary.gathered(part, (starts - origin) // width_ms, hold) for starts, part in gone]
        numbers, spans = _gathered([*before, (numbers, spans)], hold)
    means = summary.means_by_time(spans, numbers, (origin, width_ms), min(to_ms, until_ms), hold)
    return Weighed(numbers * width_ms + origin, spans, means)


def weighed_grid(
    found: Sequence[Series], from_ms: int, to_ms: int, points: int, until_ms: int
) -> tuple[Ints, list[tuple[Ints, Weighed]]]:
    """Return the times at which one has a bucket, and for each metric its places in them and its buckets.

    Raises QueryRefused.
    """
    check_span(from_ms, to_ms)
    check_cells(len(found), points, "points")
    parts = [weighed(series, from_ms, to_ms, points, until_ms) for series in found]
    times = np.unique(np.concatenate([part.starts for part in parts]))
    return times, [(np.searchsorted(times, part.starts), part) for part in parts]


def _gathered(parts: list[tuple[Ints, Summary]], hold: int) -> tuple[Ints, Summary]:
    numbers = np.concatenate([numbers for numbers, _ in parts]) if parts else np.zeros(0, dtype=np.int64)
    return summary.gathered(summary.joined(part for _, part in parts), numbers, hold)
