"""Means by time: each value weighs as long as it held; of a boolean, how much of the time it was true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hub.store import summary
from hub.store.history import grid_of
from hub.store.holding import hold_ms
from hub.store.rollup import cover
from hub.store.tiers import TIERS

if TYPE_CHECKING:
    from hub.store.columns import Floats, Ints
    from hub.store.series import Series


def means_by_time(series: Series, from_ms: int, to_ms: int, points: int) -> tuple[Ints, Floats]:
    """Return the starts of the buckets that `history.buckets` gives for the same, and their means by time.

    A value holds until the next sample, at most as long as `holding.hold_ms` says; `to_ms` must not lie in
    the future. Raises QueryRefused.
    """
    origin, width_ms = grid_of(from_ms, to_ms, points)
    choice = [tier for tier in TIERS if points == 1 or width_ms % tier.width_ms == 0]
    hold = hold_ms(series.connection, series.device, series.metric)
    parts = [
        summary.gathered(spans, (starts - origin) // width_ms, hold)
        for starts, spans in cover(series, from_ms, to_ms, choice)
    ]
    fine = summary.joined(part for _, part in parts)
    numbers = np.concatenate([numbers for numbers, _ in parts]) if parts else np.zeros(0, dtype=np.int64)
    found = summary.means_by_time(fine, numbers, (origin, width_ms), to_ms, hold)
    return np.unique(numbers) * width_ms + origin, found
