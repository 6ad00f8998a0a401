"""The door between one session with a board and the hub: what it says passes once the board may in.

A board that must prove its key, or that waits to be accepted, has an open session, so that its clock and its
birth are known; but nothing that it says goes on, nothing is acknowledged, and no command but the door's own
reaches it. docs/protocol.md, Enrolment, has the two commands.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from hub.links.aside import AT_ONCE, Aside, Budget
from hub.links.gate import Entry, Standing
from hub.model import Born, Gone, Keyed, KeyState, LinkKind, LogLine, Reading
from hub.wire.calls import TooMany

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.links.aside import Again
    from hub.links.gate import Gate
    from hub.links.link import Sink
    from hub.model import LinkEvent

log = logging.getLogger(__name__)

PROVE, ENROL = "prove", "enrol"
TTL_MS = {LinkKind.SERIAL: 5_000, LinkKind.MQTT: 15_000}
"""For so long a board may think about its proof: its flash may be busy, and a sensor may hold it."""
UNPROVEN_BYTES = 1 << 20
UNKNOWN_COMMAND = "there is no command"
"""How firmware answers that knows of no keys."""


def proof(key: bytes, nonce: str, device: str, boot_id: str) -> str:
    """Return what a board answers to a challenge: HMAC-SHA256 in hex (RFC 2104)."""
    text = f"outpost board\n{nonce}\n{device}\n{boot_id}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _same(expected: str, answer: Any) -> bool:
    return isinstance(answer, str) and answer.isascii() and hmac.compare_digest(expected, answer)


class Wire(Protocol):
    """The session as its door uses it."""

    def ask(self, call_id: str, command: str, params: dict[str, Any], ttl_ms: int) -> None:
        """Send a command of the door's own. Raises TooMany."""

    def shut(self, reason: str) -> None:
        """End the session."""


class Door:
    """Passes the events of one session at `name` to `sink`, or keeps them aside, as `gate` says."""

    def __init__(
        self,
        name: str,
        kind: LinkKind,
        sink: Sink,
        gate: Gate,
        wire: Wire,
        again_of: Callable[[str, str], Again],
    ) -> None:
        self.name = name
        self._kind = kind
        self._sink = sink
        self._gate = gate
        self._wire = wire
        self._again_of = again_of
        self._born: Born | None = None
        self._standing = Standing(Entry.OPEN)
        self._state: KeyState | None = None
        self._inside = False
        self._aside: Aside | None = None
        self._call = ""
        self._nonce = ""
        self._gave = False
        self._giving = False
        self._trusted = False  # whether what is printed here is of a board that was in

    @property
    def open(self) -> bool:
        """Whether the board is in: commands reach it, and it is online."""
        return self._inside

    # --- what the board says ------------------------------------------------------------------------------

    def take(self, event: LinkEvent) -> None:
        """Pass an event on, or keep it."""
        if isinstance(event, Born):
            self._came(event)
        elif isinstance(event, Gone):
            self._went(event)
        elif self._aside is not None:
            self._beside(event)
        elif self._inside or self._trusted or (isinstance(event, LogLine) and event.level == "error"):
            self._sink(event)  # that a board is turned away is told on the page of the one it says it is

    def mine(self, call_id: str) -> bool:
        """Whether a command is the door's own."""
        return call_id == self._call

    def answered(self, value: Any, *, ok: bool, final: bool = True) -> None:
        """Take in the board's answer to the door's command; not `final` where the session ended instead."""
        giving, self._giving, self._call = self._giving, False, ""
        if not final or self._born is None:
            return
        if giving:
            self._kept(value, ok=ok)
        elif ok and isinstance(value, dict):
            self._judge(value.get("proof"))
        else:
            words = value if isinstance(value, str) else "its answer makes no sense"
            self._unproven(words, able=not words.startswith(UNKNOWN_COMMAND))

    def tick(self) -> None:
        """Pass on more of what was kept; to be called each 50 ms."""
        if self._inside and self._aside is not None and self._aside.pass_on(self._sink, AT_ONCE):
            self._aside = None

    # --- what the gate says -------------------------------------------------------------------------------

    def let_in(self, standing: Standing) -> None:
        """Let the board in, or give one that is in a key."""
        if self._born is None:
            return
        self._standing = standing
        self._gave = False
        if not self._inside:
            self._enter(KeyState.NONE)
        self._challenge()

    def turn_out(self, reason: str) -> None:
        """End the session."""
        if self._born is not None:
            self._shut(reason)

    # --- how it goes --------------------------------------------------------------------------------------

    def _came(self, born: Born) -> None:
        before, self._born = self._born, born
        same = before is not None and before.birth.boot_id == born.birth.boot_id
        if same and before is not None and before.birth.device == born.birth.device:
            if self._inside:
                self._sink(msgspec.structs.replace(born, key=self._state))
            elif self._standing.entry is Entry.WAIT:
                self._wait(born)
            return
        self._gave = False
        self._standing = standing = self._gate.knock(born.birth.device, self)
        if standing.entry is Entry.WAIT:
            self._wait(born)
        elif standing.entry is Entry.PROVE:
            self._aside = Aside(UNPROVEN_BYTES, Budget(UNPROVEN_BYTES), self._again(born))
            self._challenge()
        else:
            self._enter(KeyState.NONE if standing.asked else None)
            if standing.key is not None or standing.next_key is not None:
                self._challenge()

    def _went(self, event: Gone) -> None:
        born, self._born = self._born, None
        if born is None:
            return
        if self._inside:
            if self._aside is not None:
                self._aside.pass_on(self._sink, self._aside.kept)
            self._sink(event)
        elif self._aside is not None and self._standing.entry is Entry.PROVE:
            self._aside.drop()
        self._inside, self._aside, self._call, self._state = False, None, "", None
        self._gate.left(born.birth.device, self)

    def _wait(self, born: Born) -> None:
        self._aside = self._gate.wait(born, self, self._sink, self._again(born))

    def _beside(self, event: LinkEvent) -> None:
        """Keep what comes after what is kept; what has no order passes where the board is in."""
        if isinstance(event, Reading) or (isinstance(event, LogLine) and not self._inside):
            if self._aside is not None:
                self._aside.take(event)
        elif self._inside:
            self._sink(event)

    def _enter(self, state: KeyState | None) -> None:
        """Let the board in: what was kept is passed on first, by and by."""
        self._inside, self._trusted, self._state = True, True, state
        if self._born is not None:
            self._sink(msgspec.structs.replace(self._born, key=state))
        self.tick()

    def _challenge(self) -> None:
        self._nonce = secrets.token_hex(16)
        self._ask(PROVE, {"nonce": self._nonce})

    def _ask(self, command: str, params: dict[str, Any]) -> None:
        self._call = f"{command}-{secrets.token_hex(8)}"
        try:
            self._wire.ask(self._call, command, params, TTL_MS[self._kind])
        except TooMany as error:
            self.answered(str(error), ok=False)

    def _judge(self, answer: Any) -> None:
        """Hold the board's answer to the challenge against the keys that it may hold."""
        born, standing = self._born, self._standing
        assert born is not None  # noqa: S101 - asked before
        device, boot_id = born.birth.device, born.birth.boot_id or ""
        for key in (standing.key, standing.next_key):
            if key is not None and _same(proof(key, self._nonce, device, boot_id), answer):
                self._proven(key)
                return
        self._unproven("it holds no key" if answer is None else "it proved another key", able=True)

    def _proven(self, key: bytes) -> None:
        born, following = self._born, self._standing.next_key
        assert born is not None  # noqa: S101 - asked before
        done = following is None or key == following
        self._standing = Standing(Entry.OPEN, key, None if done else following)
        self._gate.proved(born.birth.device, self, key)
        if not self._inside:
            self._enter(KeyState.PROVEN)
        elif self._state is not KeyState.PROVEN:
            self._state = KeyState.PROVEN
            self._sink(Keyed(born.birth.device, KeyState.PROVEN))
        if following is not None and not done and not self._gave:
            self._give(following)

    def _unproven(self, why: str, *, able: bool) -> None:
        """Turn away a board that has a key to prove; give one to a board that has none yet."""
        born, standing = self._born, self._standing
        assert born is not None  # noqa: S101 - asked before
        if standing.key is not None:
            if not self._inside or self._state is not KeyState.PROVEN:
                self._gate.failed(born.birth.device, self, why)
                self._shut(f"refused: {why}")
            else:
                log.warning("%s: %s takes no new key: %s", self.name, born.birth.device, why)
        elif standing.next_key is not None and able and not self._gave:
            self._give(standing.next_key)
        else:
            log.warning("%s: board %s is in without a key: %s", self.name, born.birth.device, why)

    def _give(self, key: bytes) -> None:
        """Send a key, once: over the cable, which is in the hands of whoever accepted the board."""
        if self._kind is not LinkKind.SERIAL:
            return
        self._gave = self._giving = True
        self._ask(ENROL, {"key": key.hex()})

    def _kept(self, value: Any, *, ok: bool) -> None:
        born = self._born
        assert born is not None  # noqa: S101 - asked before
        if ok:
            self._challenge()
        else:
            log.warning("%s: board %s kept no key: %s", self.name, born.birth.device, value)

    def _shut(self, reason: str) -> None:
        self._trusted = False
        self._wire.shut(reason)

    def _again(self, born: Born) -> Again:
        return self._again_of(born.birth.device, born.birth.boot_id or "")
