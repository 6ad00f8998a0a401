"""What every board can measure of itself: free memory, uptime, core temperature, drops, and a sequence."""

import gc
import sys

from machine import ADC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from outbox import Outbox


NAMES = ("sequence", "uptime", "memory", "outbox_dropped", "core_temperature")
"""Of its metrics: no other driver's may have them."""


class Internal:
    """The board itself. `sequence` grows by one with each reading, so that a hole or a double is seen."""

    def __init__(self, now_ms: "Callable[[], int]", outbox: "Outbox") -> None:
        self.metrics: list[dict[str, Any]] = [
            {"name": "sequence", "title": "Sequence"},
            {"name": "uptime", "unit": "s", "title": "Uptime"},
            {"name": "memory", "unit": "B", "title": "Free memory"},
            {"name": "outbox_dropped", "title": "Readings dropped"},
        ]
        self._now_ms = now_ms
        self._outbox = outbox
        self._sequence = 0
        self._adc = _core_adc()
        if self._adc is not None:
            self.metrics.append(
                {"name": "core_temperature", "unit": "\u00b0C", "decimals": 1, "title": "Core temperature"}
            )

    def begin(self) -> int:
        """Collect garbage, so that free memory means something."""
        gc.collect()
        return 0

    def read(self) -> "list[int | None]":
        """Return the values."""
        values: list[int | None] = [
            self._sequence,
            self._now_ms() // 1000,
            gc.mem_free(),
            self._outbox.dropped,
        ]
        self._sequence += 1
        if self._adc is not None:
            # 27 - (V - 0.706) / 0.001721 (RP2040 datasheet, 4.9.5), in 0.1 degrees
            values.append(round(270 - (self._adc.read_u16() * 3.3 / 65535 - 0.706) / 0.0001721))
        return values


def _core_adc() -> "ADC | None":
    if sys.platform != "rp2":
        return None
    return ADC(ADC.CORE_TEMP)
