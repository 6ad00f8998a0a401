"""Industrial I/O: ADCs, environment, light, motion (kernel: Documentation/ABI/testing/sysfs-bus-iio).

A channel has `_input` (ready), or `_raw`, and then its value is (raw + offset) * scale, where scale and
offset stand beside the channel or are shared by all channels of its type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub.links.pins.kernel import Channel, Device, Quantity, entries, label_of, number_of, place_of

if TYPE_CHECKING:
    from pathlib import Path

# The ABI's units: mV, mA, mW, m°C, m%, kPa, lx, m/s², rad/s, G, Ω, m, nF, J, S/m …
QUANTITIES = {
    "voltage": Quantity("Voltage", "V", 4, 1e-3),
    "altvoltage": Quantity("Voltage", "V", 4, 1e-3),
    "current": Quantity("Current", "A", 4, 1e-3),
    "power": Quantity("Power", "W", 3, 1e-3),
    "temp": Quantity("Temperature", "°C", 2, 1e-3),
    "humidityrelative": Quantity("Humidity", "%", 2, 1e-3),
    "pressure": Quantity("Pressure", "hPa", 2, 10),
    "illuminance": Quantity("Illuminance", "lx", 2),
    "intensity": Quantity("Intensity", "", 0),
    "uvindex": Quantity("UV index", "", 2),
    "proximity": Quantity("Proximity", "", 0),
    "distance": Quantity("Distance", "m", 3),
    "accel": Quantity("Acceleration", "m/s²", 3),
    "anglvel": Quantity("Rotation", "rad/s", 4),
    "magn": Quantity("Magnetic field", "G", 4),
    "incli": Quantity("Inclination", "°", 2),
    "rot": Quantity("Rotation", "°", 2),
    "angl": Quantity("Angle", "rad", 4),
    "gravity": Quantity("Gravity", "m/s²", 3),
    "resistance": Quantity("Resistance", "Ω", 1),
    "capacitance": Quantity("Capacitance", "nF", 4),
    "electricalconductivity": Quantity("Conductivity", "S/m", 6),
    "concentration": Quantity("Concentration", "%", 4),
    "massconcentration": Quantity("Mass concentration", "µg/m³", 1),
    "ph": Quantity("pH", "", 2, 1e-3),
    "energy": Quantity("Energy", "J", 1),
    "velocity": Quantity("Velocity", "m/s", 3),
    "count": Quantity("Count", "", 0),
    "index": Quantity("Index", "", 0),
}
# in_voltage0_raw, in_voltage0-voltage1_raw, in_accel_x_raw, in_temp_input, in_voltage0_vbat_raw
_INPUT = re.compile(r"in_(([a-z]+?)\d{0,3}(?:-[a-z]+\d{1,3})?(?:_[a-z0-9]+(?:_[a-z0-9]+)*?)?)_(raw|input)")
# Extremes and averages of a channel, not channels.
_OF_A_CHANNEL = ("peak", "mean", "min", "max", "trough")


def quantity(channel: str) -> Quantity | None:
    """Return what a channel of that name measures; None where the kernel has none of that kind."""
    match = _INPUT.fullmatch(f"in_{channel}_input")
    return None if match is None else QUANTITIES.get(match[2])


def find(sys_root: Path) -> list[Device]:
    """Return the devices that are there now."""
    found = []
    for folder in entries(sys_root / "bus/iio/devices"):
        if not folder.name.startswith("iio:device"):
            continue
        channels = _channels(folder)
        if channels:
            name = label_of(folder / "label") or label_of(folder / "name") or folder.name
            found.append(Device("iio", folder.name, name, place_of(folder), channels))
    return found


def _channels(folder: Path) -> tuple[Channel, ...]:
    made: dict[str, Channel] = {}
    for path in entries(folder):
        match = _INPUT.fullmatch(path.name)
        if match is None or match[2] not in QUANTITIES or match[1].rsplit("_", 1)[-1] in _OF_A_CHANNEL:
            continue
        name, kind, form = match.groups()
        if form == "input" or name not in made:
            read = _Input(folder, name, kind, ready=form == "input")
            made[name] = Channel(name, QUANTITIES[kind], label_of(folder / f"in_{name}_label"), read)
    return tuple(made.values())


class _Input:
    """A channel's value in the quantity's unit."""

    def __init__(self, folder: Path, name: str, kind: str, *, ready: bool) -> None:
        self._folder = folder
        self._name = name
        self._kind = kind
        self._ready = ready

    def __call__(self) -> float:
        factor = QUANTITIES[self._kind].factor
        if self._ready:
            return number_of(self._folder / f"in_{self._name}_input") * factor
        raw = number_of(self._folder / f"in_{self._name}_raw")
        return (raw + self._shared("offset", 0.0)) * self._shared("scale", 1.0) * factor

    def _shared(self, what: str, default: float) -> float:
        """Return the channel's own `what`, or the one of its type: read anew, since a gain may be changed."""
        shared = f"{self._kind}-{self._kind}" if "-" in self._name else self._kind
        for name in (self._name, shared):
            path = self._folder / f"in_{name}_{what}"
            if path.exists():
                return number_of(path)
        return default
