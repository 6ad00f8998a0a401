"""Sensirion SHT3x, single shot."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hil.virtual.chips.bus import NoAcknowledge
from hil.virtual.chips.registers import clamp

if TYPE_CHECKING:
    from collections.abc import Callable


def sensirion_crc8(data: bytes) -> int:
    """Return the checksum of two data bytes: polynomial 0x31, start 0xFF (SHT3x datasheet, 4.12)."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc


class Sht3x:
    """Sensirion SHT3x humidity and temperature sensor (datasheet version 7, December 2022), single shot.

    A measurement takes up to 15.5 ms (high repeatability, table 4); read before that, without clock
    stretching, the chip does not acknowledge.
    """

    ADDRESS = 0x44
    _MEASURE_S: ClassVar = {
        0x2C06: 0.0155, 0x2C0D: 0.0065, 0x2C10: 0.0045,  # with clock stretching (table 9)
        0x2400: 0.0155, 0x240B: 0.0065, 0x2416: 0.0045,  # without
    }  # fmt: skip
    _STRETCHING = (0x2C06, 0x2C0D, 0x2C10)
    _SOFT_RESET, _STATUS, _CLEAR_STATUS = 0x30A2, 0xF32D, 0x3041
    _HEATER_ON, _HEATER_OFF = 0x306D, 0x3066
    _RESET_DETECTED, _HEATER = 1 << 4, 1 << 13

    def __init__(
        self,
        temperature_c: Callable[[], float],
        humidity_percent: Callable[[], float],
        now_s: Callable[[], float],
    ) -> None:
        self._temperature_c, self._humidity_percent, self._now_s = temperature_c, humidity_percent, now_s
        self._answer: bytes | None = None
        self._ready_s = 0.0
        self._status = self._RESET_DETECTED

    def write(self, data: bytes) -> None:
        """Take a 16-bit command. Raises NoAcknowledge for one the chip does not know."""
        command = int.from_bytes(data[:2], "big")
        self._answer = None
        if command in self._MEASURE_S:
            self._measure(command)
        elif command == self._STATUS:
            self._answer, self._ready_s = _words(self._status), 0.0
        elif command == self._CLEAR_STATUS:
            self._status &= ~self._RESET_DETECTED
        elif command == self._SOFT_RESET:
            self._status = self._RESET_DETECTED
        elif command == self._HEATER_ON:
            self._status |= self._HEATER
        elif command == self._HEATER_OFF:
            self._status &= ~self._HEATER
        else:
            raise NoAcknowledge(f"command {command:#06x}")

    def _measure(self, command: int) -> None:
        """Convert as 4.13 has it: T = -45 + 175 S/65535, RH = 100 S/65535."""
        temperature = clamp((self._temperature_c() + 45) / 175 * 65535, 0, 0xFFFF)
        humidity = clamp(self._humidity_percent() / 100 * 65535, 0, 0xFFFF)
        self._answer = _words(temperature, humidity)
        stretching = command in self._STRETCHING
        self._ready_s = 0.0 if stretching else self._now_s() + self._MEASURE_S[command]

    def read(self, count: int) -> bytes:
        """Return the last command's answer. Raises NoAcknowledge where there is none, or not yet."""
        if self._answer is None or self._now_s() < self._ready_s:
            raise NoAcknowledge("no data")
        answer, self._answer = self._answer, None
        return answer[:count].ljust(count, b"\xff")


def _words(*words: int) -> bytes:
    parts = [word.to_bytes(2, "big") for word in words]
    return b"".join(part + bytes((sensirion_crc8(part),)) for part in parts)
