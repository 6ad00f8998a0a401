"""The link to the board on one serial port, which may come and go."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from hub.links.link import NotReachable
from hub.links.serial_port import PortAbsent, PortUnusable, opened
from hub.links.serial_session import SerialSession
from hub.model import LinkKind, OutpostError

if TYPE_CHECKING:
    from hub.links.link import Sink
    from hub.links.session import Shared
    from hub.model import Command

log = logging.getLogger(__name__)

# A replugged board should be back in a moment; a path that nobody plugs in should cost nothing.
RETRY_S = (0.1, 1.0)
# A UART bridge on which nothing says hello for so long may be another program's: it is left alone for a
# while, each time for longer, since opening it disturbs what is behind it.
SILENCE_S = 15.0
REST_S = (60.0, 600.0)


class SerialLink:
    """The board at `path`. `shared` is one object for all serial links of a hub.

    With `silence_s`, a port on which no board says hello for so long is closed and rests.
    """

    kind = LinkKind.SERIAL

    def __init__(self, path: str, shared: Shared, *, silence_s: float | None = None) -> None:
        self.name = path
        self.ending = "the hub stops"
        """Why the session ends when the link is cancelled, for people."""
        self._shared = shared
        self._silence_s = silence_s
        self._session: SerialSession | None = None
        self._complaint = ""

    @property
    def device(self) -> str | None:
        """The board that is online here, or None."""
        return None if self._session is None else self._session.device

    @property
    def open(self) -> bool:
        """Whether the port is open, be a board on it or not."""
        return self._session is not None

    async def run(self, sink: Sink) -> None:
        """Yield events until cancelled; open the port again whenever it can be."""
        pause_s, rest_s = RETRY_S[0], REST_S[0]
        while True:
            try:
                fd = await opened(self.name)
            except (PortAbsent, PortUnusable) as error:
                self._complain(error)
            else:
                session = await self._serve(fd, sink)
                if session.was_online:
                    pause_s, rest_s = RETRY_S[0], REST_S[0]
                if session.silent:
                    await asyncio.sleep(rest_s)
                    rest_s = min(2 * rest_s, REST_S[1])
                    continue
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_S[1])

    async def send(self, command: Command) -> Any:
        """Deliver `command` to the board. Raises NotReachable, Refused, NoAnswer."""
        if self._session is None or self._session.device != command.device:
            raise NotReachable(f"{command.device} is not on {self.name} now")
        return await self._session.call(command)

    def cancel(self, command_id: str) -> None:
        """Ask the board to give up a command."""
        if self._session is not None:
            self._session.cancel(command_id)

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Tell the board that its readings up to `seq` are committed, and have those after it `again`."""
        if self._session is not None and self._session.device == device:
            self._session.ack(boot_id, seq, again=again)

    def forget(self, _device: str) -> bool:
        """Do nothing: a board is told by its birth."""
        return True

    async def _serve(self, fd: int, sink: Sink) -> SerialSession:
        """Serve the open port until it breaks or stays silent; return the session that was."""
        log.info("serial: %s is open", self.name)
        self._complaint = ""
        session = self._session = SerialSession(self.name, fd, sink, self._shared, self._silence_s)
        reason = self.ending
        try:
            reason = await session.run()
        except asyncio.CancelledError:
            reason = self.ending
            raise
        finally:
            self._session = None
            session.end(reason)
            self._shared.claims.release(self.name)
            log.info("serial: %s is closed: %s", self.name, reason)
        if session.greeted:
            self._silence_s = None  # a board lives here: whatever it does now, its port is worth waiting on
        return session

    def _complain(self, error: OutpostError) -> None:
        """Log why the port cannot be opened: once, until another reason or success comes."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            level = logging.INFO if isinstance(error, PortAbsent) else logging.WARNING
            log.log(level, "serial: %s; trying again until it can be used", error)
