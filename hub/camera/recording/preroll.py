"""The last seconds of a stream, kept in memory: what a recording begins with."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hub.camera.media import RTP_CLOCK_HZ
from hub.camera.viewing.rtp import nal_units

if TYPE_CHECKING:
    from hub.camera.media import AccessUnit

_LIMIT_BYTES = 32 << 20
_SPS, _PPS = 7, 8


def parameter_sets(keyframe: AccessUnit) -> list[bytes]:
    """Give what tells the size and the coding of the pictures to come (H.264, 7.4.1.2.1)."""
    return [unit for unit in nal_units(keyframe.data) if unit[0] & 0x1F in (_SPS, _PPS)]


class PreRoll:
    """Whole groups of pictures, each from its keyframe on, that reach back at least `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._ticks = int(seconds * RTP_CLOCK_HZ)
        self._groups: deque[list[AccessUnit]] = deque()
        self._bytes = 0
        self._sets: list[bytes] = []

    def take(self, unit: AccessUnit) -> None:
        """Remember a unit, and forget groups that are no longer needed.

        Where the picture's form changes all before is forgotten: one file cannot hold both.
        """
        if unit.keyframe:
            sets = parameter_sets(unit)
            if sets != self._sets:
                self._groups.clear()
                self._bytes, self._sets = 0, sets
            self._groups.append([])
        elif not self._groups:
            return
        self._groups[-1].append(unit)
        self._bytes += unit.held_bytes
        while len(self._groups) > 1 and (self._is_covered(unit.pts) or self._bytes > _LIMIT_BYTES):
            self._bytes -= sum(old.held_bytes for old in self._groups.popleft())

    def units(self) -> list[AccessUnit]:
        """Return what is remembered, oldest first; it begins with a keyframe."""
        return [unit for group in self._groups for unit in group]

    def _is_covered(self, now: int) -> bool:
        """Say whether the groups after the first reach back far enough by themselves."""
        return now - self._groups[1][0].pts >= self._ticks
