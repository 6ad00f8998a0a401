"""Boards whose session runs over the broker: the frames of docs/protocol.md within MQTT messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hub.links.link import NotReachable
from hub.links.payload import BadMessage
from hub.links.session import Session, Shared
from hub.model import LinkKind
from hub.wire.message import is_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.links.link import Sink
    from hub.links.mqtt_devices import Arrival
    from hub.links.refusals import Refusals
    from hub.model import Command

log = logging.getLogger(__name__)

BOARDS = 64
"""Sessions at once; what is known of boards (wire/known.py) reaches as far."""
MESSAGE_BYTES = 16 * 1024
PIECE_BYTES = 1024
"""A message to a board is no longer: it fits one packet of WiFi and the board's memory."""
# TCP over a bad WiFi sends again after 1, 3, 7 s: a board that is that late is not gone.
SILENCE_MS = 15_000.0


class MqttBoards:
    """The sessions by the board's id; `up` and `status` of `<topic>/board/<uid>/` come in, `down` goes out.

    A board speaks on its own topic only, and one that is on a cable too is refused here. `publish(topic,
    payload)` returns whether the broker gets it. Unless `allowed`, all is refused, with words that say so.
    """

    def __init__(
        self,
        topic: str,
        shared: Shared,
        refusals: Refusals,
        publish: Callable[[str, bytes], bool],
        *,
        allowed: bool,
    ) -> None:
        self._prefix = f"{topic}/board/"
        self._shared = shared
        self._refusals = refusals
        self._publish = publish
        self._allowed = allowed
        self._sessions: dict[str, BoardOnBroker] = {}

    @property
    def busy(self) -> bool:
        """Whether there is a session that wants its ticks."""
        return bool(self._sessions)

    def mine(self, topic: str) -> bool:
        """Whether a message on `topic` is for `take`."""
        return topic.startswith(self._prefix)

    def online(self, device: str) -> bool:
        """Whether the board's session is open here."""
        session = self._sessions.get(device)
        return session is not None and session.device is not None

    def take(self, arrival: Arrival, sink: Sink) -> None:
        """Take a message in; its events go to `sink`."""
        try:
            uid, what = self._address(arrival)
            if what == "status":
                self._status(uid, arrival.payload)
                return
            session = self._sessions.get(uid) or self._begin(uid, sink)
        except BadMessage as error:
            self._refusals.add(error.reason, arrival.topic, str(error))
            return
        self._check_cable(session)
        session.hear(arrival.payload)

    def tick(self) -> None:
        """Do what time asks for; to be called each `session.TICK_S` while `busy`."""
        for uid, session in tuple(self._sessions.items()):
            self._check_cable(session)
            session.tick()
            if session.expired:
                self._end(uid, f"silent for {SILENCE_MS / 1000:.0f} s")

    def lost(self, reason: str) -> None:
        """End every session: the broker is gone."""
        for uid in tuple(self._sessions):
            self._end(uid, reason)

    async def send(self, command: Command) -> Any:
        """Deliver `command`. Raises NotReachable, Refused, NoAnswer, Cancelled."""
        session = self._sessions.get(command.device)
        if session is None or session.device != command.device:
            raise NotReachable(f"{command.device} is not on the broker now")
        return await session.call(command)

    def cancel(self, command_id: str) -> None:
        """Ask the board that runs it to give up a command."""
        for session in self._sessions.values():
            session.cancel(command_id)

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Tell the board that its readings up to `seq` are committed, and have those after it `again`."""
        session = self._sessions.get(device)
        if session is not None and session.device == device:
            session.ack(boot_id, seq, again=again)

    def _address(self, arrival: Arrival) -> tuple[str, str]:
        uid, _, what = arrival.topic.removeprefix(self._prefix).partition("/")
        if not is_id(uid) or what not in ("up", "status"):
            raise BadMessage("topic", f"{arrival.topic[:80]!r} is not {self._prefix}UID/up")
        if not self._allowed:
            how = f"board {uid} speaks over the broker; to let it in, set `mqtt.boards = true`"
            raise BadMessage("boards are off", how)
        if arrival.retained:
            raise BadMessage("retained", f"what board {uid} says must not be retained")
        if len(arrival.payload) > MESSAGE_BYTES:
            raise BadMessage("too long", f"{len(arrival.payload)} bytes are over {MESSAGE_BYTES}")
        return uid, what

    def _begin(self, uid: str, sink: Sink) -> BoardOnBroker:
        if len(self._sessions) >= BOARDS:
            raise BadMessage("too many boards", f"{uid} would be more than {BOARDS}")
        down = f"{self._prefix}{uid}/down"
        session = BoardOnBroker(uid, sink, self._shared, lambda data: self._publish(down, data))
        self._sessions[uid] = session
        return session

    def _status(self, uid: str, payload: bytes) -> None:
        """Take the board's last will, which the broker tells for it."""
        if payload == b"offline" and uid in self._sessions:
            self._end(uid, "its connection with the broker ended")

    def _check_cable(self, session: BoardOnBroker) -> None:
        """End the session of a board that came by cable: that one is it beyond doubt."""
        holder = self._shared.claims.holder(session.uid)
        if session.device is not None and holder != session.name:
            session.end(f"it is on {holder or 'no link'} now")

    def _end(self, uid: str, reason: str) -> None:
        session = self._sessions.pop(uid)
        session.end(reason)
        self._shared.claims.release(session.name)


class Down:
    """The topic that one board hears, as a session's carrier."""

    def __init__(self, publish: Callable[[bytes], bool]) -> None:
        self.dropped_bytes = 0
        self._publish = publish

    def write(self, data: bytes) -> None:
        """Publish all of `data`, or count what the broker does not get."""
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            if not self._publish(piece):
                self.dropped_bytes += len(piece)

    def discard(self) -> None:
        """Do nothing: what is published is on its way."""


class BoardOnBroker(Session):
    """The session with the board `uid`, which speaks for no other."""

    def __init__(self, uid: str, sink: Sink, shared: Shared, publish: Callable[[bytes], bool]) -> None:
        super().__init__(f"the broker, as {uid}", sink, shared, kind=LinkKind.MQTT, silence_ms=SILENCE_MS)
        self.uid = uid
        self.carrier = Down(publish)
        self._heard_ms = shared.clock_ms()

    @property
    def expired(self) -> bool:
        """Whether nothing came for so long that the session is over."""
        return self._shared.clock_ms() - self._heard_ms > SILENCE_MS

    def hear(self, data: bytes) -> None:
        """Take in what the board published."""
        self._heard_ms = self._shared.clock_ms()
        self.received(data)

    def admit(self, uid: str) -> str | None:
        """Return why the board is not taken here, or None."""
        if uid != self.uid:
            return f"it speaks on the topic of board {self.uid}"
        return self._shared.claims.claim(uid, self.name, self._shared.clock_ms(), by_name=True)
