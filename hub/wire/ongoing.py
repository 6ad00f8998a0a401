"""Commands that take long, on a board: how far they are, whether they are to be given up, what they fetch."""

import binascii

from .message import dumps, progress, wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROGRESS_MS = 200
"""Of what a command says of itself in less than this, only the last goes out."""
AGAIN_MS = 250
"""A fetch that is not answered by then is asked for again."""


class Ongoing:
    """What is under way beside readings. One piece of data is fetched at a time: that is the flow control."""

    def __init__(self) -> None:
        self.news = False
        """Whether data or a cancel came; who looks resets it."""
        self._cancelled: list[str] = []
        self._progress: dict[str, str] = {}
        self._progress_ms = 0
        self._wanted: tuple[str, int, int] | None = None
        self._wanted_ms = 0
        self._data: bytes | None = None

    def progress(self, command_id: str, percent: "int | None", text: str) -> None:
        """Say how far a command is; what is not yet sent of before is not said any more."""
        self._progress[command_id] = dumps(progress(command_id, percent, text))

    def is_cancelled(self, command_id: str) -> bool:
        """Whether the hub asks to give the command up."""
        return command_id in self._cancelled

    def fetch(self, command_id: str, part: int, offset: int) -> None:
        """Ask for a part of the command's data from an offset on, until it comes."""
        self._wanted = (command_id, part, offset)
        self._wanted_ms = 0
        self._data = None

    def fetched(self) -> "bytes | None":
        """Return what came of the last fetch, or None while it is under way."""
        return self._data

    def forget(self, command_id: str) -> None:
        """Forget a command: it is answered."""
        self._progress.pop(command_id, None)
        if command_id in self._cancelled:
            self._cancelled.remove(command_id)
        if self._wanted is not None and self._wanted[0] == command_id:
            self._wanted = None
            self._data = None

    def cancel(self, command_id: str) -> None:
        """Note that the hub asks to give up a command that runs."""
        if command_id not in self._cancelled:
            self._cancelled.append(command_id)
            self.news = True

    def take(self, message: "list[Any]") -> None:
        """Take in a checked `d` message; one that was not asked for (any more) is dropped."""
        if self._wanted != (message[1], message[2], message[3]):
            return
        try:
            self._data = binascii.a2b_base64(message[4])
        except ValueError:
            return
        self._wanted = None
        self.news = True

    def next(self, now_ms: int) -> "str | None":
        """Return what is to be said now."""
        if self._progress and now_ms >= self._progress_ms:
            self._progress_ms = now_ms + PROGRESS_MS
            for command_id in self._progress:
                return self._progress.pop(command_id)
        if self._wanted is not None and now_ms >= self._wanted_ms:
            self._wanted_ms = now_ms + AGAIN_MS
            return dumps(wanted(self._wanted[0], self._wanted[1], self._wanted[2]))
        return None
