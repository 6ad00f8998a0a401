"""Commands on their way to a board: repeated until answered or too old, a few at a time."""

import binascii

from .events import Answered, Progressed
from .frame import MAX_PAYLOAD
from .message import WireError, cancel, command, data, dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

IN_FLIGHT = 4
"""Commands a board may have at once: they share its 512-byte input ring."""
WINDOW = 8
"""A command goes out only while fewer than this many after it did: a board keeps its last 16 answers."""
WAITING = 64
MAX_COMMAND = 4096
"""Bytes of a command's message: what a board puts together of fragments."""
CALL_TAGS = ("r", "y", "g")
"""What a board says of a command."""
QUIET_MS = 2000
"""For so long a command is not repeated once its board has said something of it."""


class TooMany(Exception):
    """So many commands wait for this board that no more are taken, or one is longer than a board takes."""


class _Call:
    def __init__(self, message: "list[Any]", number: int, expires_ms: float) -> None:
        self.number = number
        self.message = message
        self.expires_ms = expires_ms
        self.due_ms = -1.0  # below 0: not sent yet
        self.data: Sequence[bytes] = ()
        self.cancelled = False
        self.cancel_due_ms = 0.0


def _piece(call: _Call, message: "list[Any]") -> "list[Any] | None":
    """Return the message with a command's data from the wanted place on: a frame full; None past its end."""
    _, call_id, part, offset = message
    if part >= len(call.data) or offset >= len(call.data[part]):
        return None
    room = (MAX_PAYLOAD - len(dumps(data(call_id, part, offset, "")))) // 4 * 3
    piece = call.data[part][offset : offset + room]
    return data(call_id, part, offset, binascii.b2a_base64(piece).decode().strip())


class Calls:
    """The commands of one board's session, by id, in the order they came."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._calls)

    def add(
        self,
        call_id: str,
        name: str,
        params: "dict[str, Any]",
        ttl_ms: int,
        now_ms: float,
        data: "Sequence[bytes]" = (),
    ) -> None:
        """Take in a command, with the parts of data that its board may fetch. Raises TooMany."""
        if len(self._calls) >= WAITING:
            raise TooMany(f"{WAITING} commands already wait for the board")
        message = command(call_id, ttl_ms, name, params)
        size = len(dumps(message))
        if size > MAX_COMMAND:
            raise TooMany(f"the command is {size} bytes long; a board takes at most {MAX_COMMAND}")
        self._number += 1
        call = self._calls[call_id] = _Call(message, self._number, now_ms + ttl_ms)
        call.data = data

    def due(self, now_ms: float, every_ms: float) -> "list[list[Any]]":
        """Return the messages to send now."""
        messages = []
        calls = list(self._calls.values())[:IN_FLIGHT]
        for call in calls:
            if now_ms >= call.due_ms and call.number < calls[0].number + WINDOW:
                call.due_ms = now_ms + every_ms
                messages.append(call.message)
        return messages

    def cancel(self, call_id: str) -> None:
        """Ask the board to give up a command, from now on until it is answered."""
        call = self._calls.get(call_id)
        if call is not None:
            call.cancelled = True

    def cancels(self, now_ms: float, every_ms: float) -> "list[list[Any]]":
        """Return the cancels to send now, of commands that the board has."""
        messages = []
        for call_id, call in self._calls.items():
            if call.cancelled and call.due_ms >= 0 and now_ms >= call.cancel_due_ms:
                call.cancel_due_ms = now_ms + every_ms
                messages.append(cancel(call_id))
        return messages

    def heard(
        self, message: "list[Any]", now_ms: float
    ) -> "tuple[Answered | Progressed | None, list[Any] | None]":
        """Take in a message of `CALL_TAGS`; return what happened, and what is to be sent. Raises WireError.

        What is about a command that is not (or no longer) waited for is dropped.
        """
        tag, call_id = message[0], message[1]
        call = self._calls.get(call_id)
        if call is None:
            return None, None
        if tag == "r":
            del self._calls[call_id]
            return Answered(call_id, message[2] == 1, message[3]), None
        call.due_ms = now_ms + QUIET_MS  # the board works on it
        if tag == "g":
            return None, _piece(call, message)
        if not message[3].isprintable():
            raise WireError("y: the words are not printable")
        return Progressed(call_id, message[2], message[3]), None

    def expired(self, now_ms: float) -> list[str]:
        """Forget and return the commands whose time has run out."""
        late = [call_id for call_id, call in self._calls.items() if now_ms >= call.expires_ms]
        for call_id in late:
            del self._calls[call_id]
        return late

    def abandon(self, sent_only: bool) -> list[str]:
        """Forget and return all commands, or those already sent (which a restarted board may have run)."""
        gone = [i for i, call in self._calls.items() if call.due_ms >= 0 or not sent_only]
        for call_id in gone:
            del self._calls[call_id]
        return gone
