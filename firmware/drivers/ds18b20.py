"""Maxim DS18B20: temperature on a 1-Wire bus (datasheet 19-7487, rev 6), powered by VDD, not by its data.

Several share a pin: an entry each, with the `rom` of each. Where a sensor without `rom` is not alone, the
codes of all that are there are printed.
"""

import binascii
import errno

from . import metrics
from .options import one_of, pin, prefixed, text
from .sensor import Sensor, signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware, Wire

REQUIRED = ("pin",)
_SKIP_ROM, _MATCH_ROM, _CONVERT, _WRITE, _READ = 0xCC, 0x55, 0x44, 0x4E, 0xBE
_FAMILY = 0x28
# TH and TL are of no use here, but a chip that lost its power shows it by those of its EEPROM.
_TH, _TL = 0x5A, 0xA5


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return prefixed({"pin": pin(), "rom": text(16), "bits": one_of((9, 10, 11, 12), 12)})


def crc8(data: "bytes | bytearray") -> int:
    """Return the 1-Wire checksum: x^8 + x^5 + x^4 + 1, low bit first; of what ends with its own it is 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


def centidegrees(low: int, high: int) -> int:
    """Return the temperature registers in 0.01 °C: 0x07D0 is 125 °C, 0xFF5E -10.125 °C (table 1)."""
    return (signed(high << 8 | low) * 100 + 8) // 16


def parse_rom(code: str) -> bytes:
    """Return a ROM code's 8 bytes. Raises ValueError."""
    try:
        rom = binascii.unhexlify(code)
    except ValueError:
        rom = b""
    if len(rom) != 8 or rom[0] != _FAMILY or crc8(rom) != 0:
        raise ValueError(f"rom must be 16 hex digits of a DS18B20, as in 28ab907856341224, not {code!r}")
    return rom


class Ds18b20(Sensor):
    """One sensor's temperature in 0.01 °C."""

    def __init__(self, wire: "Wire", rom: "bytes | None", bits: int, entries: "list[dict[str, Any]]") -> None:
        super().__init__(entries)
        self._wire = wire
        self._select = bytes((_SKIP_ROM,)) if rom is None else bytes((_MATCH_ROM,)) + rom
        self._alone = rom is None
        self._marks = bytes((_TH, _TL, (bits - 9) << 5 | 0x1F))
        self._convert_ms = 750 >> 12 - bits  # at most (table 2)

    def setup(self) -> None:
        """Set the resolution. Raises OSError where no sensor is there, or more than the one."""
        if self._alone:
            found = [binascii.hexlify(bytes(rom)).decode() for rom in self._wire.scan()]
            if len(found) > 1:
                raise OSError(errno.ENODEV, "several sensors on one pin; say rom: " + ", ".join(found))
        self._command(_WRITE, self._marks)

    def start(self) -> int:
        """Start a conversion."""
        self._command(_CONVERT)
        return self._convert_ms + 1

    def fetch(self) -> "list[int | None]":
        """Return the temperature. Raises OSError for a wrong checksum, or a chip that started anew."""
        self._command(_READ)
        data = bytearray(9)
        self._wire.readinto(data)
        if crc8(data) != 0 or not any(data):
            raise OSError(errno.EIO, "wrong checksum")
        if data[2:5] != self._marks:
            raise OSError(errno.EIO, "the chip lost its settings")
        return [centidegrees(data[0], data[1])]

    def _command(self, code: int, data: bytes = b"") -> None:
        if not self._wire.reset():
            raise OSError(errno.ENODEV, "nothing on the 1-Wire bus")
        self._wire.write(self._select + bytes((code,)) + data)


def make(data: "dict[str, Any]", hardware: "Hardware") -> Ds18b20:
    """Return the sensor for an entry of `board.json`."""
    rom = parse_rom(data["rom"]) if "rom" in data else None
    entries = metrics(data, (("temperature", "\u00b0C", 2, "Temperature"),))
    return Ds18b20(hardware.one_wire(data["pin"]), rom, data["bits"], entries)
