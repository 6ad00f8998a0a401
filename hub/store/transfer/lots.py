"""Samples of a metric on their way into the store from elsewhere, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.model import Kind
from hub.store.format.chunk import Group
from hub.store.format.hotlog import storable
from hub.store.writing.samples import MAX_TIME_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.model import Value


class Tally(msgspec.Struct):
    """What came of one metric."""

    unit: str = ""
    new: int = 0
    known: int = 0
    """Already there, or twice in what is imported."""
    first_ms: int = MAX_TIME_MS
    last_ms: int = 0
    kinds: set[type] = msgspec.field(default_factory=set)

    def saw(self, values: Iterable[Value]) -> None:
        """Note of which types values are; a null is of all."""
        self.kinds.update(map(type, values))
        self.kinds.discard(type(None))

    @property
    def kind(self) -> Kind:
        """The kind of its values so far."""
        if self.kinds == {bool}:
            return Kind.BOOLEAN
        return Kind.NUMBER if self.kinds <= {int, float, bool} else Kind.TEXT


def both(one: Kind, other: Kind) -> Kind:
    """Return the kind of a metric with values of two kinds."""
    if one is other:
        return one
    return Kind.NUMBER if {one, other} == {Kind.NUMBER, Kind.BOOLEAN} else Kind.TEXT


class Lot(msgspec.Struct):
    """Samples of one metric, as they came."""

    times: list[int]
    values: list[Value]
    qualities: list[int]
    twins: bool = False
    """Of one time there may be several, as boards store them."""


def ordered(lot: Lot) -> Group:
    """Return a lot in order of time, and unless there may be twins each time once, the first of it."""
    times = np.array(lot.times, dtype=np.int64)
    qualities = np.array(lot.qualities, dtype=np.uint8)
    values = storable(lot.values)
    if (times[1:] <= times[:-1]).any():
        if lot.twins:
            places = np.argsort(times, kind="stable")
            times = times[places]
        else:
            times, places = np.unique(times, return_index=True)
        qualities = qualities[places]
        values = [values[place] for place in places.tolist()]
    return Group(0, times, qualities if qualities.any() else None, [values])


def without(group: Group, known: set[int]) -> Group:
    """Return a group of one metric without the samples of some times."""
    places = [place for place, time in enumerate(group.times.tolist()) if time not in known] if known else []
    if not known or len(places) == len(group.times):
        return group
    qualities = None if group.qualities is None else group.qualities[places]
    return Group(group.shape, group.times[places], qualities, [[group.columns[0][place] for place in places]])
