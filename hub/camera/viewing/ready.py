"""Bursts of pictures that were read ahead, made and laid out before they are due, many at a time.

One at a time, thirty times a second, each step of that finds the CPU's caches cold, which costs ten times as
much. Sequence numbers are guessed here, from what waits; a wrong guess costs the laying out, no more.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from hub.camera.media import AccessUnit
    from hub.camera.viewing.burst import Burst, Lane


class Ready:
    """A queue of them. `make` gives a unit's bursts, the first with the sequence number it is given."""

    def __init__(self, make: Callable[[AccessUnit, int], list[Burst]]) -> None:
        self._make = make
        self._queue: deque[tuple[AccessUnit, list[Burst]]] = deque()
        self._packets = 0
        """In the queue."""

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, units: Iterable[AccessUnit], sequence: int, lanes: Collection[Lane]) -> None:
        """Make units ready, in the order in which they will be taken; `sequence` is the next to be sent."""
        for unit in units:
            made = self._make(unit, (sequence + self._packets) & 0xFFFF)
            for burst in made:
                self._packets += len(burst.payloads)
                for lane in lanes:
                    burst.layout(lane)
            self._queue.append((unit, made))

    def take(self, unit: AccessUnit, sequence: int) -> list[Burst]:
        """Give a unit's bursts, numbered from `sequence` on, whether they were made ready or not."""
        while self._queue and self._queue[0][0].pts <= unit.pts:
            known, made = self._queue.popleft()
            for burst in made:
                self._packets -= len(burst.payloads)
            if known is unit:
                return made if not made or made[0].first_sequence == sequence else self._make(unit, sequence)
        return self._make(unit, sequence)

    def clear(self) -> None:
        """Forget all."""
        self._queue.clear()
        self._packets = 0
