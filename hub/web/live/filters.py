"""Which devices and metrics a subscriber wants, and how often."""

from __future__ import annotations

import fnmatch
import re
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.model import Scope

Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=128)]
Names: TypeAlias = Annotated[
    tuple[Name, ...],
    msgspec.Meta(
        max_length=64,
        description="A name, or a pattern with * and ?. May be given several times; none means all",
    ),
]


_KEPT = 128
"""Of so many kinds of readings a filter remembers what it lets through."""


class NameSet(msgspec.Struct, frozen=True, dict=True):
    """A set of names and patterns; an empty one takes every name."""

    given: frozenset[str] = frozenset()

    def take(self, name: str) -> bool:
        """Return whether `name` is one of them."""
        if not self.given or name in self.given:
            return True
        return self._pattern is not None and self._pattern.match(name) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        # fnmatch's own translation cannot be made to backtrack without end; its [] are not offered.
        texts = [
            fnmatch.translate(given.replace("[", "[[]"))
            for given in sorted(self.given)
            if "*" in given or "?" in given
        ]
        return re.compile("|".join(texts)) if texts else None


class Reach(msgspec.Struct, frozen=True):
    """The devices, cameras among them, that a caller may know of."""

    whole: bool = True
    """All of them, whatever follows."""
    named: NameSet = NameSet()
    """By id or pattern; an empty set takes none here."""
    tagged: frozenset[str] = frozenset()
    """The ids of those with one of the tags."""

    @classmethod
    def of(cls, scope: Scope, tagged: Iterable[str] = ()) -> Reach:
        """Make the reach of a scope, of whose tags are the devices `tagged`."""
        if scope.whole:
            return EVERYWHERE
        return cls(False, NameSet(frozenset(scope.devices)), frozenset(tagged))

    def includes(self, device: str) -> bool:
        """Return whether a device is within reach."""
        if self.whole or device in self.tagged:
            return True
        return bool(self.named.given) and self.named.take(device)


EVERYWHERE = Reach()


class Filter(msgspec.Struct, frozen=True, dict=True):
    """Devices and metrics by name or pattern, and a bound on the rate; equal ones share what is encoded.

    What is out of the subscriber's reach is out of the filter too.
    """

    devices: NameSet = NameSet()
    metrics: NameSet = NameSet()
    max_hz: float | None = None
    """So many times a second, at most: of each metric the latest sample alone."""
    reach: Reach = EVERYWHERE

    @classmethod
    def of(
        cls,
        devices: Iterable[str],
        metrics: Iterable[str],
        max_hz: float | None = None,
        reach: Reach = EVERYWHERE,
    ) -> Filter:
        """Make the filter of a query."""
        return cls(NameSet(frozenset(devices)), NameSet(frozenset(metrics)), max_hz, reach)

    def takes_device(self, device: str | None) -> bool:
        """Return whether what concerns `device` is wanted; what concerns none is, by who may know all."""
        if device is None:
            return self.reach.whole
        return self.devices.take(device) and self.reach.includes(device)

    def picks(self, device: str, metrics: tuple[str, ...]) -> tuple[int, ...]:
        """Return at which places of `metrics` those of `device` stand that are wanted."""
        # A device says the same metrics again and again: names and patterns are looked at once.
        picked = self._picked.get((device, metrics))
        if picked is None:
            takes = self.metrics.take if self.takes_device(device) else _none
            picked = tuple(place for place, metric in enumerate(metrics) if takes(metric))
            if len(self._picked) >= _KEPT:
                self._picked.clear()
            self._picked[device, metrics] = picked
        return picked

    @cached_property
    def _picked(self) -> dict[tuple[str, tuple[str, ...]], tuple[int, ...]]:
        return {}


def _none(_name: str) -> bool:
    return False
