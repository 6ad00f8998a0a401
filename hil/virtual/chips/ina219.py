"""Texas Instruments INA219, current, voltage and power (datasheet SBOS448G)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.virtual.chips.registers import WordRegisters, clamp

if TYPE_CHECKING:
    from collections.abc import Callable

_CONF, _SHUNT, _BUS, _POWER, _CURRENT, _CALIBRATION = range(6)
_DEFAULT, _RESET = 0x399F, 0x8000
_READY, _OVERFLOW = 2, 1
_CONVERSION_S = 0.000586
"""Longest of one 12-bit conversion (6.5); shunt and bus are one each."""


class Ina219(WordRegisters):
    """The chip at 0x40 to 0x4F. `shunt_v` and `bus_v` are what its inputs see.

    Current = shunt x calibration / 4096, power = current x bus / 5000, in counts (8.5.1). Of the ADC
    settings it knows 12 bits alone, and a continuous mode converts at each read.
    """

    def __init__(
        self, shunt_v: Callable[[], float], bus_v: Callable[[], float], now_s: Callable[[], float]
    ) -> None:
        super().__init__()
        self._shunt_v, self._bus_v, self._now_s = shunt_v, bus_v, now_s
        self._ready_s: float | None = None
        self.power_on()

    def power_on(self) -> None:
        """Be as after power-on: 32 V, 320 mV, continuous, no calibration."""
        self._ready_s = 0.0
        self.words.update(dict.fromkeys(range(6), 0))
        self.words[_CONF] = _DEFAULT

    def wrote(self, register: int, value: int) -> None:
        """Take a configuration or calibration; a triggered mode starts a conversion."""
        if register == _CONF and value & _RESET:
            self.power_on()
        elif register == _CONF:
            self.words[_CONF] = value
            self.words[_BUS] &= ~_READY
            self._ready_s = self._now_s() + 2 * _CONVERSION_S if value & 7 not in (0, 4) else None
        elif register == _CALIBRATION:
            self.words[_CALIBRATION] = value & 0xFFFE

    def refresh(self) -> None:
        """Convert, where a conversion is due."""
        if self._ready_s is None or self._now_s() < self._ready_s:
            return
        configuration = self.words[_CONF]
        if configuration & 7 < 4:
            self._ready_s = None  # triggered: once
        full_scale = 4000 << (configuration >> 11 & 3)
        shunt = clamp(self._shunt_v() / 10e-6, -full_scale, full_scale)
        bus = clamp(self._bus_v() / 0.004, 0, 8000 if configuration & 0x2000 else 4000)
        current = int(shunt * self.words[_CALIBRATION] / 4096)
        power = abs(current) * bus // 5000
        overflow = _OVERFLOW if abs(current) > 0x7FFF or power > 0xFFFF else 0
        self.words[_SHUNT], self.words[_CURRENT], self.words[_POWER] = shunt, current, power
        self.words[_BUS] = bus << 3 | _READY | overflow

    def was_read(self, register: int) -> None:
        """Clear the ready bit once the power was read (8.6.3.2)."""
        if register == _POWER:
            self.words[_BUS] &= ~_READY
