"""Sensors that a driver of the kernel reads: what each room of sysfs finds, in one form."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.model import Value

# sysfs gives a page at most.
_MOST_BYTES = 4096
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")
_LONGEST_NAME = 64
# Buses on which chips of one name stand side by side: there the place on the bus is part of the name.
_BUSES = ("i2c", "spi", "usb", "w1", "iio", "hid", "nvme", "pci", "platform")


class Quantity(NamedTuple):
    """What a kind of channel measures; `factor` is how many of `unit` one of the kernel's unit is."""

    title: str
    unit: str
    decimals: int
    factor: float = 1.0


class Channel(NamedTuple):
    """One value of a device. `read` returns it in the quantity's unit; blocks; raises OSError, ValueError."""

    name: str
    quantity: Quantity
    label: str
    read: Callable[[], float]


class Device(NamedTuple):
    """A sensor that the kernel has: `kind` is iio, hwmon or w1, `id` its folder's name."""

    kind: str
    id: str
    name: str
    place: str
    """Where it is on its bus (`1-0076`); empty where it is the only one that can be."""
    channels: tuple[Channel, ...]

    def called(self, wanted: str) -> bool:
        """Tell whether the configuration may mean this device by `wanted`."""
        return wanted in (self.id, self.name, self.place)

    def prefix(self) -> str:
        """Return what the names of its metrics begin with: the same after every boot."""
        return metric_name(f"{self.name}_{self.place}" if self.place else self.name)


def metric_name(text: str) -> str:
    """Return `text` as the name of a metric: 1 to 64 of a-z 0-9 _ - . (docs/protocol.md)."""
    return _NOT_IN_NAMES.sub("_", text.lower()).strip("_.-")[:_LONGEST_NAME] or "sensor"


def place_of(device: Path) -> str:
    """Return where on a bus the device is whose folder in sysfs is a link or a folder with `device`."""
    try:
        link = device / "device"
        target = link.resolve() if link.exists() else device.resolve().parent
        bus = (target / "subsystem").resolve().name if (target / "subsystem").exists() else ""
    except (OSError, RuntimeError):
        return ""
    return target.name if bus in _BUSES else ""


def text_of(path: Path) -> str:
    """Return a small file's text. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode("ascii", "replace").strip("\0 \t\r\n")


def label_of(path: Path) -> str:
    """Return a label's printable text, or "" where there is none."""
    try:
        text = text_of(path)
    except OSError:
        return ""
    return "".join(letter for letter in text if letter.isprintable())[:40]


def number_of(path: Path) -> float:
    """Return a file's number. Raises OSError; ValueError where it holds none that is finite."""
    value = float(text_of(path))
    if not math.isfinite(value):
        raise ValueError(f"{path.name} holds {value}")
    return value


def rounded(value: float, decimals: int) -> Value:
    """Return a value with the digits that are worth showing; None where it is no number any more."""
    if not math.isfinite(value):
        return None
    return round(value, decimals) if decimals else round(value)


def entries(parent: Path) -> list[Path]:
    """Return what a folder holds, `in10` after `in9`; nothing where it is not there."""
    try:
        return sorted(parent.iterdir(), key=lambda path: _order(path.name))
    except OSError:
        return []


def _order(name: str) -> list[tuple[str, int]]:
    return [(words, int(number or 0)) for words, number in re.findall(r"([^0-9]*)([0-9]*)", name)]
