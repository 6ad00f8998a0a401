"""Bosch BME280 and BMP280: temperature, pressure and (BME280) humidity, with calibration.

The BME280's datasheet is BST-BME280-DS002 (1.6), the BMP280's BST-BMP280-DS001 (1.14). Raw values come
from the world by inverting the datasheet's formulas in doubles (8.1 in both), so that a driver's integer
formulas meet another computation than their own.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hil.virtual.chips.registers import ByteRegisters

if TYPE_CHECKING:
    from collections.abc import Callable

# BMP280 datasheet, 3.12: the worked example's calibration and raw values
EXAMPLE_T = (27504, 26435, -1000)
EXAMPLE_P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
EXAMPLE_RAW_T, EXAMPLE_RAW_P = 519888, 415148
# A BME280's humidity words, from a part on a desk: Bosch prints no example of them.
TYPICAL_H = (75, 362, 0, 313, 50, 30)

_ID, _RESET, _CTRL_HUM, _STATUS, _CTRL_MEAS, _DATA = 0xD0, 0xE0, 0xF2, 0xF3, 0xF4, 0xF7
_MEASURING = 1 << 3
_SKIPPED_20, _SKIPPED_16 = 0x80000, 0x8000
_OVERSAMPLING = (0, 1, 2, 4, 8, 16, 16, 16)


def fine_temperature(raw: float, t: tuple[int, ...] = EXAMPLE_T) -> float:
    """Return t_fine for a raw temperature; a 5120th of it is °C."""
    var1 = (raw / 16384 - t[0] / 1024) * t[1]
    var2 = (raw / 131072 - t[0] / 8192) ** 2 * t[2]
    return var1 + var2


def pressure_pa(raw: float, t_fine: float, p: tuple[int, ...] = EXAMPLE_P) -> float:
    """Return the pressure in Pa for its raw value."""
    var1 = t_fine / 2 - 64000
    var2 = var1 * var1 * p[5] / 32768 + var1 * p[4] * 2
    var2 = var2 / 4 + p[3] * 65536
    var1 = (p[2] * var1 * var1 / 524288 + p[1] * var1) / 524288
    var1 = (1 + var1 / 32768) * p[0]
    pressure = (1048576 - raw - var2 / 4096) * 6250 / var1
    return pressure + (p[8] * pressure * pressure / 2147483648 + pressure * p[7] / 32768 + p[6]) / 16


def humidity_percent(raw: float, t_fine: float, h: tuple[int, ...] = TYPICAL_H) -> float:
    """Return the relative humidity in % for its raw value; not yet clamped to 0 to 100."""
    var = t_fine - 76800
    var = (raw - (h[3] * 64 + h[4] / 16384 * var)) * (
        h[1] / 65536 * (1 + h[5] / 67108864 * var * (1 + h[2] / 67108864 * var))
    )
    return var * (1 - h[0] * var / 524288)


class Bmp280(ByteRegisters):
    """BMP280 in forced mode: a measurement at each write of mode 01 or 10, ready after its typical time.

    A power cycle is `power_on()`: the registers are as after a reset.
    """

    CHIP_ID = 0x58
    _HUMIDITY = False

    def __init__(
        self,
        temperature_c: Callable[[], float],
        pressure_hpa: Callable[[], float],
        now_s: Callable[[], float],
        humidity: Callable[[], float] = float,
    ) -> None:
        super().__init__()
        self._temperature_c, self._pressure_hpa, self._humidity = temperature_c, pressure_hpa, humidity
        self._now_s = now_s
        self._ready_s = 0.0
        self._result: bytes | None = None
        self.power_on()

    def power_on(self) -> None:
        """Set all registers to what they are after power-on or a reset."""
        self._result = None
        self.registers[:] = bytes(256)
        self.put(_ID, bytes((self.CHIP_ID,)))
        self.put(0x88, struct.pack("<Hhh" + "H8h", *EXAMPLE_T, *EXAMPLE_P))
        if self._HUMIDITY:
            h = TYPICAL_H
            self.put(0xA1, struct.pack("<B", h[0]))
            # H4 is E4[7:0] and E5[3:0], H5 is E6[7:0] and E5[7:4] (BME280 table 16)
            middle = (h[3] & 0xF) | (h[4] & 0xF) << 4
            self.put(0xE1, struct.pack("<hBbBbb", h[1], h[2], h[3] >> 4, middle, h[4] >> 4, h[5]))
        self.put(_DATA, _packed(_SKIPPED_20, _SKIPPED_20, _SKIPPED_16))

    def wrote(self, register: int, value: int) -> None:
        """Take a control register; all others are for reading."""
        if register == _RESET and value == 0xB6:
            self.power_on()
        elif register in (_CTRL_HUM, _CTRL_MEAS, 0xF5):
            self.registers[register] = value
            if register == _CTRL_MEAS and value & 3:
                self._measure(value)

    def refresh(self) -> None:
        """Put a finished measurement into the registers, and go to sleep."""
        if self._result is not None and self._now_s() >= self._ready_s:
            self.put(_DATA, self._result)
            self._result = None
            self.registers[_CTRL_MEAS] &= 0xFC
        self.registers[_STATUS] = 0 if self._result is None else _MEASURING

    def _measure(self, control: int) -> None:
        over_t = _OVERSAMPLING[control >> 5]
        over_p = _OVERSAMPLING[control >> 2 & 7]
        over_h = _OVERSAMPLING[self.registers[_CTRL_HUM] & 7] if self._HUMIDITY else 0
        took_ms = 1.0 + 2 * over_t  # typical times (BME280, 9.1)
        took_ms += 2 * over_p + 0.5 if over_p else 0
        took_ms += 2 * over_h + 0.5 if over_h else 0
        self._ready_s = self._now_s() + took_ms / 1000
        target = self._temperature_c() * 5120
        raw_t = _invert(fine_temperature, target, 0xFFFFF)
        t_fine = fine_temperature(raw_t)
        raw_p = _invert(lambda raw: pressure_pa(raw, t_fine), self._pressure_hpa() * 100, 0xFFFFF)
        raw_h = _invert(lambda raw: humidity_percent(raw, t_fine), self._humidity(), 0xFFFF)
        self._result = _packed(
            raw_p if over_p else _SKIPPED_20,
            raw_t if over_t else _SKIPPED_20,
            raw_h if over_h else _SKIPPED_16,
        )


class Bme280(Bmp280):
    """BME280: a BMP280 with humidity."""

    CHIP_ID = 0x60
    _HUMIDITY = True


def _packed(pressure: int, temperature: int, humidity: int) -> bytes:
    return (
        (pressure << 4).to_bytes(3, "big")
        + (temperature << 4).to_bytes(3, "big")
        + humidity.to_bytes(2, "big")
    )


def _invert(function: Callable[[float], float], target: float, highest: int) -> int:
    """Return the raw value whose result is nearest `target`; `function` rises or falls throughout."""
    rising = function(highest) > function(0)
    low, high = 0, highest
    while high - low > 1:
        middle = (low + high) // 2
        if (function(middle) < target) == rising:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda raw: abs(function(raw) - target))
