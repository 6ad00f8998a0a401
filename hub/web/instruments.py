"""The samples that a camera's viewer may see beside the picture, from the bus and the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.bus import Batch, Bus
    from hub.camera.viewing.telemetry import Pick, Row
    from hub.devices import Registry


class LiveInstruments:
    """See hub.camera.telemetry.Instruments. `may_see` tells whether the viewer may read a device."""

    def __init__(self, registry: Registry, bus: Bus, may_see: Callable[[str], bool]) -> None:
        self._registry = registry
        self._bus = bus
        self._may_see = may_see

    def last(self, picks: Sequence[Pick]) -> list[Row]:
        """Give the last sample of each pick that is there."""
        rows: list[Row] = []
        for device, metric in picks:
            state = self._registry.get(device) if self._may_see(device) else None
            sample = state.latest.get(metric) if state is not None else None
            if sample is not None:
                rows.append((device, metric, sample.source_time, sample.value, sample.quality))
        return rows

    def subscribe(self, picks: Sequence[Pick], take: Callable[[list[Row]], None]) -> Callable[[], None]:
        """Call `take` with what comes of `picks`."""
        wanted: dict[str, set[str]] = {}
        for device, metric in picks:
            if self._may_see(device):
                wanted.setdefault(device, set()).add(metric)

        def deliver(batch: Batch) -> None:
            rows: list[Row] = [
                (reading.device, metric, reading.source_time_ms, value, reading.quality_of(value))
                for reading in batch.readings
                if reading.device in wanted
                for metric, value in zip(reading.metrics, reading.values, strict=True)
                if metric in wanted[reading.device]
            ]
            if rows:
                take(rows)

        return self._bus.subscribe(deliver)
