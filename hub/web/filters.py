"""Which devices and metrics a subscriber wants, and how often."""

from __future__ import annotations

import fnmatch
import re
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=128)]
Names: TypeAlias = Annotated[
    tuple[Name, ...],
    msgspec.Meta(
        max_length=64,
        description="A name, or a pattern with * and ?. May be given several times; none means all",
    ),
]


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


class Filter(msgspec.Struct, frozen=True):
    """Devices and metrics by name or pattern, and a bound on the rate; equal ones share what is encoded."""

    devices: NameSet = NameSet()
    metrics: NameSet = NameSet()
    max_hz: float | None = None
    """So many times a second, at most: of each metric the latest sample alone."""

    @classmethod
    def of(cls, devices: Iterable[str], metrics: Iterable[str], max_hz: float | None = None) -> Filter:
        """Make the filter of a query."""
        return cls(NameSet(frozenset(devices)), NameSet(frozenset(metrics)), max_hz)

    def takes_device(self, device: str | None) -> bool:
        """Return whether what concerns `device` is wanted; what concerns none always is."""
        return device is None or self.devices.take(device)

    def takes(self, device: str, metrics: Iterable[str]) -> bool:
        """Return whether one of `metrics` of `device` is wanted."""
        return self.takes_device(device) and any(map(self.metrics.take, metrics))
