"""Which devices and metrics a subscriber wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=128)]
Names: TypeAlias = Annotated[
    tuple[Name, ...], msgspec.Meta(max_length=64, description="May be given several times; none means all")
]


class Filter(msgspec.Struct, frozen=True):
    """Devices and metrics by name; an empty set stands for all. Equal filters share what is encoded."""

    devices: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()

    @classmethod
    def of(cls, devices: Iterable[str], metrics: Iterable[str]) -> Filter:
        """Make the filter of a query."""
        return cls(frozenset(devices), frozenset(metrics))

    def takes_device(self, device: str | None) -> bool:
        """Return whether what concerns `device` is wanted; what concerns none always is."""
        return not self.devices or device is None or device in self.devices

    def takes(self, device: str, metrics: Iterable[str]) -> bool:
        """Return whether one of `metrics` of `device` is wanted."""
        return self.takes_device(device) and (not self.metrics or not self.metrics.isdisjoint(metrics))
