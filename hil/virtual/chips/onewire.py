"""A 1-Wire bus, bit by bit as a host's time slots see it, and what all devices on it have in common.

ROM commands are those of the DS18B20 datasheet (Maxim 19-7487, rev 6), figure 13; the search is that of
Maxim's application note 187.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

SEARCH_ROM, READ_ROM, MATCH_ROM, SKIP_ROM = 0xF0, 0x33, 0x55, 0xCC
_BUSY = -1


def maxim_crc8(data: bytes) -> int:
    """Return the checksum of ROM codes and scratchpads: x^8 + x^5 + x^4 + 1, low bit first, start 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


class OneWireDevice:
    """A device with a ROM code of 8 bytes. A subclass answers function commands in `command` and `take`."""

    def __init__(self, rom: bytes) -> None:
        if len(rom) != 8 or maxim_crc8(rom[:7]) != rom[7]:
            raise ValueError(f"{rom.hex()} is no ROM code: 8 bytes, the last their CRC")
        self.rom = rom
        self._steps: Iterator[int | None] | None = None
        self._sends: int | None = None
        self._heard = 0

    def reset(self) -> None:
        """Take a reset pulse: wait for a ROM command."""
        self._steps = self._life()
        self._sends = next(self._steps)

    @property
    def sends(self) -> int | None:
        """What the device puts into the next time slot: 0, 1, or None where it only listens."""
        if self._sends == _BUSY:
            return 0 if self.busy() else 1  # as it is in this very slot
        return self._sends

    def slot(self, bit: int) -> None:
        """One time slot that read `bit` on the wire, whoever put it there."""
        if self._steps is None:
            return
        self._heard = bit
        try:
            self._sends = next(self._steps)
        except StopIteration:
            self._steps, self._sends = None, None

    def command(self, code: int) -> bytes | int:
        """Act on a function command; return bytes to send, or how many to take."""
        raise NotImplementedError

    def take(self, code: int, data: bytes) -> None:
        """Take the bytes that a command asked for."""

    def busy(self) -> bool:
        """Whether a command is under way; a busy device answers read slots with 0."""
        return False

    def _life(self) -> Iterator[int | None]:
        """From reset to reset, a time slot a step: yields what the device sends in it."""
        code = yield from self._byte()
        if code == READ_ROM:
            yield from _bits(self.rom)
        elif code in (SEARCH_ROM, MATCH_ROM):
            for bit in _bits(self.rom):
                if code == SEARCH_ROM:
                    yield bit
                    yield bit ^ 1
                yield None
                if self._heard != bit:
                    return  # another device was meant
        elif code != SKIP_ROM:
            return
        if code != SEARCH_ROM:
            yield from self._function()

    def _function(self) -> Iterator[int | None]:
        code = yield from self._byte()
        answer = self.command(code)
        if isinstance(answer, bytes):
            yield from _bits(answer)
            return
        data = bytearray()
        for _ in range(answer):
            data.append((yield from self._byte()))
        if answer:
            self.take(code, bytes(data))
        while True:
            yield _BUSY

    def _byte(self) -> Generator[int | None, None, int]:
        value = 0
        for place in range(8):
            yield None
            value |= self._heard << place
        return value


class OneWireBus:
    """The wire: a bit is 0 where anyone pulls it low. `devices` may change while the board runs."""

    def __init__(self, devices: Iterable[OneWireDevice] = ()) -> None:
        self.devices = list(devices)

    def reset(self) -> bool:
        """Send a reset pulse; return whether a device is present."""
        for device in self.devices:
            device.reset()
        return bool(self.devices)

    def slot(self, bit: int) -> int:
        """Make a time slot; return what was on the wire. To read is to write 1 and see who pulls it low."""
        for device in self.devices:
            if device.sends == 0:
                bit = 0
        for device in self.devices:
            device.slot(bit)
        return bit

    def write(self, data: bytes) -> None:
        """Write bytes, low bit first."""
        for bit in _bits(data):
            self.slot(bit)

    def read(self, count: int) -> bytes:
        """Read bytes, low bit first."""
        return bytes(sum(self.slot(1) << place for place in range(8)) for _ in range(count))


def _bits(data: bytes) -> Iterator[int]:
    for byte in data:
        for place in range(8):
            yield byte >> place & 1
