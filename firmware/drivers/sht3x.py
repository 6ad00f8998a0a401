"""Sensirion SHT3x: temperature and humidity over I2C (datasheet SHT3x-DIS, version 7).

{"driver": "sht3x", "i2c": 0, "sda": 4, "scl": 5, "address": 68}
"""

import errno

from machine import I2C, Pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SINGLE_SHOT = b"\x24\x00"  # high repeatability, no clock stretching (table 9)
_MEASURE_MS = 16  # at most 15.5 (table 4)


def crc8(data: "bytes | bytearray") -> int:
    """Return the chip's checksum: CRC-8, polynomial 0x31, start 0xFF; of BE EF it is 92 (table 20)."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc


class Sht3x:
    """Temperature in 0.01 °C, humidity in 0.01 %."""

    def __init__(self, bus: "I2C", address: int) -> None:
        self.metrics: list[dict[str, Any]] = [
            {"name": "temperature", "unit": "\u00b0C", "decimals": 2, "title": "Temperature"},
            {"name": "humidity", "unit": "%", "decimals": 2, "title": "Humidity"},
        ]
        self._bus = bus
        self._address = address
        self._raw = bytearray(6)

    def begin(self) -> int:
        """Start a measurement."""
        self._bus.writeto(self._address, _SINGLE_SHOT)
        return _MEASURE_MS

    def read(self) -> "list[int | None]":
        """Return temperature and humidity. Raises OSError where the checksum is wrong."""
        raw = self._raw
        self._bus.readfrom_into(self._address, raw)
        if crc8(raw[:2]) != raw[2] or crc8(raw[3:5]) != raw[5]:
            raise OSError(errno.EIO)
        # T = -45 + 175 S/(2^16-1), RH = 100 S/(2^16-1) (section 4.13), in integers, rounded
        temperature = (17500 * (raw[0] << 8 | raw[1]) + 32767) // 65535 - 4500
        humidity = (10000 * (raw[3] << 8 | raw[4]) + 32767) // 65535
        return [temperature, humidity]


def make(data: "dict[str, Any]") -> Sht3x:
    """Return the sensor for an entry of `board.json`."""
    bus = I2C(data.get("i2c", 0), sda=Pin(data.get("sda", 4)), scl=Pin(data.get("scl", 5)))
    return Sht3x(bus, data.get("address", 0x44))
