"""Maxim DS18B20, temperature on a 1-Wire bus (datasheet 19-7487, rev 6), powered by its VDD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.virtual.chips.onewire import OneWireDevice, maxim_crc8
from hil.virtual.chips.registers import clamp

if TYPE_CHECKING:
    from collections.abc import Callable

FAMILY = 0x28
_CONVERT, _WRITE, _READ, _COPY, _RECALL, _SUPPLY = 0x44, 0x4E, 0xBE, 0x48, 0xB8, 0xB4
_POWER_ON_RAW = 0x0550  # 85 °C
_CONVERSION_S = 0.750


def rom_code(serial: int) -> bytes:
    """Return the ROM code of a DS18B20 with a 48-bit serial number."""
    body = bytes((FAMILY,)) + serial.to_bytes(6, "little")
    return body + bytes((maxim_crc8(body),))


class Ds18b20(OneWireDevice):
    """One sensor. A conversion takes its longest time: 750 ms at 12 bits, half for each bit less."""

    def __init__(self, rom: bytes, temperature_c: Callable[[], float], now_s: Callable[[], float]) -> None:
        super().__init__(rom)
        self._temperature_c, self._now_s = temperature_c, now_s
        self._eeprom = bytes((0x4B, 0x46, 0x7F))
        self.power_on()

    def power_on(self) -> None:
        """Be as after power-on: 85 °C in the scratchpad, TH, TL and configuration from the EEPROM."""
        self._raw = _POWER_ON_RAW
        self._registers = bytearray(self._eeprom)
        self._result: tuple[float, int] | None = None

    def command(self, code: int) -> bytes | int:
        """Do a function command (table 3)."""
        self._finish()
        if code == _CONVERT:
            bits_short = 3 - (self._registers[2] >> 5 & 3)
            raw = clamp(self._temperature_c() * 16, -55 * 16, 125 * 16) & ~((1 << bits_short) - 1)
            self._result = (self._now_s() + _CONVERSION_S / (1 << bits_short), raw)
        elif code == _READ:
            return self.scratchpad()
        elif code == _WRITE:
            return 3
        elif code == _COPY:
            self._eeprom = bytes(self._registers)
        elif code == _RECALL:
            self._registers[:] = self._eeprom
        elif code == _SUPPLY:
            return b"\xff"
        return 0

    def take(self, code: int, data: bytes) -> None:
        """Take TH, TL and configuration; of the latter bits 6 and 5 alone can be written (figure 10)."""
        self._registers[:] = bytes((data[0], data[1], data[2] & 0x60 | 0x1F))

    def busy(self) -> bool:
        """Whether a conversion is under way."""
        self._finish()
        return self._result is not None

    def scratchpad(self) -> bytes:
        """Return the nine bytes of figure 9, CRC included."""
        body = (self._raw & 0xFFFF).to_bytes(2, "little") + bytes(self._registers) + b"\xff\x0c\x10"
        return body + bytes((maxim_crc8(body),))

    def _finish(self) -> None:
        if self._result is not None and self._now_s() >= self._result[0]:
            self._raw = self._result[1]
            self._result = None
