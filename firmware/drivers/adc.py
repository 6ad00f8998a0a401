"""An analog input: value = (volts - zero_v) * per_volt.

{"driver": "adc", "pin": 26, "name": "light", "unit": "lx", "decimals": 0, "per_volt": 3030, "zero_v": 0}
"""

from machine import ADC, Pin

import drivers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REFERENCE_V = 3.3


class Adc:
    """One ADC pin as one number."""

    def __init__(self, pin: "int | str", entry: "dict[str, Any]", per_volt: float, zero_v: float) -> None:
        self.metrics = [entry]
        self._adc = _open(Pin(pin))
        scale = per_volt * 10 ** entry["decimals"]
        self._slope = scale * _REFERENCE_V / 65535
        self._zero = zero_v * scale

    def begin(self) -> int:
        """Do nothing: an ADC answers at once."""
        return 0

    def read(self) -> "list[int | None]":
        """Return the scaled reading."""
        return [round(self._adc.read_u16() * self._slope - self._zero)]


def _open(pin: Pin) -> ADC:
    # An ESP32's ADC reaches to 1 V unless it attenuates, and then to about 3.1 V: calibrate by per_volt.
    attenuation = getattr(ADC, "ATTN_11DB", None)
    return ADC(pin) if attenuation is None else ADC(pin, atten=attenuation)


def make(data: "dict[str, Any]") -> Adc:
    """Return the input for an entry of `board.json`."""
    entry = drivers.metric(data, "voltage", "V", 3)
    return Adc(data["pin"], entry, float(data.get("per_volt", 1)), float(data.get("zero_v", 0)))
