"""The session on one open serial port, driven by the event loop."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from hub.links.serial_port import Port
from hub.links.session import TICK_S, Session, Shared

if TYPE_CHECKING:
    from hub.links.link import Sink


class SerialSession(Session):
    """One session on the open descriptor `fd` of the port `name`, until that breaks or `end` is called.

    With `silence_s` it also ends, `silent`, where no board has said hello for so long.
    """

    def __init__(
        self, name: str, fd: int, sink: Sink, shared: Shared, silence_s: float | None = None
    ) -> None:
        super().__init__(name, sink, shared)
        self.silent = False
        self._patience_ms = shared.clock_ms() + (math.inf if silence_s is None else 1000 * silence_s)
        self._broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._port = self.carrier = Port(fd, received=self.received, lost=self._lost)

    async def run(self) -> str:
        """Keep the session going until the port breaks; return why it did."""
        while not self._broken.done():
            self.tick()
            if self._shared.clock_ms() > self._patience_ms and not self.greeted:
                self.silent = True
                return "no board speaks here; left alone for a while, since it may be another program's"
            await asyncio.wait((self._broken,), timeout=TICK_S)
        return self._broken.result()

    def end(self, reason: str) -> None:
        """End the session and close the port."""
        super().end(reason)
        self._port.close()

    def _lost(self, reason: str) -> None:
        if not self._broken.done():
            self._broken.set_result(reason)
