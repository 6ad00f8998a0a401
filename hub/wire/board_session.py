"""A board's side of the session: hello, birth, readings from the outbox, answers. Sans-I/O.

Pulled, not pushed: the port asks for the next frame when it can write, so nothing piles up behind a host that
does not read. Times are the board's unwrapped ticks (ms).
"""

from .fragments import Assembly, crc_of, fragments, fragments_of
from .frame import MAX_PAYLOAD, Decoder, encode
from .message import FROM_HUB, WireError, dumps, hello, keepalive, parse, payload, pong, result, text_of
from .ongoing import Ongoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from .fragments import Pieces

    class Outbox(Protocol):
        """Where readings wait for their ack: payloads by seq, from `first_seq` to before `next_seq`."""

        first_seq: int
        next_seq: int
        dropped: int

        def get(self, seq: int) -> bytes | None:
            """Return the payload of a reading that is still there."""

        def forget(self, before_seq: int) -> None:
            """Free the readings before `before_seq`."""


HELLO_MS = 1000
KEEPALIVE_MS = 1000
SILENCE_MS = 5000
PACE_MS = 8
BURST = 32
"""Readings go out at most 125 a second after a burst of 32, which stays under the hub's flood cap."""
MAX_RESULT = 2048
KEPT_RESULTS = 16
KEPT_BYTES = 4096
"""Of kept answers; older ones give way to a short word that they are gone."""
_IDLE = 0
_BIRTH = 1
_OPEN = 2


class BoardSession:
    """One board's session with whatever hub is at the other end.

    `birth` gives the text of the `["birth", …]` message in pieces; `commands` gathers `(id, name, params)`
    for the application, which answers each by `answer`. An id is handed out once, while among the last 16.
    """

    def __init__(self, uid: str, boot_id: str, reset_cause: str, birth: "Pieces", outbox: "Outbox") -> None:
        self.uid = uid
        self.boot_id = boot_id
        self.commands: list[tuple[str, str, dict[str, Any]]] = []
        self.ongoing = Ongoing()
        """Commands that take long: their progress, cancel and data."""
        self.patience_ms = SILENCE_MS
        """A hub that was not heard for so long is gone."""
        self._reset_cause = reset_cause
        self._outbox = outbox
        self._decoder = Decoder(keep_console=False)
        self._assembly = Assembly(4096)
        self._state = _IDLE
        self._heard = 0
        self._due = 0  # when the next hello or keepalive goes out
        self._cursor = 0  # the next reading to send
        self._again: list[list[int]] = []  # ranges to send again
        self._control: list[str] = []
        self._long: list[Iterator[list[Any]]] = []
        self._results: list[list[str]] = []  # [id, text of the answer, empty while it runs]
        self._tokens = BURST
        self._paced = 0
        self.set_birth(birth)

    @property
    def open(self) -> bool:
        """Whether a hub takes readings."""
        return self._state == _OPEN

    def set_birth(self, birth: "Pieces") -> None:
        """Say who the board is from now on. Within a boot, groups and metrics stay; intervals may change."""
        self._birth = birth
        self._schema = f"{crc_of(birth):08x}"
        self._state = _IDLE
        self._due = 0

    def restart(self) -> None:
        """Say hello: another hub may be at the other end, or the same by another way."""
        self._state = _IDLE
        self._due = 0
        self._long = []

    def silence_ms(self, now_ms: int) -> int:
        """Return for how long no hub was heard."""
        return now_ms - self._heard

    def feed(self, data: bytes, now_ms: int) -> None:
        """Take in what the hub sent. Never raises on bad input."""
        for frame in self._decoder.feed(data):
            self._heard = now_ms
            try:
                self._take(parse(text_of(frame), FROM_HUB), now_ms)
            except WireError:
                self._decoder.crc_errors += 1

    def answer(self, command_id: str, ok: bool, value: "Any") -> None:
        """Answer a command; a `value` too long for the wire becomes an error that says so."""
        try:
            text = dumps(result(command_id, ok, value))
            if len(text) > MAX_RESULT:
                text = dumps(result(command_id, False, f"the answer is longer than {MAX_RESULT} bytes"))
        except (TypeError, ValueError):
            text = dumps(result(command_id, False, "the answer is no JSON"))
        room = KEPT_BYTES - len(text)
        for index in range(len(self._results) - 1, -1, -1):
            kept = self._results[index]
            if kept[0] == command_id:
                kept[1] = text
            elif kept[1]:
                room -= len(kept[1])
                if room < 0:
                    kept[1] = dumps(result(kept[0], False, "it ran; its answer is no longer kept"))
        self.ongoing.forget(command_id)
        self._send(text)

    @property
    def idle(self) -> bool:
        """Whether every answer has been handed to the port (a board resets only then)."""
        return not self._control and not self._long

    def next_frame(self, now_ms: int) -> "bytes | None":
        """Return the next frame to write, or None while there is nothing to say."""
        if self._control:
            return encode(self._control.pop(0).encode())
        self._tick(now_ms)
        while self._long:
            for message in self._long[0]:
                return encode(payload(message))
            self._long.pop(0)
        if self._state == _OPEN:
            return self._next_reading(now_ms)
        return encode(self._control.pop(0).encode()) if self._control else None

    # --- what comes in ------------------------------------------------------------------------------------

    def _take(self, message: "list[Any]", now_ms: int) -> None:
        tag = message[0]
        if tag == "p":
            self._put(dumps(pong(message[1], now_ms)))
        elif tag == "a":
            if message[1] == self.boot_id:
                self._outbox.forget(message[2])
        elif tag == "n":
            self._resend(message[1], message[2])
        elif tag in ("c", "d", "x"):
            self._about_command(message)
        elif tag == "w":
            if message[1] == self.boot_id and message[2] == self._schema:
                self._welcome(message[3], message[4])
        elif tag == "hi":
            self._state = _IDLE
            self._due = 0
        else:
            self._fragment(message)

    def _fragment(self, message: "list[Any]") -> None:
        whole = self._assembly.add(message)
        if whole is not None:
            message = parse(whole, FROM_HUB)
            if message[0] == "c":  # nothing else is ever too long for a frame
                self._command(message)

    def _welcome(self, next_seq: int, want_birth: int) -> None:
        if want_birth:
            if self._state == _IDLE or not self._long:
                self._long = [fragments_of(self._birth)]
            if self._state == _IDLE:  # an open session stays so: this may be an old welcome that comes late
                self._state = _BIRTH
        elif self._state != _OPEN:
            self._state = _OPEN
            self._cursor = next_seq
            self._again = []
        self._due = 0

    def _resend(self, start: int, end: int) -> None:
        end = min(end, self._cursor)
        if start >= end or self._state != _OPEN:
            return
        if start < self._outbox.first_seq:
            self._due = 0  # the keepalive says which readings are gone
        for known in self._again:
            if known[0] <= start < known[1]:
                known[1] = max(known[1], end)
                return
        if len(self._again) < 16:
            self._again.append([start, end])
        else:
            self._cursor = min(start, self._cursor)

    def _about_command(self, message: "list[Any]") -> None:
        if message[0] == "c":
            self._command(message)
        elif message[0] == "d":
            self.ongoing.take(message)
        elif [message[1], ""] in self._results:  # it runs
            self.ongoing.cancel(message[1])

    def _command(self, message: "list[Any]") -> None:
        if self._state != _OPEN:
            return
        command_id = message[1]
        for kept in self._results:
            if kept[0] == command_id:
                if kept[1]:
                    self._send(kept[1])
                return
        if len(self._results) >= KEPT_RESULTS:
            self._results.pop(0)
        self._results.append([command_id, ""])
        self.commands.append((command_id, message[3], message[4]))

    # --- what goes out ------------------------------------------------------------------------------------

    def _send(self, text: str) -> None:
        if len(text) <= MAX_PAYLOAD:
            self._put(text)
        elif len(self._long) < 4:
            self._long.append(fragments(text))

    def _put(self, text: str) -> None:
        if len(self._control) < 16:  # all of these are asked for again when they do not arrive
            self._control.append(text)

    def _tick(self, now_ms: int) -> None:
        if self._state != _IDLE and now_ms - self._heard > self.patience_ms:
            self._state = _IDLE
            self._long = []
        if self._state == _BIRTH and self._long:
            self._due = now_ms + HELLO_MS
        if now_ms < self._due:
            return
        outbox = self._outbox
        if self._state != _OPEN:
            self._due = now_ms + HELLO_MS
            self._put(
                dumps(hello(self.uid, self.boot_id, self._schema, outbox.next_seq, now_ms, self._reset_cause))
            )
        else:
            self._due = now_ms + KEEPALIVE_MS
            self._cursor = max(self._cursor, outbox.first_seq)
            self._put(dumps(keepalive(self._cursor, outbox.first_seq, outbox.next_seq, outbox.dropped)))

    def _next_reading(self, now_ms: int) -> "bytes | None":
        if self._control:
            return encode(self._control.pop(0).encode())
        if not self._may_send(now_ms):
            return None
        text = self.ongoing.next(now_ms)
        if text is not None:
            self._tokens -= 1
            return encode(text.encode())
        outbox = self._outbox
        while self._again:
            wanted = self._again[0]
            seq = max(wanted[0], outbox.first_seq)
            if seq < wanted[1]:
                wanted[0] = seq + 1
                return self._reading(seq)
            self._again.pop(0)
        self._cursor = max(self._cursor, outbox.first_seq)
        if self._cursor >= outbox.next_seq:
            return None
        self._cursor += 1
        return self._reading(self._cursor - 1)

    def _reading(self, seq: int) -> "bytes | None":
        text = self._outbox.get(seq)
        if text is None:
            return None
        self._tokens -= 1
        return encode(text)

    def _may_send(self, now_ms: int) -> bool:
        fresh = (now_ms - self._paced) // PACE_MS
        if fresh > 0:
            self._tokens = min(BURST, self._tokens + fresh)
            self._paced = now_ms
        return self._tokens > 0
