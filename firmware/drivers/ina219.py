"""Texas Instruments INA219: voltage, current and power over I2C (datasheet SBOS448G)."""

import errno

from . import metrics
from .options import i2c, number, one_of
from .sensor import I2cSensor, signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ()
_CONF, _BUS, _POWER, _CURRENT, _CALIBRATION = 0, 2, 3, 4, 5
_TRIGGERED = 3  # shunt and bus, once
_TWELVE_BITS = 3 << 7 | 3 << 3
_MEASURE_MS = 2  # 2 * 586 us (6.5)
_READY, _OVERFLOW = 2, 1


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    own = {
        "shunt_mohm": number(0.1, 10_000, 100, "m\u03a9"),
        "max_a": number(0.001, 1000, 3.2, "A"),
        "bus_v": one_of((16, 32), 32),
    }
    return i2c(own, tuple(range(0x40, 0x50)))


def calibration(max_a: float, shunt_mohm: float) -> "tuple[int, int]":
    """Return the current's LSB in uA and the calibration register (equations 1 and 2).

    Of 32.768 A and 2 mOhm they are 1000 and 0x5000, as in the datasheet's example (8.5.4). Raises ValueError.
    """
    lsb_ua = -(-round(max_a * 1_000_000) // 32768)
    word = 40_960_000_000 // (max(lsb_ua, 1) * round(shunt_mohm * 1000)) & ~1
    if not 0 < word <= 0xFFFE:
        raise ValueError(f"max_a {max_a} and shunt_mohm {shunt_mohm} do not go together")
    return lsb_ua, word


def gain(max_a: float, shunt_mohm: float) -> int:
    """Return the gain setting: the narrowest of 40, 80, 160 and 320 mV that takes the largest current."""
    millivolts = max_a * shunt_mohm
    for code in range(4):
        if millivolts <= 40 << code:
            return code
    raise ValueError(f"max_a {max_a} and shunt_mohm {shunt_mohm} make {millivolts} mV; the chip takes 320")


class Ina219(I2cSensor):
    """Voltage in mV, current in 0.1 mA, power in mW; the two latter None where the chip's sums overflow."""

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware", entries: "list[dict[str, Any]]") -> None:
        super().__init__(data, hardware, entries)
        max_a, shunt_mohm = data["max_a"], data["shunt_mohm"]
        self._lsb_ua, self._calibration = calibration(max_a, shunt_mohm)
        wide = 0x2000 if data["bus_v"] == 32 else 0
        self._configuration = wide | gain(max_a, shunt_mohm) << 11 | _TWELVE_BITS | _TRIGGERED

    def setup(self) -> None:
        """Reset the chip, which shows what it is (it has no identity), and calibrate it."""
        self._put_word(_CONF, 0x8000)
        if self._word(_CONF) != 0x399F:
            raise OSError(errno.ENODEV, "this is no INA219: a reset does not show in its configuration")
        self._put_word(_CALIBRATION, self._calibration)

    def start(self) -> int:
        """Start a measurement."""
        self._put_word(_CONF, self._configuration)
        return _MEASURE_MS

    def fetch(self) -> "list[int | None]":
        """Return the values. Raises OSError where the chip has none, or lost its calibration."""
        if self._word(_CALIBRATION) != self._calibration:
            raise OSError(errno.EIO, "the chip lost its calibration")
        bus = self._word(_BUS)
        if not bus & _READY:
            raise OSError(errno.EIO, "the measurement did not end")
        millivolts = (bus >> 3) * 4
        current, power = signed(self._word(_CURRENT)), self._word(_POWER)
        if bus & _OVERFLOW:
            return [millivolts, None, None]
        # the power's LSB is 20 times the current's (equation 3), and it has no sign
        milliwatts = (power * 20 * self._lsb_ua + 500) // 1000
        return [millivolts, (current * self._lsb_ua + 50) // 100, -milliwatts if current < 0 else milliwatts]

    def _word(self, register: int) -> int:
        data = self.get(register, 2)
        return data[0] << 8 | data[1]

    def _put_word(self, register: int, word: int) -> None:
        self.put(register, bytes((word >> 8, word & 0xFF)))


def make(data: "dict[str, Any]", hardware: "Hardware") -> Ina219:
    """Return the sensor for an entry of `board.json`."""
    entries = metrics(
        data, (("voltage", "V", 3, "Voltage"), ("current", "A", 4, "Current"), ("power", "W", 3, "Power"))
    )
    return Ina219(data, hardware, entries)
