"""A command under way: where it stands, how far it is, and how it is taken back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hub.model import CommandState, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model import Command

PROGRESS_S = 0.1
"""Progress is announced at most so often, the newest always."""
_TEXT = 200


class Carried:
    """One command from its acceptance to its end. `announce` is called with each progress worth telling."""

    def __init__(self, request: Command, announce: Callable[[Carried], None]) -> None:
        self.request = request
        self.state = CommandState.QUEUED
        self.since_ms = request.created_time
        """When its state was reached."""
        self.progress: Progress | None = None
        self.cancelled_by: str | None = None
        self.wait: asyncio.Timeout | None = None
        """What ends while it waits for its turn."""
        self.work: asyncio.Task[Any] | None = None
        """A job's own task."""
        self._announce = announce
        self._timer: asyncio.TimerHandle | None = None

    def report(self, percent: int | None, text: str) -> None:
        """Take progress in while the command is sent; announce it, bounded in pace."""
        if self.state is not CommandState.SENT:
            return
        percent = None if percent is None else max(0, min(100, int(percent)))
        progress = Progress(percent=percent, text=text[:_TEXT])
        if progress == self.progress:
            return
        self.progress = progress
        if self._timer is None:
            self._announce(self)
            self._timer = asyncio.get_running_loop().call_later(PROGRESS_S, self._again, progress)

    def ends(self) -> None:
        """Tell no more progress."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self, told: Progress) -> None:
        self._timer = None
        if self.state is CommandState.SENT and self.progress is not None and self.progress is not told:
            self._announce(self)
            self._timer = asyncio.get_running_loop().call_later(PROGRESS_S, self._again, self.progress)
