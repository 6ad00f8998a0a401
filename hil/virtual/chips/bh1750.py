"""ROHM BH1750FVI, ambient light (technical note 11046EDT01): opcodes, no registers, one measurement word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.virtual.chips.bus import NoAcknowledge
from hil.virtual.chips.registers import clamp

if TYPE_CHECKING:
    from collections.abc import Callable

_POWER_DOWN, _POWER_ON, _RESET = 0x00, 0x01, 0x07
_DEFAULT_TIME = 69
_RESOLUTION = {0: (1, 0.180), 1: (2, 0.180), 3: (1, 0.024)}
"""Low bits of a measuring opcode → counts for each lx x 1.2, and the longest time in s."""


class Bh1750:
    """The chip at 0x23 (ADDR low) or 0x5C. An unfinished measurement leaves the old word."""

    def __init__(self, lux: Callable[[], float], now_s: Callable[[], float]) -> None:
        self._lux, self._now_s = lux, now_s
        self.power_on()

    def power_on(self) -> None:
        """Be as after power-on: powered down, with the default measuring time."""
        self._awake = False
        self._time = _DEFAULT_TIME
        self._word = 0
        self._next: tuple[float, int] | None = None
        self._once = False

    def write(self, data: bytes) -> None:
        """Take one opcode. Raises NoAcknowledge for one the chip does not know."""
        opcode = data[0] if data else 0
        if opcode in (_POWER_DOWN, _POWER_ON):
            self._awake = opcode == _POWER_ON
        elif opcode == _RESET:
            self._word = 0 if self._awake else self._word
        elif opcode >> 3 == 0b01000:
            self._time = (opcode & 7) << 5 | self._time & 0x1F
        elif opcode >> 5 == 0b011:
            self._time = self._time & 0xE0 | opcode & 0x1F
        elif opcode >> 4 in (1, 2) and opcode & 3 in _RESOLUTION and not opcode & 0xC:
            self._measure(opcode)
        else:
            raise NoAcknowledge(f"opcode {opcode:#04x}")

    def read(self, count: int) -> bytes:
        """Return the measurement's word, high byte first."""
        if self._next is not None and self._now_s() >= self._next[0]:
            self._word = self._next[1]
            self._next = None
            if self._once:
                self._awake = False
        return self._word.to_bytes(2, "big")[:count].ljust(count, b"\xff")

    def _measure(self, opcode: int) -> None:
        per_count, longest_s = _RESOLUTION[opcode & 3]
        self._awake, self._once = True, opcode >> 4 == 2
        word = clamp(self._lux() * 1.2 * per_count * self._time / _DEFAULT_TIME, 0, 0xFFFF)
        self._next = (self._now_s() + longest_s * self._time / _DEFAULT_TIME, word)
