"""Samples of metrics side by side, as arrays: no object is made for a sample until one is asked for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from hub.model import Quality
from hub.store.format.chunk import Piece
from hub.store.format.columns import Column
from hub.store.format.hotlog import QUALITIES
from hub.store.format.joining import joined, reordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from hub.model import Value
    from hub.store.format.columns import Ints

_BAD = QUALITIES.index(Quality.BAD)
_NOTHING = Column(None, {0: []})


class Part(msgspec.Struct, frozen=True):
    """What a metric has in a table: values, and in which rows they stand (None: in all).

    `qualities` are their places in QUALITIES; None: all good.
    """

    column: Column
    qualities: npt.NDArray[np.uint8] | None
    places: Ints | None = None

    def cells(self, rows: int) -> tuple[list[Value], list[Quality | None]]:
        """Return values and qualities, None in rows where there is no sample."""
        values = self.column.values()
        qualities: list[Quality | None] = (
            [Quality.GOOD] * len(values)
            if self.qualities is None
            else [QUALITIES[code] for code in self.qualities.tolist()]
        )
        return (
            (values, qualities)
            if self.places is None
            else (
                spread(values, self.places, rows),
                spread(qualities, self.places, rows),
            )
        )

    def cut(self, begin: int, end: int) -> Part:
        """Return what stands in some of the rows."""
        places = self.places
        first, last = (begin, end) if places is None else np.searchsorted(places, (begin, end)).tolist()
        return Part(
            self.column.slice(first, last) if first < last else _NOTHING,
            None if self.qualities is None else self.qualities[first:last],
            None if places is None else places[first:last] - begin,
        )


class Table(msgspec.Struct, frozen=True):
    """Rows by time: a time, and then the value and the quality of each part, both None where it has none."""

    times: Ints
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.times)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row."""
        cells = [column for part in self.parts for column in part.cells(len(self.times))]
        return zip(self.times.tolist(), *cells, strict=True)

    def cut(self, begin: int, end: int) -> Table:
        """Return some of the rows."""
        end = min(end, len(self.times))
        begin = min(begin, end)
        if end - begin == len(self.times):
            return self
        return Table(self.times[begin:end], tuple(part.cut(begin, end) for part in self.parts))


def table_of(pieces: Sequence[Piece]) -> Table:
    """Return the samples of metrics side by side, those of one time in one row.

    Of a time that a metric has more than once, the first samples of all stand in one row, then the second.
    """
    times = pieces[0].times
    if all(piece.times is times or np.array_equal(piece.times, times) for piece in pieces[1:]):
        # As of one device's readings.
        return Table(times, tuple(_part(piece, None) for piece in pieces))
    again = [_again(piece.times) for piece in pieces]
    every = np.concatenate([piece.times for piece in pieces])
    if any(own.any() for own in again):
        pairs = np.stack((every, np.concatenate(again)), axis=1)
        rows, places = np.unique(pairs, axis=0, return_inverse=True)
        times = np.ascontiguousarray(rows[:, 0])
    else:
        times, places = np.unique(every, return_inverse=True)
    ends = np.cumsum([len(piece.times) for piece in pieces])
    owned = np.split(places.ravel(), ends[:-1])
    return Table(times, tuple(_part(piece, own) for piece, own in zip(pieces, owned, strict=True)))


def merged(pieces: Sequence[Piece]) -> Piece:
    """Return the samples of one metric by time; of one time in the order of the pieces."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return Piece(np.zeros(0, dtype=np.int64), None, _NOTHING)
    times = np.concatenate([piece.times for piece in pieces])
    column = joined([piece.column for piece in pieces])
    qualities = None
    if any(piece.qualities is not None for piece in pieces):
        qualities = np.concatenate([_codes(piece) for piece in pieces])
    if all(before.times[-1] <= after.times[0] for before, after in pairwise(pieces)):
        return Piece(times, qualities, column)
    order = np.argsort(times, kind="stable")
    return Piece(times[order], None if qualities is None else qualities[order], reordered(column, order))


def spread(values: Sequence[Any], places: Ints, rows: int) -> list[Any]:
    """Return a column of so many cells, with values at their places and None elsewhere."""
    column: list[Any] = [None] * rows
    for place, value in zip(places.tolist(), values, strict=True):
        column[place] = value
    return column


def _part(piece: Piece, places: Ints | None) -> Part:
    nulls = piece.column.nulls()
    if nulls is None:
        return Part(piece.column, piece.qualities, places)
    return Part(piece.column, np.where(nulls, np.uint8(_BAD), _codes(piece)), places)


def _codes(piece: Piece) -> npt.NDArray[np.uint8]:
    return np.zeros(len(piece.times), dtype=np.uint8) if piece.qualities is None else piece.qualities


def _again(times: Ints) -> Ints:
    """Return for each sample which of its time it is."""
    if not len(times):
        return times
    places = np.arange(len(times))
    begins = np.concatenate(([True], times[1:] != times[:-1]))
    found: Ints = places - np.maximum.accumulate(np.where(begins, places, 0))
    return found
