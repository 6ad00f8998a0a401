"""1-Wire thermometers by the kernel's w1_therm (kernel: Documentation/w1/slaves/w1_therm)."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from hub.links.pins.kernel import Channel, Device, Quantity, entries, number_of, text_of

if TYPE_CHECKING:
    from pathlib import Path

TEMPERATURE = Quantity("Temperature", "°C", 2, 1e-3)
# The families that w1_therm reads.
FAMILIES = {"10": "ds18s20", "22": "ds1822", "28": "ds18b20", "3b": "ds1825", "42": "ds28ea00"}
DS18B20 = "28"
_ID = re.compile(r"([0-9a-f]{2})-[0-9a-f]{12}")
_ROM = re.compile(r"([0-9a-f]{2})([0-9a-f]{12})[0-9a-f]{2}")
_CELSIUS = re.compile(r"t=(-?\d{1,6})\s*$")


def quantity(channel: str) -> Quantity | None:
    """Return what a channel of that name measures: `temperature` is the only one."""
    return TEMPERATURE if channel == "temperature" else None


def find(sys_root: Path) -> list[Device]:
    """Return the thermometers that are there now."""
    found = []
    for folder in entries(sys_root / "bus/w1/devices"):
        match = _ID.fullmatch(folder.name)
        if match is not None and match[1] in FAMILIES:
            channel = Channel("temperature", TEMPERATURE, "", _Temperature(folder))
            found.append(Device("w1", folder.name, FAMILIES[match[1]], folder.name, (channel,)))
    return found


def device_of(rom: str) -> str:
    """Return the kernel's name of a DS18B20, also by the code that boards call it by. Raises ValueError.

    The code is the family, the serial number low byte first, a checksum: 28ab907856341224 is 28-1234567890ab.
    """
    if _ID.fullmatch(rom) is not None:
        return rom
    match = _ROM.fullmatch(rom.lower())
    if match is None or match[1] != DS18B20:
        raise ValueError(f"rom must be as 28-1234567890ab or 28ab907856341224, not {rom!r}")
    return f"{match[1]}-{bytes.fromhex(match[2])[::-1].hex()}"


class _Temperature:
    """A thermometer's value in °C: a conversion of up to 0.75 s. OSError where its checksum is wrong."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self) -> float:
        ready = self._folder / "temperature"
        if ready.exists():
            return number_of(ready) * TEMPERATURE.factor
        text = text_of(self._folder / "w1_slave")
        first = text.splitlines()[0] if text else ""
        if not first.endswith("YES"):
            raise OSError(errno.EIO, "wrong checksum")
        match = _CELSIUS.search(text)
        if match is None:
            raise OSError(errno.EIO, "no temperature")
        return int(match[1]) * TEMPERATURE.factor
