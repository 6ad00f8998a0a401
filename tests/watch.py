"""A sink for tests that keeps every event and lets a test wait for what it needs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.model import Born, Gone, LinkHealth, LogLine, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model import LinkEvent


class Watch:
    """Called with events as any sink; `until` waits for a condition on all that came."""

    def __init__(self) -> None:
        self.events: list[LinkEvent] = []
        self._news = asyncio.Event()

    def __call__(self, event: LinkEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, met: Callable[[Watch], object]) -> None:
        async with asyncio.timeout(40):
            while not met(self):
                self._news.clear()
                await self._news.wait()

    @property
    def born(self) -> list[Born]:
        return [event for event in self.events if isinstance(event, Born)]

    @property
    def gone(self) -> list[Gone]:
        return [event for event in self.events if isinstance(event, Gone)]

    @property
    def readings(self) -> list[Reading]:
        return [event for event in self.events if isinstance(event, Reading)]

    @property
    def lines(self) -> list[LogLine]:
        return [event for event in self.events if isinstance(event, LogLine)]

    @property
    def health(self) -> list[LinkHealth]:
        return [event for event in self.events if isinstance(event, LinkHealth)]
