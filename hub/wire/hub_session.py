"""A hub's side of the session with the board on one port. Sans-I/O.

`feed` bytes and `tick` about every 50 ms; write what `data_to_send` returns; act on `events`. Times are the
hub's monotonic milliseconds.
"""

from .birth import MAX_BYTES
from .calls import CALL_TAGS, Calls
from .console import Console
from .events import Closed, Printed, Trouble, Unanswered
from .figures import figures
from .fragments import Assembly
from .frame import Decoder
from .greeting import OPEN, SEEKING, Greeting
from .intake import Intake
from .known import Boot, Known
from .message import FROM_BOARD, WireError, ack, hi, nak, parse, ping, text_of
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
        self._who = Greeting(known, last_seq, admit)
        self._silence_ms = silence_ms
        self._decoder = Decoder()
        self._console = Console()
        self._assembly = Assembly(MAX_BYTES)
        self._calls = Calls()
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
    def uid(self) -> "str | None":
        """The board that said hello last."""
        return self._who.uid

    @property
    def boot_id(self) -> "str | None":
        """Its boot."""
        return self._who.boot_id

    @property
    def open(self) -> bool:
        """Whether the board is online, also while it says anew who it is."""
        return self._who.online

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
        who = self._who
        if who.state != SEEKING and now_ms - self._heard > self._silence_ms:
            self.close("silent for %s s" % (self._silence_ms // 1000))
            self._due = now_ms
        if who.state == OPEN:
            self._ask(now_ms)
        elif now_ms >= self._due:
            self._due = now_ms + (HI_MS if who.state == SEEKING else WELCOME_MS)
            if who.state == SEEKING:
                self._out.send(hi())
            else:
                self._welcome()
        if who.state != SEEKING and self._pings.due(now_ms):
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
        boot = self._who.boot
        if boot is not None and boot_id == self._who.boot_id:
            boot.committed = max(boot.committed, seq + 1)
            if self._who.state == OPEN:
                self._out.send(ack(boot_id, boot.committed))

    def close(self, reason: str) -> None:
        """End the session (the port went away, the hub ends); commands under way get no answer."""
        if self._who.online:
            self._events.append(Closed(reason))
        for call_id in self._calls.abandon(sent_only=False):
            self._events.append(Unanswered(call_id, "the board went away: " + reason, False))
        self._who.leave()

    def figures(self) -> dict[str, float]:
        """Return the link's health by name: counters since the port opened, and gauges."""
        return figures(self._counts, self._decoder, self._console, self._intake, self._who.boot)

    # --- what comes in ------------------------------------------------------------------------------------

    def _take(self, message: "list[Any]", now_ms: float) -> None:
        tag = message[0]
        who = self._who
        boot = who.boot
        if tag == "hello":
            self._heard = now_ms
            self._hello(message, now_ms)
        elif who.state != SEEKING and boot is not None:
            self._heard = now_ms
            if isinstance(tag, str) and tag != "k":
                self._answer(boot, message, now_ms)
            elif self._opens(now_ms) and who.birth is not None:
                if tag == "k":
                    self._events.extend(self._intake.keepalive(boot, who.birth, message))
                    if message[2] < boot.committed and who.boot_id is not None:
                        self._out.send(ack(who.boot_id, boot.committed))
                else:
                    self._events.extend(self._intake.reading(boot, who.birth, message))
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
        _, version, uid, boot_id, schema, next_seq = message[:6]
        who = self._who
        reason = who.against(version, uid, schema)
        if reason:
            self._refuse(uid, reason, now_ms)
            return
        if (uid, boot_id) != (who.uid, who.boot_id) or who.boot is None:
            self._begin(uid, boot_id, next_seq)
        before = who.schema
        if not who.greet(message, now_ms):
            return
        if schema != before:
            self._assembly.clear()
        self._due = now_ms + WELCOME_MS
        self._send_ping(now_ms)
        self._welcome()

    def _begin(self, uid: str, boot_id: str, next_seq: int) -> None:
        """Turn to a new board or a new boot of the same."""
        who = self._who
        if who.online:
            self._events.append(Closed("restarted" if uid == who.uid else "another board took its port"))
        if uid == who.uid:
            self._counts["resets"] += 1
        for call_id in self._calls.abandon(sent_only=True):
            self._events.append(Unanswered(call_id, "the board restarted before it answered", False))
        who.begin(uid, boot_id, next_seq)
        self._pings.restart()
        self._assembly.clear()

    def _birth_came(self, text: str, data: object, now_ms: float) -> None:
        who = self._who
        if who.uid is None or not who.is_birth(text):
            return
        reason = who.take_birth(who.uid, data) if who.birth is None else None
        if reason:
            self._refuse(who.uid, reason, now_ms)
        else:
            self._welcome()  # it waits for this

    def _refuse(self, uid: str, reason: str, now_ms: float) -> None:
        self._trouble(f"board {uid} is refused: {reason}", now_ms)
        self.close("refused: " + reason)

    def _opens(self, now_ms: float) -> bool:
        """Whether readings count: the board sends them only once it is welcome. Opens the session."""
        who = self._who
        if who.state == OPEN:
            return True
        reason = who.open(self._events)
        if reason and who.uid is not None:
            self._refuse(who.uid, reason, now_ms)
        return who.state == OPEN

    # --- what goes out ------------------------------------------------------------------------------------

    def _ask(self, now_ms: float) -> None:
        """Ask for missing readings and for answers."""
        boot = self._who.boot
        if boot is None:
            return
        every = max(REPEAT_MS, 3 * boot.clock.rtt_ms)
        for start, end in boot.inbox.naks(now_ms, every):
            self._out.send(nak(start, end))
        for message in self._calls.due(now_ms, 2 * every) + self._calls.cancels(now_ms, 2 * every):
            self._out.send(message)

    def _welcome(self) -> None:
        message = self._who.welcome()
        if message is not None:
            self._out.send(message)

    def _send_ping(self, now_ms: float) -> None:
        self._out.send(ping(self._pings.send(now_ms)))

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            self._events.append(Printed(line))

    def _trouble(self, text: str, now_ms: float) -> None:
        if self._once.may(text, now_ms):
            self._events.append(Trouble(text))
