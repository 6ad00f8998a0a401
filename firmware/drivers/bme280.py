"""Bosch BME280: temperature, pressure and humidity over I2C (datasheet BST-BME280-DS002, 1.6)."""

import errno

from . import bmp280, metrics
from .sensor import signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ()
_CTRL_HUM = 0xF2
_SKIPPED = 0x8000

options = bmp280.options


def unpack_humidity(h1: int, e1: "bytes | bytearray") -> "tuple[int, ...]":
    """Return dig_H1 to dig_H6 of registers A1 and E1 to E7 (table 16): two of them share a byte."""
    return (
        h1,
        signed(e1[1] << 8 | e1[0]),
        e1[2],
        signed((e1[3] << 4 | e1[4] & 0xF) << 4) >> 4,
        signed((e1[5] << 4 | e1[4] >> 4) << 4) >> 4,
        signed(e1[6] << 8) >> 8,
    )


def humidity(raw: int, t_fine: int, h: "tuple[int, ...]") -> int:
    """Return the humidity in 1/1024 %, by 4.2.3."""
    v = t_fine - 76800
    wet = (raw << 14) - (h[3] << 20) - h[4] * v + 16384 >> 15
    warm = ((v * h[5] >> 10) * ((v * h[2] >> 11) + 32768) >> 10) + 2097152
    v = wet * (warm * h[1] + 8192 >> 14)
    v -= ((v >> 15) * (v >> 15) >> 7) * h[0] >> 4
    return min(max(v, 0), 419430400) >> 12


class Bme280(bmp280.Bmp280):
    """Temperature in 0.01 °C, pressure in 0.01 hPa, humidity in 0.01 %."""

    IDENTITY = 0x60
    NAME = "BME280"
    SIZE = 8

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware", entries: "list[dict[str, Any]]") -> None:
        super().__init__(data, hardware, entries)
        over = data["oversampling"]
        self._over_h = bytes(((1, 2, 4, 8, 16).index(over) + 1,))
        self.wait_ms += 1 + 3 * over
        self._h: tuple[int, ...] = ()

    def setup(self) -> None:
        """Check the identity, read the calibration. Raises OSError."""
        super().setup()
        self._h = unpack_humidity(self.get(0xA1, 1)[0], self.get(0xE1, 7))

    def start(self) -> int:
        """Start a measurement. The humidity's setting holds from the next write of the others on (5.4.3)."""
        self.put(_CTRL_HUM, self._over_h)
        return super().start()

    def more(self, data: bytearray, t_fine: int) -> "list[int | None]":
        """Return the humidity. Raises OSError where it was not measured."""
        raw = data[10] << 8 | data[11]
        if raw == _SKIPPED:
            raise OSError(errno.EIO, "no humidity was measured")
        return [humidity(raw, t_fine, self._h) * 100 + 512 >> 10]


HUMIDITY = (("humidity", "%", 2, "Humidity"),)


def make(data: "dict[str, Any]", hardware: "Hardware") -> Bme280:
    """Return the sensor for an entry of `board.json`."""
    entries = metrics(data, bmp280.TEMPERATURE_AND_PRESSURE + HUMIDITY)
    return Bme280(data, hardware, entries)
