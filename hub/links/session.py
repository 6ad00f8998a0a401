"""The session with one board over whatever carries its bytes: bytes to events, orders to bytes."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from hub.links.boards import BoardEvents, Claims
from hub.links.door import Door
from hub.links.gate import Gate, OpenGate
from hub.links.link import Cancelled, NoAnswer, NotReachable, Refused
from hub.model import LinkHealth, LinkKind, OutpostError
from hub.wire.calls import TooMany
from hub.wire.events import Answered, Closed, Opened, Trouble, Unanswered
from hub.wire.hub_session import FRAMES_PER_S, SILENCE_MS, HubSession
from hub.wire.known import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.links.link import LastSeq, Sink
    from hub.model import Command
    from hub.wire.events import Event

log = logging.getLogger(__name__)

TICK_S = 0.05
FIGURES_MS = 1000.0
# The wire answers every command by its time to live; this is for the case that it cannot.
GRACE_S = 2.0
CANCELLED = "cancelled"
"""How the answer of a board begins that gave up as it was asked to."""


def monotonic_ms() -> float:
    """Return the monotonic clock in milliseconds."""
    return time.monotonic() * 1000


@dataclass(frozen=True)
class Shared:
    """What all sessions with boards share: what is committed, the clocks, what is known of boards."""

    last_seq: LastSeq
    now_ms: Callable[[], int]
    """The wall clock."""
    clock_ms: Callable[[], float] = monotonic_ms
    """The monotonic clock."""
    known: Known = field(default_factory=Known)
    claims: Claims = field(default_factory=Claims)
    data_of: Callable[[Command], Sequence[bytes]] = lambda _command: ()
    """The parts of data that the board may fetch while it has a command."""
    gate: Gate = field(default_factory=OpenGate)
    """Who decides which boards are let in."""
    frames_per_s: int = FRAMES_PER_S
    """What the hub takes from one port; a bench or a test of the link itself may lift it."""


class Carrier(Protocol):
    """What takes bytes to the board: an open port, a topic on a broker."""

    dropped_bytes: int
    """Bytes that found no room."""

    def write(self, data: bytes) -> None:
        """Send all of `data` soon, or drop it and count that. Never blocks."""

    def discard(self) -> None:
        """Forget what was not yet sent: orders of a session that ended must not reach the board later."""


class Session:
    """One session with the board at `name`; `carrier` is set by who has one, before anything happens."""

    carrier: Carrier

    def __init__(
        self,
        name: str,
        sink: Sink,
        shared: Shared,
        *,
        kind: LinkKind = LinkKind.SERIAL,
        silence_ms: float = SILENCE_MS,
    ) -> None:
        self.was_online = False
        self.name = name
        self._kind = kind
        self._sink = sink
        self._shared = shared
        self._door = Door(name, kind, sink, shared.gate, self, shared.known.again_of)
        self._events = BoardEvents(kind)
        self._greeted: str | None = None  # the board that said hello last, for the words that follow
        self._calls: dict[str, asyncio.Future[Any]] = {}
        self._figures: dict[str, float] = {}
        self._figures_due = 0.0
        self._session = HubSession(
            shared.known, shared.last_seq, self._admit, shared.clock_ms(), shared.frames_per_s, silence_ms
        )

    @property
    def device(self) -> str | None:
        """The board that is online here, or None."""
        return self._events.device if self._door.open else None

    @property
    def greeted(self) -> bool:
        """Whether a board ever said hello here, welcome or not."""
        return self._greeted is not None

    def tick(self) -> None:
        """Do what time asks for; to be called each `TICK_S`."""
        now = self._shared.clock_ms()
        self._session.tick(now)
        self._settle()
        self._door.tick()
        self._tell_figures(now)

    def received(self, data: bytes) -> None:
        """Take in what the board sent."""
        self._session.feed(data, self._shared.clock_ms())
        self._settle()

    def end(self, reason: str) -> None:
        """End the session."""
        self._session.close(reason)
        self._settle()

    async def call(self, command: Command) -> Any:
        """Deliver `command` and return the board's result. Raises NotReachable, Refused, NoAnswer."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls[command.id] = answer
        try:
            self._session.send(
                command.id,
                command.command,
                dict(command.params),
                command.ttl_ms,
                self._shared.clock_ms(),
                self._shared.data_of(command),
            )
            self._settle()
            async with asyncio.timeout(command.ttl_ms / 1000 + GRACE_S):
                return await answer
        except TooMany as error:
            raise Refused(str(error)) from error
        except TimeoutError as error:
            raise NoAnswer(f"{command.device} did not answer within {command.ttl_ms} ms") from error
        finally:
            self._calls.pop(command.id, None)

    def cancel(self, command_id: str) -> None:
        """Ask the board to give up a command."""
        self._session.cancel(command_id, self._shared.clock_ms())
        self._settle()

    def ask(self, call_id: str, command: str, params: dict[str, Any], ttl_ms: int) -> None:
        """Send a command of the door's own. Raises TooMany."""
        self._session.send(call_id, command, params, ttl_ms, self._shared.clock_ms())

    def shut(self, reason: str) -> None:
        """End the session of a board that may not be here; its id is free for the one that may."""
        self._session.close(reason)
        self._shared.claims.release(self.name)

    def ack(self, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Tell the board that its readings up to `seq` are committed, and have those after it `again`."""
        self._session.ack(boot_id, seq)
        if again and self.device is not None:
            self._shared.known.again_of(self.device, boot_id)(boot_id, seq)
        self.carrier.write(self._session.data_to_send())

    def admit(self, uid: str) -> str | None:
        """Return why the board `uid` is not taken here, or None."""
        return self._shared.claims.claim(uid, self.name, self._shared.clock_ms())

    def _admit(self, uid: str) -> str | None:
        self._greeted = uid
        barred = self._shared.gate.bar(uid, self.name)
        if barred is not None:
            self._shared.claims.release(self.name)
            return barred
        crowded = self.admit(uid)
        if crowded is not None:
            self._shared.gate.crowded(uid, self.name, crowded)
        return crowded

    def _settle(self) -> None:
        """Carry out what the session wants: events to the sink, then bytes to the port."""
        while events := self._session.events():
            now, now_ms = self._shared.clock_ms(), self._shared.now_ms()
            for event in events:
                self._note(event, now)
                for told in self._events.translate(
                    event, monotonic_ms=now, now_ms=now_ms, about=self._greeted
                ):
                    self._door.take(told)
        self.carrier.write(self._session.data_to_send())

    def _note(self, event: Event, now: float) -> None:
        match event:
            case Opened():
                self.was_online = True
                self._shared.claims.opened(event.uid)
            case Closed():
                self.carrier.discard()
                self._shared.claims.ended(self.name, now)
            case Answered() if self._door.mine(event.command_id):
                self._door.answered(event.value, ok=event.ok)
            case Unanswered() if self._door.mine(event.command_id):
                self._door.answered(event.reason, ok=False, final=event.expired)
            case Answered():
                self._answer(event.command_id, event.value if event.ok else _refusal(event.value))
            case Unanswered():
                self._answer(
                    event.command_id, NoAnswer(event.reason) if event.expired else NotReachable(event.reason)
                )
            case Trouble():
                log.warning("%s: %s: %s", self._kind, self.name, event.text)

    def _answer(self, command_id: str, outcome: Any) -> None:
        answer = self._calls.pop(command_id, None)
        if answer is None or answer.done():
            return
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def _tell_figures(self, now: float) -> None:
        if self.device is None or now < self._figures_due:
            return
        self._figures_due = now + FIGURES_MS
        figures = self._session.figures() | {"tx_dropped_bytes": self.carrier.dropped_bytes}
        if figures != self._figures:
            self._figures = figures
            self._sink(LinkHealth(self.device, figures))


def _refusal(value: Any) -> OutpostError:
    """Return a board's refusal; one that gave up as it was asked says so in its first word."""
    words = value if isinstance(value, str) and value else f"the board refused: {value!r}"
    return Cancelled(words) if words.startswith(CANCELLED) else Refused(words)
