"""A hub's side of the session with the board on one port. Sans-I/O.

`feed` bytes and `tick` about every 50 ms; write what `data_to_send` returns; act on `events`. Times are the
hub's monotonic milliseconds.
"""

from .birth import MAX_BYTES, Birth
from .calls import CALL_TAGS, Calls
from .console import Console
from .events import Closed, Opened, Printed, Trouble, Unanswered
from .fragments import Assembly, crc
from .frame import Decoder
from .intake import Intake
from .known import Boot, Known
from .message import FROM_BOARD, VERSION, WireError, ack, hi, nak, parse, ping, text_of, welcome
from .outgoing import Outgoing
from .pings import Pings
from .rates import Bucket, Once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .events import Event

FRAMES_PER_S = 200
HI_MS = 1000
WELCOME_MS = 500
SILENCE_MS = 5000
REPEAT_MS = 200
_SEEKING = 0
_GREETED = 1
_OPEN = 2


class HubSession:
    """The session on one open port.

    `last_seq(uid, boot_id)` is the highest committed seq, or -1. `admit(uid)` returns None, or the reason why
    this board is not taken (its identity is already online elsewhere). Readings come out each once, in order.
    """

    def __init__(
        self,
        known: Known,
        last_seq: "Callable[[str, str], int]",
        admit: "Callable[[str], str | None]",
        now_ms: float,
        frames_per_s: int = FRAMES_PER_S,
        silence_ms: float = SILENCE_MS,
    ) -> None:
        self.uid: str | None = None
        self.boot_id: str | None = None
        self._known = known
        self._last_seq = last_seq
        self._admit = admit
        self._silence_ms = silence_ms
        self._state = _SEEKING
        self._decoder = Decoder()
        self._console = Console()
        self._assembly = Assembly(MAX_BYTES)
        self._calls = Calls()
        self._boot: Boot | None = None
        self._birth: Birth | None = None
        self._opened: Birth | None = None  # the birth and boot of the last Opened
        self._opened_boot: str | None = None
        self._schema = ""
        self._reset_cause = ""
        self._out = Outgoing()
        self._events: list[Event] = []
        self._heard = now_ms
        self._due = now_ms  # the next hi or welcome
        self._pings = Pings(now_ms)
        self._once = Once()
        self._bucket = Bucket(frames_per_s, 2 * frames_per_s, now_ms)
        self._counts = {"frames": 0, "flood_drops": 0, "bad_messages": 0, "resets": 0}
        self._intake = Intake()

    @property
    def open(self) -> bool:
        """Whether the board is online, also while it says anew who it is."""
        return self._opened is not None

    # --- the link's side ----------------------------------------------------------------------------------

    def feed(self, data: bytes, now_ms: float) -> None:
        """Take in what the board sent. Never raises on bad input."""
        for payload in self._decoder.feed(data):
            self._counts["frames"] += 1
            if not self._bucket.take(now_ms):
                self._counts["flood_drops"] += 1
                continue
            try:
                self._take(parse(text_of(payload), FROM_BOARD), now_ms)
            except WireError as error:
                self._counts["bad_messages"] += 1
                self._trouble(f"a message was refused: {error}", now_ms)
        self._print(self._console.feed(self._decoder.take_console(), now_ms))

    def tick(self, now_ms: float) -> None:
        """Do what time asks for: hi, pings, repeats, expiry, silence."""
        self._print(self._console.tick(now_ms))
        for call_id in self._calls.expired(now_ms):
            self._events.append(Unanswered(call_id, "the board did not answer in time", True))
        if self._state != _SEEKING and now_ms - self._heard > self._silence_ms:
            self.close("silent for %s s" % (self._silence_ms // 1000))
            self._due = now_ms
        if self._state == _OPEN:
            self._ask(now_ms)
        elif now_ms >= self._due:
            self._due = now_ms + (HI_MS if self._state == _SEEKING else WELCOME_MS)
            if self._state == _SEEKING:
                self._out.send(hi())
            else:
                self._welcome()
        if self._state != _SEEKING and self._pings.due(now_ms):
            self._send_ping(now_ms)

    def data_to_send(self) -> bytes:
        """Return the bytes to write now."""
        return self._out.take()

    def events(self) -> "list[Event]":
        """Return what happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def send(
        self,
        call_id: str,
        name: str,
        params: "dict[str, Any]",
        ttl_ms: int,
        now_ms: float,
        data: "Sequence[bytes]" = (),
    ) -> None:
        """Send a command; an Answered or Unanswered with its id will follow. Raises calls.TooMany.

        `data` are the parts that the board may fetch while it has the command.
        """
        self._calls.add(call_id, name, params, ttl_ms, now_ms, data)
        self.tick(now_ms)

    def cancel(self, call_id: str, now_ms: float) -> None:
        """Ask the board to give up a command; its own answer still follows."""
        self._calls.cancel(call_id)
        self.tick(now_ms)

    def ack(self, boot_id: str, seq: int) -> None:
        """Tell the board that its readings up to `seq` are committed."""
        if self._boot is not None and boot_id == self.boot_id:
            self._boot.committed = max(self._boot.committed, seq + 1)
            if self._state == _OPEN:
                self._out.send(ack(boot_id, self._boot.committed))

    def close(self, reason: str) -> None:
        """End the session (the port went away, the hub ends); commands under way get no answer."""
        if self._opened is not None:
            self._events.append(Closed(reason))
        for call_id in self._calls.abandon(sent_only=False):
            self._events.append(Unanswered(call_id, "the board went away: " + reason, False))
        if self._boot is not None:
            self._boot.inbox.forget_held()
        self._state = _SEEKING
        self._opened = None

    def figures(self) -> dict[str, float]:
        """Return the link's health by name: counters since the port opened, and gauges."""
        clock = self._boot.clock if self._boot is not None else None
        inbox = self._boot.inbox if self._boot is not None else None
        figures: dict[str, float] = dict(self._counts)
        figures["crc_errors"] = self._decoder.crc_errors
        figures["resyncs"] = self._decoder.resyncs
        figures["log_bytes"] = self._console.taken
        figures["log_dropped"] = self._console.dropped
        figures["bad_messages"] += self._intake.refused
        figures["gaps"] = self._intake.gaps
        figures["outbox_depth"] = self._intake.outbox_depth
        figures["outbox_dropped"] = self._intake.outbox_dropped
        if inbox is not None:
            figures["resends"] = inbox.resends
            figures["duplicates"] = inbox.duplicates
        if clock is not None and clock.ready:
            figures["rtt_ms"] = round(clock.rtt_ms, 2)
            figures["clock_bound_ms"] = round(clock.best_bound_ms, 2)
        return figures

    # --- what comes in ------------------------------------------------------------------------------------

    def _take(self, message: "list[Any]", now_ms: float) -> None:
        tag = message[0]
        boot = self._boot
        if tag == "hello":
            self._heard = now_ms
            self._hello(message, now_ms)
        elif self._state != _SEEKING and boot is not None:
            self._heard = now_ms
            if isinstance(tag, str) and tag != "k":
                self._answer(boot, message, now_ms)
            elif self._opens(now_ms) and self._birth is not None:
                if tag == "k":
                    self._events.extend(self._intake.keepalive(boot, self._birth, message))
                    if message[2] < boot.committed and self.boot_id is not None:
                        self._out.send(ack(self.boot_id, boot.committed))
                else:
                    self._events.extend(self._intake.reading(boot, self._birth, message))
                for text in self._intake.troubles:
                    self._trouble(text, now_ms)
                self._intake.troubles.clear()

    def _answer(self, boot: Boot, message: "list[Any]", now_ms: float) -> None:
        tag = message[0]
        if tag == "q":
            sent = self._pings.answered(message[1])
            if sent is not None:
                boot.clock.add(sent, message[2], now_ms)
        elif tag in CALL_TAGS:
            event, reply = self._calls.heard(message, now_ms)
            if event is not None:
                self._events.append(event)
            if reply is not None:
                self._out.send(reply)
        elif tag == "f":
            whole = self._assembly.add(message)
            if whole is not None:
                self._take_whole(whole, now_ms)

    def _take_whole(self, text: str, now_ms: float) -> None:
        message = parse(text, FROM_BOARD)
        if message[0] == "birth":
            self._birth_came(text, message[1], now_ms)
        elif message[0] == "r":
            self._take(message, now_ms)
        else:
            raise WireError("a message that must not come in fragments")

    def _hello(self, message: "list[Any]", now_ms: float) -> None:
        _, version, uid, boot_id, schema, next_seq, ticks, cause = message
        reason = self._admit(uid)
        if version != VERSION:
            reason = f"it speaks version {version} of the protocol, the hub version {VERSION}"
        reason = reason or self._known.refused.get((uid, schema))
        if reason:
            self._refuse(uid, reason, now_ms)
            return
        if (uid, boot_id) != (self.uid, self.boot_id) or self._boot is None:
            self._begin(uid, boot_id, next_seq)
        boot = self._boot
        if boot is None or boot.refused == schema:
            return
        boot.clock.hint(ticks, now_ms)
        if schema != self._schema:
            self._assembly.clear()
        self._schema = schema
        self._reset_cause = cause
        self._birth = self._known.births.get((uid, schema))
        self._state = _GREETED
        self._due = now_ms + WELCOME_MS
        self._send_ping(now_ms)
        self._welcome()

    def _begin(self, uid: str, boot_id: str, next_seq: int) -> None:
        """Turn to a new board or a new boot of the same."""
        if self._opened is not None:
            self._events.append(Closed("restarted" if uid == self.uid else "another board took its port"))
        if uid == self.uid:
            self._counts["resets"] += 1
        for call_id in self._calls.abandon(sent_only=True):
            self._events.append(Unanswered(call_id, "the board restarted before it answered", False))
        self.uid = uid
        self.boot_id = boot_id
        self._boot = self._known.boot(uid, boot_id, min(self._last_seq(uid, boot_id) + 1, next_seq))
        self._pings.restart()
        self._assembly.clear()
        self._opened = None

    def _birth_came(self, text: str, data: object, now_ms: float) -> None:
        if self.uid is None or f"{crc(text):08x}" != self._schema:
            return
        if self._birth is not None:
            self._welcome()  # it waits for this
            return
        try:
            birth = Birth(data)
        except WireError as error:
            reason = f"its birth breaks the protocol: {error}"
            self._known.refuse(self.uid, self._schema, reason)
            self._refuse(self.uid, reason, now_ms)
            return
        self._known.remember(self.uid, self._schema, birth)
        self._birth = birth
        self._welcome()

    def _refuse(self, uid: str, reason: str, now_ms: float) -> None:
        self._trouble(f"board {uid} is refused: {reason}", now_ms)
        self.close("refused: " + reason)

    def _opens(self, now_ms: float) -> bool:
        """Whether readings count: the board sends them only once it is welcome. Opens the session."""
        birth = self._birth
        boot = self._boot
        if birth is None or boot is None or self.uid is None or self.boot_id is None:
            return False
        if self._state == _OPEN:
            return True
        if boot.layout is not None and boot.layout != birth.layout():
            boot.refused = self._schema
            self._refuse(self.uid, "its metrics changed without a restart", now_ms)
            return False
        boot.layout = birth.layout()
        self._state = _OPEN
        if self._opened is not birth:
            restarted = self._opened_boot != self.boot_id
            self._events.append(Opened(self.uid, self.boot_id, self._reset_cause, birth, restarted))
            self._opened = birth
            self._opened_boot = self.boot_id
        return True

    # --- what goes out ------------------------------------------------------------------------------------

    def _ask(self, now_ms: float) -> None:
        """Ask for missing readings and for answers."""
        if self._boot is None:
            return
        every = max(REPEAT_MS, 3 * self._boot.clock.rtt_ms)
        for start, end in self._boot.inbox.naks(now_ms, every):
            self._out.send(nak(start, end))
        for message in self._calls.due(now_ms, 2 * every) + self._calls.cancels(now_ms, 2 * every):
            self._out.send(message)

    def _welcome(self) -> None:
        if self._boot is not None and self.boot_id is not None:
            self._out.send(welcome(self.boot_id, self._schema, self._boot.inbox.want, self._birth is None))

    def _send_ping(self, now_ms: float) -> None:
        self._out.send(ping(self._pings.send(now_ms)))

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            self._events.append(Printed(line))

    def _trouble(self, text: str, now_ms: float) -> None:
        if self._once.may(text, now_ms):
            self._events.append(Trouble(text))
