"""Bosch BMP280: temperature and pressure over I2C (datasheet BST-BMP280-DS001, 1.14)."""

import errno
import struct

from . import metrics
from .options import i2c, one_of
from .sensor import I2cSensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ()
_ID, _RESET, _STATUS, _CTRL_MEAS, _DATA, _CALIBRATION = 0xD0, 0xE0, 0xF3, 0xF4, 0xF7, 0x88
_FORCED = 1
_MEASURING = 8
_SKIPPED = 0x80000  # what a result that was not measured holds


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return i2c({"oversampling": one_of((1, 2, 4, 8, 16), 4)}, (0x76, 0x77))


def fine_temperature(raw: int, t: "tuple[int, ...]") -> int:
    """Return t_fine of a raw temperature, by 3.11.3: (t_fine * 5 + 128) >> 8 is in 0.01 °C."""
    var1 = ((raw >> 3) - (t[0] << 1)) * t[1] >> 11
    var2 = (((raw >> 4) - t[0]) * ((raw >> 4) - t[0]) >> 12) * t[2] >> 14
    return var1 + var2


def pressure(raw: int, t_fine: int, p: "tuple[int, ...]") -> "int | None":
    """Return the pressure in 1/256 Pa, by the 64-bit formula of 3.11.3; None of no calibration."""
    var1 = t_fine - 128000
    var2 = var1 * var1 * p[5]
    var2 += var1 * p[4] << 17
    var2 += p[3] << 35
    var1 = (var1 * var1 * p[2] >> 8) + (var1 * p[1] << 12)
    var1 = ((1 << 47) + var1) * p[0] >> 33
    if var1 <= 0:
        return None
    result = (((1048576 - raw) << 31) - var2) * 3125 // var1
    var1 = p[8] * (result >> 13) * (result >> 13) >> 25
    var2 = p[7] * result >> 19
    return (result + var1 + var2 >> 8) + (p[6] << 4)


class Bmp280(I2cSensor):
    """Temperature in 0.01 °C, pressure in 0.01 hPa; one measurement for each reading (forced mode)."""

    IDENTITY = 0x58
    NAME = "BMP280"
    SIZE = 6  # of a result

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware", entries: "list[dict[str, Any]]") -> None:
        super().__init__(data, hardware, entries)
        over = data["oversampling"]
        code = (1, 2, 4, 8, 16).index(over) + 1
        self._control = bytes((code << 5 | code << 2 | _FORCED,))
        # the longest times (BME280, 9.1): 1.25 + 2.3 T + (2.3 P + 0.575) + (2.3 H + 0.575) ms
        self.wait_ms: int = 2 + 5 * over + 1
        self._t: tuple[int, ...] = ()
        self._p: tuple[int, ...] = ()

    def setup(self) -> None:
        """Check the identity, and read the calibration of this very chip. Raises OSError."""
        self.expect(_ID, self.IDENTITY, self.NAME)
        words = struct.unpack("<HhhHhhhhhhhh", self.get(_CALIBRATION, 24))
        if words[0] == 0 or words[3] == 0:
            raise OSError(errno.EIO, "no calibration")
        self._t = words[:3]
        self._p = words[3:]

    def start(self) -> int:
        """Start a measurement of everything."""
        self.put(_CTRL_MEAS, self._control)
        return self.wait_ms

    def fetch(self) -> "list[int | None]":
        """Return the values. Raises OSError where none were measured, or the chip lost its settings."""
        # one read across status, control, configuration and results: all of one moment
        data = self.get(_STATUS, 4 + self.SIZE)
        if data[0] & _MEASURING or data[1] != self._control[0] & 0xFC:
            raise OSError(errno.EIO, "the measurement was interrupted")
        raw_p = data[4] << 12 | data[5] << 4 | data[6] >> 4
        raw_t = data[7] << 12 | data[8] << 4 | data[9] >> 4
        if _SKIPPED in (raw_p, raw_t):
            raise OSError(errno.EIO, "nothing was measured")
        t_fine = fine_temperature(raw_t, self._t)
        exact = pressure(raw_p, t_fine, self._p)
        pascals = None if exact is None else exact + 128 >> 8  # 1 Pa is 0.01 hPa
        celsius = t_fine * 5 + 128 >> 8
        # it measures -40 to 85 °C, 300 to 1100 hPa: what is far beyond comes of damaged bytes
        if pascals is None or not 10_000 <= pascals <= 150_000 or not -6_000 <= celsius <= 12_000:
            raise OSError(errno.EIO, "impossible values")
        values: list[int | None] = [celsius, pascals]
        values.extend(self.more(data, t_fine))
        return values

    def more(self, data: bytearray, t_fine: int) -> "list[int | None]":
        """Return what a larger chip has beyond this one."""
        return []


TEMPERATURE_AND_PRESSURE = (
    ("temperature", "\u00b0C", 2, "Temperature"),
    ("pressure", "hPa", 2, "Pressure"),
)


def make(data: "dict[str, Any]", hardware: "Hardware") -> Bmp280:
    """Return the sensor for an entry of `board.json`."""
    return Bmp280(data, hardware, metrics(data, TEMPERATURE_AND_PRESSURE))
