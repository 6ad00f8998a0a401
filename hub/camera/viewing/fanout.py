"""One stream of access units to any number of viewers; a slow one loses pictures, nobody else does."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.camera.media import AccessUnit


class Unsubscribed(Exception):
    """The subscription was closed while somebody waited on it."""


class Subscription:
    """One viewer's bounded queue. It begins with a keyframe, and after an overflow again with one."""

    def __init__(self, limit: int) -> None:
        self.leave: Callable[[], None] = lambda: None
        self._limit = limit
        self._units: deque[AccessUnit] = deque()
        self._news = asyncio.Event()
        self._needs_keyframe = True
        self.closed = False
        self.dropped = 0
        """Access units that this viewer lost because it was behind."""

    async def next(self) -> AccessUnit:
        """Wait for the next access unit. Raises Unsubscribed."""
        while not self._units:
            if self.closed:
                raise Unsubscribed
            self._news.clear()
            await self._news.wait()
        return self._units.popleft()

    def close(self) -> None:
        """Leave the fan-out; may be called twice."""
        if not self.closed:
            self.closed = True
            self._units.clear()
            self._news.set()
            self.leave()

    def offer(self, unit: AccessUnit) -> None:
        """Take a unit, or drop it; never blocks."""
        if unit.keyframe:
            if not self._needs_keyframe and len(self._units) >= self._limit:
                self._drop_queued()
            self._needs_keyframe = False
        elif self._needs_keyframe:
            return
        elif len(self._units) >= self._limit:
            self._drop_queued()
            self.dropped += 1
            self._needs_keyframe = True
            return
        self._units.append(unit)
        self._news.set()

    def _drop_queued(self) -> None:
        self.dropped += len(self._units)
        self._units.clear()


class Fanout:
    """Hands each access unit to all who joined. Loop thread only."""

    def __init__(self, *, limit: int = 60, on_change: Callable[[int], None] = lambda _: None) -> None:
        self._limit = limit
        self._on_change = on_change
        self._takers: dict[object, Callable[[AccessUnit], None]] = {}
        self._all: tuple[Callable[[AccessUnit], None], ...] = ()

    def __len__(self) -> int:
        return len(self._takers)

    def join(self, take: Callable[[AccessUnit], None]) -> Callable[[], None]:
        """Have `take` called with every unit from now on; gives the function that leaves."""
        key = object()
        self._takers[key] = take
        self._changed()

        def leave() -> None:
            if self._takers.pop(key, None) is not None:
                self._changed()

        return leave

    def subscribe(self) -> Subscription:
        """Join with a queue; the first unit that comes is a keyframe."""
        subscription = Subscription(self._limit)
        subscription.leave = self.join(subscription.offer)
        return subscription

    def publish(self, unit: AccessUnit) -> None:
        """Give the unit to everyone."""
        for take in self._all:
            take(unit)

    def _changed(self) -> None:
        self._all = tuple(self._takers.values())
        self._on_change(len(self._takers))
