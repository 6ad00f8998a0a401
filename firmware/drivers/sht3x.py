"""Sensirion SHT3x: temperature and humidity over I2C (datasheet SHT3x-DIS, version 7)."""

import errno

from . import metrics
from .options import i2c
from .sensor import I2cSensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ()
_SINGLE_SHOT = b"\x24\x00"  # high repeatability, no clock stretching (table 9)
_MEASURE_MS = 16  # at most 15.5 (table 4)


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return i2c({}, (0x44, 0x45))


def crc8(data: "bytes | bytearray") -> int:
    """Return the chip's checksum: CRC-8, polynomial 0x31, start 0xFF; of BE EF it is 92 (table 20)."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc


class Sht3x(I2cSensor):
    """Temperature in 0.01 °C, humidity in 0.01 %. It needs no set-up: each measurement is asked for whole."""

    def start(self) -> int:
        """Start a measurement."""
        self.bus.writeto(self.address, _SINGLE_SHOT)
        return _MEASURE_MS

    def fetch(self) -> "list[int | None]":
        """Return temperature and humidity. Raises OSError where a checksum is wrong."""
        raw = bytearray(6)
        self.bus.readfrom_into(self.address, raw)
        if crc8(raw[:2]) != raw[2] or crc8(raw[3:5]) != raw[5]:
            raise OSError(errno.EIO, "wrong checksum")
        # T = -45 + 175 S/(2^16-1), RH = 100 S/(2^16-1) (section 4.13), in integers, rounded
        temperature = (17500 * (raw[0] << 8 | raw[1]) + 32767) // 65535 - 4500
        humidity = (10000 * (raw[3] << 8 | raw[4]) + 32767) // 65535
        return [temperature, humidity]


def make(data: "dict[str, Any]", hardware: "Hardware") -> Sht3x:
    """Return the sensor for an entry of `board.json`."""
    entries = metrics(data, (("temperature", "\u00b0C", 2, "Temperature"), ("humidity", "%", 2, "Humidity")))
    return Sht3x(data, hardware, entries)
