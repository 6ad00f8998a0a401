"""An I2C bus: chips by their 7-bit address, and what a chip on it is."""

from __future__ import annotations

from typing import Protocol


class NoAcknowledge(Exception):
    """The chip did not acknowledge its address or a byte."""


class Chip(Protocol):
    """A chip at an address of a bus. Both calls may raise NoAcknowledge."""

    def write(self, data: bytes) -> None:
        """Take the bytes of one write transfer."""

    def read(self, count: int) -> bytes:
        """Return the bytes of one read transfer."""


class I2cBus:
    """One bus: chips by their 7-bit address; `chips` may change while the board runs, as wires come loose."""

    def __init__(self, chips: dict[int, Chip]) -> None:
        self.chips = chips

    def scan(self) -> list[int]:
        """Return the addresses that acknowledge."""
        return sorted(self.chips)

    def chip(self, address: int) -> Chip:
        """Return the chip at an address. Raises NoAcknowledge where there is none."""
        try:
            return self.chips[address]
        except KeyError:
            raise NoAcknowledge(f"{address:#x}") from None
