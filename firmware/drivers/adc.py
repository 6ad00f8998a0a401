"""An analog input: value = (volts - zero_v) * per_volt."""

from . import fitting, metric
from .options import named, number, pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Analog, Hardware

_REFERENCE_V = 3.3
REQUIRED = ("pin",)


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return named({"pin": pin(), "per_volt": number(-1e9, 1e9, 1), "zero_v": number(-1e3, 1e3, 0, "V")})


class Adc:
    """One ADC pin as one number."""

    def __init__(self, pin: "Analog", entry: "dict[str, Any]", per_volt: float, zero_v: float) -> None:
        self.metrics = [entry]
        self._pin = pin
        scale = per_volt * 10 ** entry["decimals"]
        self._slope = scale * _REFERENCE_V / 65535
        self._zero = zero_v * scale

    def begin(self) -> int:
        """Do nothing: an ADC answers at once."""
        return 0

    def read(self) -> "list[int | None]":
        """Return the scaled reading."""
        return [fitting(round(self._pin.read_u16() * self._slope - self._zero))]


def make(data: "dict[str, Any]", hardware: "Hardware") -> Adc:
    """Return the input for an entry of `board.json`."""
    entry = metric(data, "voltage", "V", 3)
    return Adc(hardware.analog(data["pin"]), entry, data["per_volt"], data["zero_v"])
