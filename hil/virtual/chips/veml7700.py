"""Vishay VEML7700, ambient light (datasheet 84286, 2024; application note 84323 for the resolutions)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from hil.virtual.chips.registers import WordRegisters, clamp

if TYPE_CHECKING:
    from collections.abc import Callable

_CONF, _ALS, _WHITE, _ID = 0x00, 0x04, 0x05, 0x07
_SHUT_DOWN = 1
_GAINS = {0: 1.0, 1: 2.0, 2: 0.125, 3: 0.25}
_TIMES_MS = {0: 100, 1: 200, 2: 400, 3: 800, 8: 50, 12: 25}
_FINEST_LX = 0.0042
"""For each count at gain 2 and 800 ms (application note, table 1)."""


def resolution_lx(configuration: int) -> float:
    """Return the lx for each count that a configuration word (gain, integration time) gives."""
    gain, time_ms = _GAINS[configuration >> 11 & 3], _TIMES_MS[configuration >> 6 & 15]
    return _FINEST_LX * (2 / gain) * (800 / time_ms)


class Veml7700(WordRegisters):
    """The chip at 0x10. It measures over and over; a new configuration shows after its integration time."""

    BYTE_ORDER: ClassVar[Literal["big", "little"]] = "little"

    def __init__(self, lux: Callable[[], float], now_s: Callable[[], float]) -> None:
        super().__init__()
        self._lux, self._now_s = lux, now_s
        self._ready_s = 0.0
        self.power_on()

    def power_on(self) -> None:
        """Be as after power-on: shut down, gain 1, 100 ms."""
        self.words.clear()
        self.words.update({_CONF: _SHUT_DOWN, _ALS: 0, _WHITE: 0, _ID: 0xC481})

    def wrote(self, register: int, value: int) -> None:
        """Take a word; results and the ID are for reading."""
        if register > 3:
            return
        self.words[register] = value
        if register == _CONF and not value & _SHUT_DOWN:
            self._ready_s = self._now_s() + (_TIMES_MS.get(value >> 6 & 15, 100) + 2.5) / 1000

    def refresh(self) -> None:
        """Put what the light is now into the results, once a whole integration has passed."""
        configuration = self.words[_CONF]
        if configuration & _SHUT_DOWN or self._now_s() < self._ready_s:
            return
        lux = self._lux()
        self.words[_ALS] = clamp(lux / resolution_lx(configuration), 0, 0xFFFF)
        self.words[_WHITE] = clamp(lux * 1.3 / resolution_lx(configuration), 0, 0xFFFF)
