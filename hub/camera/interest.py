"""Who looks at a camera: it is open from the first holder until a while after the last. Loop thread only."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LINGER_S = 2.0
"""A camera stays open this long after the last look: opening one takes up to a second."""


class Interest:
    """Counts holders; `wanted` and `unwanted` are set in turn."""

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self.unwanted = asyncio.Event()
        self._holders = 0
        self._linger: asyncio.TimerHandle | None = None

    def hold(self) -> None:
        """Keep the source open until `release`."""
        self._holders += 1
        self.stop_timer()
        self.unwanted.clear()
        self.wanted.set()

    def release(self) -> None:
        """Let go; after the last holder the source stays open a little longer."""
        self._holders -= 1
        if self._holders == 0:
            self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._let_go)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold within a block."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    def stop_timer(self) -> None:
        """Let nothing come later."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _let_go(self) -> None:
        self._linger = None
        self.wanted.clear()
        self.unwanted.set()
