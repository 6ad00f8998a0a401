"""A command under way: how far it is, its cancel, the data that it fetches, and its refusal."""

import asyncio
import time

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wire.ongoing import Ongoing

_SILENCE_MS = const(60_000)


class Refused(Exception):
    """A command cannot be done as asked; the message goes to who asked."""


class Cancelled(Refused):
    """The command was given up as asked; the words begin with `cancelled`, by which the hub knows it."""

    def __init__(self, left: str) -> None:
        super().__init__("cancelled: " + left)


class Job:
    """One command under way."""

    def __init__(self, command_id: str, ongoing: "Ongoing", news: asyncio.Event, wake: "Callable[[], None]"):
        self.id = command_id
        self._ongoing = ongoing
        self._news = news
        self._wake = wake

    @property
    def cancelled(self) -> bool:
        """Whether the hub asks to give it up."""
        return self._ongoing.is_cancelled(self.id)

    def progress(self, percent: "int | None", text: str) -> None:
        """Tell how far it is: in percent where that is known, and in at most 80 characters."""
        self._ongoing.progress(self.id, percent, text)
        self._wake()

    async def pause(self, wait_ms: int) -> bool:
        """Wait so long, or until a cancel; return whether one came."""
        since = time.ticks_ms()
        while not self.cancelled:
            left_ms = wait_ms - time.ticks_diff(time.ticks_ms(), since)
            if left_ms <= 0:
                return False
            await asyncio.sleep_ms(min(left_ms, 50))
        return True

    async def fetch(self, part: int, offset: int) -> bytes:
        """Return the command's data from there on, at least one byte; none where a cancel came.

        Raises Refused where the hub sends none for a minute.
        """
        ongoing = self._ongoing
        ongoing.fetch(self.id, part, offset)
        self._wake()
        since = time.ticks_ms()
        while not self.cancelled:
            data = ongoing.fetched()
            if data:
                return data
            if time.ticks_diff(time.ticks_ms(), since) > _SILENCE_MS:
                raise Refused("the hub sends no more data")
            self._news.clear()
            await self._news.wait()
        return b""


class Jobs:
    """The jobs of a node. `wake` gets what they say sent."""

    def __init__(self, ongoing: "Ongoing", wake: "Callable[[], None]") -> None:
        self._ongoing = ongoing
        self._wake = wake
        self._news = asyncio.Event()

    def of(self, command_id: str) -> Job:
        """Return the job of a command."""
        return Job(command_id, self._ongoing, self._news, self._wake)

    def look(self) -> None:
        """Wake who waits for what just came; call it after each piece of input."""
        if self._ongoing.news:
            self._ongoing.news = False
            self._news.set()

    def tick(self) -> None:
        """Wake who waits, so that time runs out for it; call it some times a second."""
        self._news.set()
