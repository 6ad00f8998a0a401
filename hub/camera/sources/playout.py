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
_EARLY_S = 0.001


class PlayOut:
    """A queue with one timer; `take` gets the access units in the order in which they were put."""

    def __init__(self, take: Callable[[AccessUnit], None]) -> None:
        self._take = take
        self._queue: deque[tuple[float, AccessUnit]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, units: Iterable[tuple[float, AccessUnit]]) -> None:
        """Queue units, each with the moment it is due, in seconds of the monotonic clock."""
        self._queue.extend(units)
        if self._timer is None:
            self._step()

    def clear(self) -> None:
        """Drop what is not handed on yet."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _step(self) -> None:
        self._timer = None
        queue, now_s = self._queue, time.monotonic()
        while queue and queue[0][0] <= now_s + _EARLY_S:
            self._take(queue.popleft()[1])
        if queue:
            self._timer = asyncio.get_running_loop().call_later(queue[0][0] - now_s, self._step)
