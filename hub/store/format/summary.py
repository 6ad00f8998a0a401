"""What is left of samples in a span: min, max, total, count, last, and the value's integral over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from hub.store.format.columns import Floats, Ints, scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hub.store.format.chunk import Piece


ALWAYS_MS = 1 << 53
"""A value holds until the next sample, however long that takes."""


class Summary(msgspec.Struct, frozen=True):
    """One row a span that holds samples, in order of time; spans do not overlap.

    `held` is the integral of the value over time (value · ms), from the first sample to the last, each
    value holding until the next sample, but no longer than the metric's `hold_ms`: for a boolean the
    milliseconds that it was true. `covered_ms` is how much of that time a value held.
    """

    low: Floats
    high: Floats
    total: Floats
    count: Ints
    last: Floats
    first_ms: Ints
    last_ms: Ints
    held: Floats
    covered_ms: Ints

    def __len__(self) -> int:
        """Return how many spans there are."""
        return len(self.count)

    def at(self, places: npt.NDArray[np.intp] | slice) -> Summary:
        """Return the spans of those places."""
        return Summary(*(getattr(self, name)[places] for name in Summary.__struct_fields__))


def of_samples(times: Ints, values: Floats) -> Summary:
    """Return samples, in order of time, as spans of one each."""
    ones, none = np.ones(len(times), dtype=np.int64), np.zeros(len(times), dtype=np.int64)
    return Summary(values, values, values, ones, values, times, times, np.zeros(len(times)), none)


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


def gathered(fine: Summary, buckets: Ints, hold_ms: int = ALWAYS_MS) -> tuple[Ints, Summary]:
    """Gather spans into the buckets whose numbers are given, ascending; return the numbers and the spans."""
    if not len(fine):
        return buckets, fine
    starts = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
    ends = np.append(starts[1:], len(buckets)) - 1
    bridged, between = np.zeros(len(fine), dtype=np.int64), np.zeros(len(fine))
    bridged[1:] = np.minimum(fine.first_ms[1:] - fine.last_ms[:-1], hold_ms)
    bridged[starts] = 0
    with np.errstate(over="ignore"):
        between[1:] = bridged[1:] * fine.last[:-1]
    return buckets[starts], Summary(
        np.minimum.reduceat(fine.low, starts),
        np.maximum.reduceat(fine.high, starts),
        _totals(fine.total, starts),
        np.add.reduceat(fine.count, starts),
        fine.last[ends],
        fine.first_ms[starts],
        fine.last_ms[ends],
        _totals(fine.held + between, starts),
        np.add.reduceat(fine.covered_ms + bridged, starts),
    )


def means_by_time(fine: Summary, buckets: Ints, grid: tuple[int, int], to_ms: int, hold_ms: int) -> Floats:
    """Return the mean of each bucket, weighted by how long each value held in it.

    `fine` in order of time, `buckets` the number of each span's bucket (ascending), `grid` where they begin
    and how wide they are. A value holds over their edges, but not past `to_ms`, and none is known before
    the first. Where no value held for a time, it is the bucket's last value.
    """
    origin, width_ms = grid
    if not len(fine):
        return np.zeros(0)
    numbers, spans = gathered(fine, buckets, hold_ms)
    begins = numbers * width_ms + origin
    ends = np.minimum(begins + width_ms, to_ms)
    following = np.append(spans.first_ms[1:], to_ms)
    reach = np.maximum(spans.last_ms, np.minimum(following, spans.last_ms + hold_ms))
    tail = np.maximum(0, np.minimum(reach, ends) - spans.last_ms)
    lead = np.zeros(len(spans), dtype=np.int64)
    lead[1:] = np.maximum(0, reach[:-1] - begins[1:])
    with np.errstate(over="ignore", invalid="ignore"):
        held = spans.held + tail * spans.last
        held[1:] += lead[1:] * spans.last[:-1]
        covered = spans.covered_ms + tail + lead
        found: Floats = np.where(covered > 0, held / np.maximum(covered, 1), spans.last)
    return found


def _totals(totals: Floats, starts: npt.NDArray[np.intp]) -> Floats:
    """Add floats of few decimals as integers, which is exact; others as they are."""
    with np.errstate(over="ignore"):
        plain: Floats = np.add.reduceat(totals, starts)
    decimal = scaled(totals)
    if decimal is None or float(np.abs(decimal[1], dtype=np.float64).sum()) >= 2.0**53:
        return plain
    exact: Floats = np.add.reduceat(decimal[1], starts) / 10.0 ** decimal[0]
    return exact
