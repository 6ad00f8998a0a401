"""Pictures of a file that were read ahead, handed on when each is due. Loop thread only."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.camera.media import AccessUnit

AHEAD_S = 1.0
"""So far ahead a file is read: a card that is busy for a moment holds up no picture, and a thread that wakes
twice a second instead of thirty times costs a tenth."""


class PlayOut:
    """A queue with a timer for each picture; `take` gets the access units in the order they were put in.

    The timers are set together when a batch comes: one by one, each finds the CPU's caches cold.
    """

    def __init__(self, take: Callable[[AccessUnit], None]) -> None:
        self._take = take
        self._queue: deque[tuple[AccessUnit, asyncio.Handle]] = deque()

    def put(self, units: Iterable[tuple[float, AccessUnit]]) -> None:
        """Queue units, each with the moment it is due, in seconds of the monotonic clock."""
        loop, now_s = asyncio.get_running_loop(), time.monotonic()
        for due_s, unit in units:
            wait_s = due_s - now_s
            if wait_s <= 0 and not self._queue:
                self._take(unit)
            else:
                self._queue.append((unit, loop.call_later(max(wait_s, 0.0), self._next)))

    def clear(self) -> None:
        """Drop what is not handed on yet."""
        for _, timer in self._queue:
            timer.cancel()
        self._queue.clear()

    def _next(self) -> None:
        # whichever timer fires first, the order stays
        self._take(self._queue.popleft()[0])
