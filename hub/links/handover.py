"""From a library's thread to the event loop: ordered, bounded, in turns with the loop's other work."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

T = TypeVar("T")

# So many items may wait for the event loop; then the thread waits, and by TCP whoever sends to it.
WAITING = 10_000
# So many are taken in one go, so that a flood leaves the loop's other tasks their turns.
AT_ONCE = 200


class Handover(Generic[T]):
    """A bounded queue from one thread to the event loop, in order; a full one makes the thread wait.

    `take` is called on the loop's thread with a few items at a time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[list[T]], None]) -> None:
        self._loop = loop
        self._take = take
        self._items: deque[T] = deque()
        self._room = threading.BoundedSemaphore(WAITING)
        self._lock = threading.Lock()
        self._scheduled = False
        self._closed = False

    def put(self, item: T) -> None:
        """Hand `item` over; called on the thread."""
        while not self._room.acquire(timeout=0.2):
            if self._closed:
                return
        with self._lock:
            self._items.append(item)
            if self._scheduled or self._closed:
                return
            self._scheduled = True
        # RuntimeError: the loop is closed, and the hub with it.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._drain)

    def close(self) -> None:
        """Take nothing more, and let a waiting thread go."""
        self._closed = True

    def _drain(self) -> None:
        with self._lock:
            items = [self._items.popleft() for _ in range(min(AT_ONCE, len(self._items)))]
            self._scheduled = bool(self._items) and not self._closed
        if self._scheduled:
            self._loop.call_soon(self._drain)
        for _ in items:
            self._room.release()
        if not self._closed:
            self._take(items)
