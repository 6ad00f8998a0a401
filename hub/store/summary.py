"""What is left of samples in a span: min, max, total, count, last; and the state's time, for booleans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from hub.store.columns import Floats, Ints, scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hub.store.chunk import Piece


class Summary(msgspec.Struct, frozen=True):
    """One row a span that holds samples, in order of time; spans do not overlap.

    `held` is the integral of the value over time (value · ms), from the first sample to the last, each
    value holding until the next sample: for a boolean the milliseconds that it was true.
    """

    low: Floats
    high: Floats
    total: Floats
    count: Ints
    last: Floats
    first_ms: Ints
    last_ms: Ints
    held: Floats

    def __len__(self) -> int:
        """Return how many spans there are."""
        return len(self.count)

    def at(self, places: npt.NDArray[np.intp] | slice) -> Summary:
        """Return the spans of those places."""
        return Summary(*(getattr(self, name)[places] for name in Summary.__struct_fields__))


def of_samples(times: Ints, values: Floats) -> Summary:
    """Return samples, in order of time, as spans of one each."""
    ones = np.ones(len(times), dtype=np.int64)
    return Summary(values, values, values, ones, values, times, times, np.zeros(len(times)))


def of_pieces(pieces: Sequence[Piece]) -> Summary:
    """Return the numbers (booleans as 0 and 1) among the samples of one window, in order of time."""
    found = []
    for piece in pieces:
        places, values = piece.column.numbers()
        found.append((piece.times if places is None else piece.times[places], values))
    if len(found) == 1:
        return of_samples(*found[0])
    times = np.concatenate([times for times, _ in found])
    values = np.concatenate([values for _, values in found])
    order = np.argsort(times, kind="stable")
    return of_samples(times[order], values[order])


def joined(parts: Iterable[Summary]) -> Summary:
    """Put spans behind each other; the caller has them in order."""
    found = list(parts)
    if len(found) == 1:
        return found[0]
    if not found:
        return of_samples(np.zeros(0, dtype=np.int64), np.zeros(0))
    return Summary(
        *(np.concatenate([getattr(part, name) for part in found]) for name in Summary.__struct_fields__)
    )


def gathered(fine: Summary, buckets: Ints) -> tuple[Ints, Summary]:
    """Gather spans into the buckets whose numbers are given, ascending; return the numbers and the spans."""
    if not len(fine):
        return buckets, fine
    starts = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
    ends = np.append(starts[1:], len(buckets)) - 1
    between = np.zeros(len(fine))
    between[1:] = (fine.first_ms[1:] - fine.last_ms[:-1]) * fine.last[:-1]
    between[starts] = 0.0
    return buckets[starts], Summary(
        np.minimum.reduceat(fine.low, starts),
        np.maximum.reduceat(fine.high, starts),
        _totals(fine.total, starts),
        np.add.reduceat(fine.count, starts),
        fine.last[ends],
        fine.first_ms[starts],
        fine.last_ms[ends],
        np.add.reduceat(fine.held + between, starts),
    )


def _totals(totals: Floats, starts: npt.NDArray[np.intp]) -> Floats:
    """Add floats of few decimals as integers, which is exact; others as they are."""
    with np.errstate(over="ignore"):
        plain: Floats = np.add.reduceat(totals, starts)
    decimal = scaled(totals)
    if decimal is None or float(np.abs(decimal[1], dtype=np.float64).sum()) >= 2.0**53:
        return plain
    exact: Floats = np.add.reduceat(decimal[1], starts) / 10.0 ** decimal[0]
    return exact
