"""The store's workload: 20 devices of 10 metrics each at 1 Hz, half of them with 5 ms of jitter."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from hub.model import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.model import Value

DEVICES = 20
METRICS = (
    "temperature",
    "humidity",
    "pressure",
    "battery",
    "light",
    "vibration",
    "uptime",
    "door",
    "rssi",
    "moisture",
)
SAMPLES_PER_S = DEVICES * len(METRICS)


class _Device:
    """A fake device: values that walk, drift, swing and jump as those of real sensors do."""

    def __init__(self, number: int) -> None:
        self.name = f"device-{number:02d}"
        self._rng = random.Random(number)
        self._jitter = 5 if number % 2 else 0
        self._walk = [20.0, 50.0, 1013.0, 3.9, 400.0, 0.0, 35.0]
        self._door = False

    def reading(self, second: int, start_ms: int, boot: str | None) -> Reading:
        rng = self._rng
        walk = self._walk
        walk[0] += rng.gauss(0, 0.01)
        walk[1] += rng.gauss(0, 0.03)
        walk[2] += rng.gauss(0, 0.005)
        walk[6] += rng.gauss(0, 0.01)
        self._door ^= rng.random() < 0.002
        values: tuple[Value, ...] = (
            round(walk[0], 2),
            round(walk[1], 1),
            round(walk[2], 2),
            round(3.9 - second * 1e-6, 3),
            round(400 + 300 * math.sin(second / 7000) + rng.gauss(0, 1)),
            round(rng.gauss(0, 0.02), 3),
            second,
            self._door,
            -60 + rng.randint(-2, 2),
            round(walk[6], 1),
        )
        time_ms = start_ms + second * 1000 + (rng.randint(-self._jitter, self._jitter) if self._jitter else 0)
        return Reading(
            device=self.name,
            metrics=METRICS,
            values=values,
            source_time_ms=time_ms,
            hub_time_ms=time_ms + rng.randint(5, 60),
            boot_id=boot,
            seq=None if boot is None else second,
        )


def readings(seconds: int, start_ms: int, boot: str | None = "b1") -> Iterator[list[Reading]]:
    """Yield each second's readings; with `boot` they come from outboxes, else from devices that have none."""
    devices = [_Device(number) for number in range(DEVICES)]
    for second in range(seconds):
        yield [device.reading(second, start_ms, boot) for device in devices]
