"""hwmon: voltages, temperatures, fans, power (kernel: Documentation/hwmon/sysfs-interface)."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from hub.links.pins.kernel import Channel, Device, Quantity, entries, label_of, number_of, place_of

if TYPE_CHECKING:
    from pathlib import Path

# The kernel's units: mV, m°C, mA, µW, µJ, RPM, m%.
QUANTITIES = {
    "in": Quantity("Voltage", "V", 3, 1e-3),
    "temp": Quantity("Temperature", "°C", 2, 1e-3),
    "curr": Quantity("Current", "A", 3, 1e-3),
    "power": Quantity("Power", "W", 3, 1e-6),
    "energy": Quantity("Energy", "J", 1, 1e-6),
    "fan": Quantity("Fan", "rpm", 0),
    "humidity": Quantity("Humidity", "%", 2, 1e-3),
}
_INPUT = re.compile(r"((in|temp|curr|power|energy|fan|humidity)\d{1,3})_(input|average)")
# What the Pi tells of itself already, and bridges to what other rooms read.
_TOLD = ("cpu_thermal", "rpi_volt", "w1_slave_temp", "iio_hwmon")


def quantity(channel: str) -> Quantity | None:
    """Return what a channel of that name measures; None where the kernel has none of that kind."""
    match = _INPUT.fullmatch(f"{channel}_input")
    return None if match is None else QUANTITIES.get(match[2])


def find(sys_root: Path) -> list[Device]:
    """Return the chips that are there now."""
    found = []
    for folder in entries(sys_root / "class/hwmon"):
        name = label_of(folder / "name")
        channels = _channels(folder)
        if name and name not in _TOLD and channels:
            found.append(Device("hwmon", folder.name, name, place_of(folder), channels))
    return found


def _channels(folder: Path) -> tuple[Channel, ...]:
    made: dict[str, Channel] = {}
    for path in entries(folder):
        match = _INPUT.fullmatch(path.name)
        # A power sensor may have both; what it has now comes first.
        if match is None or (match[3] == "average" and match[1] in made):
            continue
        made[match[1]] = Channel(
            match[1], QUANTITIES[match[2]], label_of(folder / f"{match[1]}_label"), _Input(path, match[1])
        )
    return tuple(made.values())


class _Input:
    """A channel's value; OSError where the chip says that the sensor has a fault."""

    def __init__(self, path: Path, channel: str) -> None:
        self._path = path
        self._fault = path.with_name(f"{channel}_fault")
        self._factor = QUANTITIES[channel.rstrip("0123456789")].factor

    def __call__(self) -> float:
        value = number_of(self._path) * self._factor
        if self._fault.exists() and number_of(self._fault):
            raise OSError(errno.EIO, f"{self._path.name}: the chip reports a fault of the sensor")
        return value
