"""Which buckets of metrics hold samples that are not good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.model import Quality
from hub.store.format.hotlog import QUALITIES
from hub.store.queries import history
from hub.store.queries.grid import check_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.store.format.chunk import Piece
    from hub.store.format.columns import Ints
    from hub.store.queries.series import Series

_BAD = QUALITIES.index(Quality.BAD)


class Doubts(msgspec.Struct, frozen=True):
    """Buckets by their starts (UTC ms), ascending; of each metric its worst quality there, None: all good."""

    width_ms: int
    times: list[int]
    worst: list[list[Quality | None]]


def doubts(found: Sequence[Series], from_ms: int, to_ms: int, points: int) -> Doubts:
    """Return the buckets, on the grid of `grid.grid`, in which a metric has a sample that is not good.

    A sample without a value is bad. Rollups do not know of quality, so only what raw samples tell is found.
    Raises QueryRefused.
    """
    history.check_span(from_ms, to_ms)
    check_cells(len(found), points, "points")
    origin, width_ms = history.grid_of(from_ms, to_ms, points)
    each = [_worst(series, from_ms, to_ms, origin, width_ms) for series in found]
    numbers = sorted(set().union(*each))
    worst = [[QUALITIES[own[at]] if at in own else None for at in numbers] for own in each]
    return Doubts(width_ms, [at * width_ms + origin for at in numbers], worst)


def _worst(series: Series, from_ms: int, to_ms: int, origin: int, width_ms: int) -> dict[int, int]:
    """Return by the number of a bucket the number of its worst quality, where that is not good."""
    worst: dict[int, int] = {}
    for _, pieces in series.pieces(from_ms, to_ms):
        for piece in pieces:
            qualities = _qualities(piece)
            if qualities is None:
                continue
            places = np.flatnonzero(qualities)
            buckets = (piece.times[places] - origin) // width_ms
            for bucket, quality in zip(buckets.tolist(), qualities[places].tolist(), strict=True):
                worst[bucket] = max(quality, worst.get(bucket, 0))
    return worst


def _qualities(piece: Piece) -> Ints | None:
    """Return a quality a sample, None where all are good."""
    nulls = piece.column.nulls()
    if nulls is None and piece.qualities is None:
        return None
    given = (
        np.zeros(len(piece.times), np.int64) if piece.qualities is None else piece.qualities.astype(np.int64)
    )
    if nulls is not None:
        given[nulls] = _BAD
    return given
