"""Vishay VEML7700: ambient light over I2C (datasheet 84286; application note 84323 for the formula)."""

import errno

from . import metrics
from .options import i2c, one_of
from .sensor import I2cSensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ()
_CONF, _ALS, _ID = 0, 4, 7
_SHUT_DOWN = 1
_IDENTITY = 0x81  # the low byte of the ID; the high one tells the address
# From dark to bright: gain and time as in register 0, ms, and 0.0001 lx for each count (note, table 1)
_STEPS = (
    (1 << 11 | 2 << 6, 400, 84),  # gain 2
    (0 << 11 | 0 << 6, 100, 672),  # gain 1
    (2 << 11 | 0 << 6, 100, 5376),  # gain 1/8
    (2 << 11 | 12 << 6, 25, 21504),  # gain 1/8
)
_RANGES = ("auto", "dark", "normal", "bright", "sun")
_MANY, _FEW = 50_000, 1_000


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say. The ranges reach to 550, 4,404, 35,232 and 140,926 lx."""
    return i2c({"range": one_of(_RANGES, "auto")}, (0x10, 0x48))


def corrected(lux: float) -> float:
    """Return what the low gains show above 1000 lx, straightened (application note, "non-linearity")."""
    return (((6.0135e-13 * lux - 9.3924e-9) * lux + 8.1488e-5) * lux + 1.0023) * lux


class Veml7700(I2cSensor):
    """Illuminance in 0.01 lx; None beyond the range. `auto` finds the range in a few readings."""

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware", entries: "list[dict[str, Any]]") -> None:
        super().__init__(data, hardware, entries)
        self._auto = data["range"] == "auto"
        self._step = 1 if self._auto else _RANGES.index(data["range"]) - 1
        self._fresh = False

    def setup(self) -> None:
        """Check the identity. Raises OSError."""
        self.expect(_ID, _IDENTITY, "VEML7700")
        self._fresh = True

    def start(self) -> int:
        """Set the range where it is new, and give the chip the time for a whole measurement in it."""
        if not self._fresh:
            return 0
        configuration, time_ms, _ = _STEPS[self._step]
        self.put(_CONF, bytes((configuration & 0xFF | _SHUT_DOWN, configuration >> 8)))
        self.put(_CONF, bytes((configuration & 0xFF, configuration >> 8)))  # a measurement begins anew
        self._fresh = False
        return time_ms + time_ms // 10 + 5  # the chip's clock is within 10 %, and wakes in 2.5 ms

    def fetch(self) -> "list[int | None]":
        """Return the illuminance. Raises OSError where the chip lost its setting."""
        step = self._step
        configuration, _, resolution = _STEPS[step]
        now = self.get(_CONF, 2)
        if now[0] | now[1] << 8 != configuration:
            raise OSError(errno.EIO, "the chip lost its settings")
        raw = self.get(_ALS, 2)
        count = raw[0] | raw[1] << 8
        if self._auto:
            self._choose(count)
        if count == 0xFFFF:
            return [None]
        hundredths = (count * resolution + 50) // 100
        if step >= 2 and hundredths > 100_000:
            hundredths = round(corrected(hundredths / 100) * 100)
        return [hundredths]

    def _choose(self, count: int) -> None:
        step = self._step
        if count > _MANY and step < len(_STEPS) - 1:
            self._step += 1
        elif count < _FEW and step > 0:
            self._step -= 1
        self._fresh = self._fresh or step != self._step


def make(data: "dict[str, Any]", hardware: "Hardware") -> Veml7700:
    """Return the sensor for an entry of `board.json`."""
    return Veml7700(data, hardware, metrics(data, (("illuminance", "lx", 2, "Illuminance"),)))
