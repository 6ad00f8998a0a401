"""JPEGs: the last one, who waits for the next, and how often they are wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.camera.errors import CameraError
    from hub.camera.media import Still

FRESH_MS = 900
"""A still older than this is not served again, so that one arrives less than a second old."""


class Stills:
    """The camera's JPEGs, shared by all who look: each is coded once. Loop thread only."""

    def __init__(self) -> None:
        self._last: Still | None = None
        self._waiting: set[asyncio.Future[Still]] = set()

    def fresh(self, now_ms: int) -> Still | None:
        """Give the last still if it is young enough (a clock that jumped makes it not so)."""
        last = self._last
        return last if last is not None and 0 <= now_ms - last.time_ms <= FRESH_MS else None

    async def next(self) -> Still:
        """Wait for the next still. Raises CameraError when the capture fails meanwhile."""
        waiter: asyncio.Future[Still] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            return await waiter
        finally:
            self._waiting.discard(waiter)

    def came(self, still: Still) -> None:
        """Hand a still to all who wait."""
        self._last = still
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(still)

    def failed(self, error: CameraError) -> None:
        """Tell all who wait that none comes."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(error)
