"""A chip whose registers are bytes: the first byte written points, the rest is written from there on."""

from __future__ import annotations

from typing import ClassVar, Literal


class ByteRegisters:
    """256 registers of a byte each, behind a pointer that each byte read or written moves on.

    A chip overrides `wrote` (a register was set from the bus) and `refresh` (called before each read).
    """

    def __init__(self) -> None:
        self.registers = bytearray(256)
        self._pointer = 0

    def write(self, data: bytes) -> None:
        """Take one write transfer: the pointer, then values."""
        if not data:
            return
        self._pointer = data[0]
        for value in data[1:]:
            register = self._pointer
            self._pointer = (register + 1) & 0xFF
            self.wrote(register, value)

    def read(self, count: int) -> bytes:
        """Return `count` registers from the pointer on."""
        self.refresh()
        data = bytes(self.registers[(self._pointer + offset) & 0xFF] for offset in range(count))
        self._pointer = (self._pointer + count) & 0xFF
        return data

    def wrote(self, register: int, value: int) -> None:
        """Act on a value written to a register; here it is kept."""
        self.registers[register] = value

    def refresh(self) -> None:
        """Bring the registers up to date."""

    def put(self, register: int, data: bytes) -> None:
        """Set registers from within the chip."""
        self.registers[register : register + len(data)] = data


class WordRegisters:
    """Registers of 16 bits behind a pointer that stays where it is, as on sensors with command codes."""

    BYTE_ORDER: ClassVar[Literal["big", "little"]] = "big"

    def __init__(self) -> None:
        self.words: dict[int, int] = {}
        self._pointer = 0

    def write(self, data: bytes) -> None:
        """Take one write transfer: the pointer, and a word where two bytes follow."""
        if not data:
            return
        self._pointer = data[0]
        if len(data) >= 3:
            self.wrote(self._pointer, int.from_bytes(data[1:3], self.BYTE_ORDER))

    def read(self, count: int) -> bytes:
        """Return the word at the pointer, high byte or low byte first as the chip has it."""
        self.refresh()
        data = (self.words.get(self._pointer, 0) & 0xFFFF).to_bytes(2, self.BYTE_ORDER)
        self.was_read(self._pointer)
        return (data * (count // 2 + 1))[:count]

    def wrote(self, register: int, value: int) -> None:
        """Act on a word written to a register; here it is kept."""
        self.words[register] = value

    def was_read(self, register: int) -> None:
        """Act on a register having been read."""

    def refresh(self) -> None:
        """Bring the registers up to date."""


def clamp(value: float, low: int, high: int) -> int:
    """Return the nearest whole number that a register from `low` to `high` can hold."""
    return min(high, max(low, round(value)))
