"""ROHM BH1750FVI: ambient light over I2C (technical note 11046EDT01).

The chip has neither an identity nor a checksum.
"""

from . import metrics
from .options import i2c, one_of
from .sensor import I2cSensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ()
_ONE_TIME_HIGH = b"\x20"  # 1 lx at the default measuring time, then power down
_DEFAULT_TIME = 69
_MEASURE_MS = 180  # at most, at the default measuring time


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say. The range is up to 54,612, 121,557 or 14,835 lx."""
    return i2c({"range": one_of(("normal", "sun", "dim"), "normal")}, (0x23, 0x5C))


def centilux(word: int, measuring_time: int) -> int:
    """Return a measurement's word in 0.01 lx: word / 1.2 at the default time; of 0x8390 it is 28067 lx."""
    return (word * 1000 * _DEFAULT_TIME + 6 * measuring_time) // (12 * measuring_time)


class Bh1750(I2cSensor):
    """Illuminance in 0.01 lx; None where the light is beyond the range."""

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware", entries: "list[dict[str, Any]]") -> None:
        super().__init__(data, hardware, entries)
        self._time = {"normal": 69, "sun": 31, "dim": 254}[data["range"]]

    def start(self) -> int:
        """Start a measurement. Its time goes along: nothing tells of a chip that lost it."""
        self.bus.writeto(self.address, bytes((0x40 | self._time >> 5,)))
        self.bus.writeto(self.address, bytes((0x60 | self._time & 0x1F,)))
        self.bus.writeto(self.address, _ONE_TIME_HIGH)
        return _MEASURE_MS * self._time // _DEFAULT_TIME + 1

    def fetch(self) -> "list[int | None]":
        """Return the illuminance."""
        raw = bytearray(2)
        self.bus.readfrom_into(self.address, raw)
        word = raw[0] << 8 | raw[1]
        return [None if word == 0xFFFF else centilux(word, self._time)]


def make(data: "dict[str, Any]", hardware: "Hardware") -> Bh1750:
    """Return the sensor for an entry of `board.json`."""
    return Bh1750(data, hardware, metrics(data, (("illuminance", "lx", 2, "Illuminance"),)))
