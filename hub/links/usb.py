"""Which USB serial ports may be boards: by vendor, and by the words that other sticks have in their names.

A hub that opened every port would disturb Zigbee coordinators, modems and GPS receivers: opening a port
raises its DTR, and some of them restart by that.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from serial.tools import list_ports

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serial.tools.list_ports_common import ListPortInfo

# Vendors whose own USB serial ports are boards' (MicroPython's ports, `MICROPY_HW_USB_VID`).
BOARDS = {
    0x2E8A: "Raspberry Pi",
    0x303A: "Espressif",
    0x239A: "Adafruit",
    0x2341: "Arduino",
    0x1B4F: "SparkFun",
    0x2886: "Seeed",
    0xF055: "MicroPython",
}
# Makers of UART bridges, which sit on ESP32 boards and on everything else.
BRIDGES = {0x10C4: "Silicon Labs CP210x", 0x1A86: "WCH CH34x", 0x0403: "FTDI", 0x067B: "Prolific"}
# What other sticks with these vendors' chips call themselves (as in Home Assistant's list of USB sticks).
_FOREIGN = re.compile(
    r"zig(?:bee|star|ate)|z-?wave|zooz|aeotec|zwa-\d|zbt-\d|skyconnect|conbee|raspbee|sonoff|slzb|tubeszb"
    r"|2652|bv 2010/10|nabu casa|rfxcom|enocean|rainforest|insteon|velbus|\bgps|gnss|u-blox",
    re.IGNORECASE,
)
# A Pico that waits for a UF2 file shows a drive of this name and no serial port.
_BOOTLOADERS = ("RPI-RP2", "RP2350")


class UsbPort(msgspec.Struct, frozen=True, kw_only=True):
    """A USB serial port that may be a board's."""

    device: str
    """The device file, such as /dev/ttyACM0."""
    maker: str = ""
    bridge: bool = False
    """A UART bridge, behind which may be anything."""
    serial: str | None = None
    location: str | None = None
    """The hub's socket that it is plugged into, as 1-1.2."""

    @property
    def text(self) -> str:
        """How a person tells it from others."""
        number = f", serial number {self.serial}" if self.serial else ""
        return f"{self.device} ({self.maker or 'unknown maker'}{number})"

    def same(self, other: UsbPort) -> bool:
        """Tell whether `other` is this board again, maybe by another device file."""
        if self.serial is not None or other.serial is not None:
            return self.serial == other.serial
        return self.location is not None and self.location == other.location


def boards() -> list[UsbPort]:
    """Return the ports that may be boards', sorted by device. Raises OSError while sysfs changes."""
    return candidates(list_ports.comports())


def candidates(ports: Iterable[ListPortInfo]) -> list[UsbPort]:
    """Return those of the system's serial ports that may be boards'."""
    found = (_candidate(port) for port in ports)
    return sorted((port for port in found if port is not None), key=lambda port: port.device)


def others() -> list[UsbPort]:
    """Return the USB ports that are taken for no board's."""
    return [_port(port) for port in list_ports.comports() if port.vid and _candidate(port) is None]


def at(path: str) -> UsbPort | None:
    """Return the USB port that `path` leads to, of whichever maker; None where it is none."""
    device = os.path.realpath(path)
    return next((_port(port) for port in list_ports.comports() if port.vid and port.device == device), None)


def again(before: UsbPort) -> UsbPort | None:
    """Return the board at the port `before`, which it may have left for another; None while it is away."""
    ports = (_port(port) for port in list_ports.comports() if port.vid)
    return next((port for port in ports if port.same(before)), None)


def _candidate(port: ListPortInfo) -> UsbPort | None:
    names = " ".join(filter(None, (port.description, port.product, port.manufacturer)))
    if port.vid is None or port.vid not in BOARDS | BRIDGES or _FOREIGN.search(names):
        return None
    return _port(port)


def _port(port: ListPortInfo) -> UsbPort:
    return UsbPort(
        device=port.device,
        maker=" ".join(filter(None, ((BOARDS | BRIDGES).get(port.vid), port.product))),
        bridge=port.vid in BRIDGES,
        serial=port.serial_number or None,
        location=port.location or None,
    )


def bootloaders(labels: Path = Path("/dev/disk/by-label")) -> list[str]:
    """Return the names of the drives here that are boards waiting for MicroPython."""
    return [name for name in _BOOTLOADERS if (labels / name).exists()]
