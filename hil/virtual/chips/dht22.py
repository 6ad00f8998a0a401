"""Aosong AM2302 (DHT22), humidity and temperature in one frame of 40 bits (datasheet AM2302, 7).

The frame's bits are pulses of 26 or 70 us: below what a host call can show, so the chip gives whole frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.virtual.chips.registers import clamp

if TYPE_CHECKING:
    from collections.abc import Callable

_PERIOD_S = 2.0


def frame(humidity_tenths: int, temperature_tenths: int) -> bytes:
    """Return humidity, temperature (sign and amount) and their sum."""
    amount = abs(temperature_tenths) | (0x8000 if temperature_tenths < 0 else 0)
    body = humidity_tenths.to_bytes(2, "big") + amount.to_bytes(2, "big")
    return body + bytes((sum(body) & 0xFF,))


class Dht22:
    """The sensor on a pin. Each frame holds what was measured at the request before, or 2 s ago."""

    def __init__(
        self,
        temperature_c: Callable[[], float],
        humidity_percent: Callable[[], float],
        now_s: Callable[[], float],
    ) -> None:
        self._temperature_c, self._humidity_percent, self._now_s = temperature_c, humidity_percent, now_s
        self._frame = self._measure()
        self._measured_s = now_s()

    def read(self) -> bytes | None:
        """Return a frame, or None where the sensor does not answer."""
        if self._now_s() - self._measured_s >= _PERIOD_S:
            self._frame = self._measure()
            self._measured_s = self._now_s()
        return self._frame

    def _measure(self) -> bytes:
        return frame(
            clamp(self._humidity_percent() * 10, 0, 1000), clamp(self._temperature_c() * 10, -400, 800)
        )
