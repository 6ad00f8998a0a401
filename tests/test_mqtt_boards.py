"""Boards' sessions over a broker: who may speak for whom. Without broker and VM; time is given."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.bus import Bus
from hub.devices import Registry, TakenByAnotherLink
from hub.health import Health
from hub.ingest import Ingest
from hub.links.boards import Claims
from hub.links.link import NotReachable
from hub.links.mqtt_boards import BOARDS, MESSAGE_BYTES, PIECE_BYTES, SILENCE_MS, Down, MqttBoards
from hub.links.mqtt_devices import Arrival
from hub.links.refusals import Refusals
from hub.links.session import Shared
from hub.model import Birth, Born, Command, Gone, LinkKind, LogLine, Reading
from hub.wire.board_session import BoardSession
from hub.wire.message import dumps
from tests.pty_board import BIRTH, MemoryOutbox

NOW_MS = 1_763_700_000_000
UID = "e661000000000001"


class Broker:
    """A board and a hub's boards with a broker between that loses nothing."""

    def __init__(self, *, allowed: bool = True, topic_uid: str = UID) -> None:
        self.at_ms = 0.0
        self.events: list[Any] = []
        self.outbox = MemoryOutbox()
        text = dumps(["birth", BIRTH])
        self.board = BoardSession(UID, "0000b001", "power", lambda: [text], self.outbox)
        self.topic = f"outpost/board/{topic_uid}"
        self.refusals = Refusals(LinkKind.MQTT, health=None, now_ms=lambda: NOW_MS)
        self.shared = Shared(
            last_seq=lambda _device, _boot_id: -1, now_ms=lambda: NOW_MS, clock_ms=lambda: self.at_ms
        )
        self.boards = MqttBoards("outpost", self.shared, self.refusals, self.published, allowed=allowed)

    def published(self, topic: str, payload: bytes) -> bool:
        assert topic == f"{self.topic}/down"
        self.board.feed(payload, int(self.at_ms))
        return True

    def say(self, what: str, payload: bytes, *, retained: bool = False) -> None:
        self.boards.take(Arrival(f"{self.topic}/{what}", payload, retained, NOW_MS), self.events.append)

    def run(self, ms: int) -> None:
        """Let time pass; the board's frames go as they come, some to a message."""
        for _ in range(0, ms, 50):
            self.at_ms += 50
            frames = []
            while (frame := self.board.next_frame(int(self.at_ms))) is not None:
                frames.append(frame)
            if frames:
                self.say("up", b"".join(frames))
            self.boards.tick()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def command() -> Command:
    return Command(
        id="1", device=UID, command="led", params={}, ttl_ms=1000, caller="t", origin="t", created_time=0
    )


async def test_a_board_is_born_and_its_readings_come_once_with_their_identity() -> None:
    broker = Broker()
    broker.run(500)
    for _ in range(20):
        broker.outbox.put(int(broker.at_ms), [1, 2150, 1, 0])
    broker.run(500)
    (born,) = broker.of(Born)
    assert (born.link, born.birth.device, born.birth.boot_id) == (LinkKind.MQTT, UID, "0000b001")
    assert [(reading.boot_id, reading.seq) for reading in broker.of(Reading)] == [
        ("0000b001", seq) for seq in range(20)
    ]


async def test_an_ack_frees_the_boards_outbox() -> None:
    broker = Broker()
    broker.run(500)
    broker.outbox.put(500, [1, 2150, 1, 0])
    broker.run(200)
    broker.boards.ack(UID, "0000b001", 0)
    assert broker.outbox.first_seq == 1


async def test_a_board_does_not_speak_on_anothers_topic() -> None:
    broker = Broker(topic_uid="e661000000000666")
    broker.run(500)
    assert broker.of(Born) == []
    assert {line.text for line in broker.of(LogLine)} == {
        f"board {UID} is refused: it speaks on the topic of board e661000000000666"
    }


async def test_a_cable_takes_the_board_from_who_only_claims_its_name() -> None:
    broker = Broker()
    broker.run(500)
    assert broker.shared.claims.claim(UID, "/dev/ttyACM0", broker.at_ms) is None
    broker.boards.tick()
    assert [event.reason for event in broker.of(Gone)] == ["it is on /dev/ttyACM0 now"]
    broker.shared.claims.opened(UID)
    broker.run(2000)
    assert len(broker.of(Born)) == 1
    assert any("two boards cannot share one identity" in line.text for line in broker.of(LogLine))


def test_a_name_takes_nothing_from_a_cable() -> None:
    claims = Claims()
    assert claims.claim("b1", "/dev/a", 0) is None
    claims.opened("b1")
    assert "is on /dev/a" in (claims.claim("b1", "the broker", 60_000, by_name=True) or "")


async def test_a_board_that_the_broker_lost_is_offline_at_once() -> None:
    broker = Broker()
    broker.run(500)
    broker.say("status", b"offline")
    assert [event.reason for event in broker.of(Gone)] == ["its connection with the broker ended"]


async def test_a_silent_board_is_offline_after_a_while_and_forgotten() -> None:
    broker = Broker()
    broker.run(500)
    broker.at_ms += SILENCE_MS + 1000
    broker.boards.tick()
    assert (len(broker.of(Gone)), broker.boards.busy) == (1, False)
    assert broker.shared.claims.holder(UID) is None


async def test_a_lost_broker_ends_every_session_and_the_next_goes_on() -> None:
    broker = Broker()
    broker.run(500)
    broker.boards.lost("broker is lost")
    assert len(broker.of(Gone)) == 1
    broker.run(2000)
    assert len(broker.of(Born)) == 2


async def test_commands_to_a_board_that_is_not_there_are_not_reachable() -> None:
    with pytest.raises(NotReachable):
        await Broker().boards.send(command())


async def test_a_command_reaches_the_board_and_its_answer_comes_back() -> None:
    broker = Broker()
    broker.run(500)
    sending = asyncio.create_task(broker.boards.send(command()))
    await asyncio.sleep(0)
    ((command_id, name, _),) = broker.board.commands
    broker.board.answer(command_id, True, {"state": "on"})
    broker.run(100)
    assert (name, await sending) == ("led", {"state": "on"})


@pytest.mark.parametrize(
    ("topic", "payload", "retained", "reason"),
    [
        ("outpost/board/b1/down", b"x", False, "topic"),
        ("outpost/board/.b1/up", b"x", False, "topic"),
        ("outpost/board/b1/up/more", b"x", False, "topic"),
        ("outpost/board/b1/up", b"x", True, "retained"),
        ("outpost/board/b1/up", b"x" * (MESSAGE_BYTES + 1), False, "too long"),
    ],
)
async def test_what_is_no_board_is_refused(topic: str, payload: bytes, retained: bool, reason: str) -> None:
    broker = Broker()
    assert broker.boards.mine(topic)
    broker.boards.take(Arrival(topic, payload, retained, NOW_MS), broker.events.append)
    assert dict(broker.refusals.counts) == {reason: 1}
    assert broker.events == []


async def test_boards_are_refused_unless_the_configuration_lets_them_in() -> None:
    broker = Broker(allowed=False)
    broker.run(500)
    assert set(broker.refusals.counts) == {"boards are off"}
    assert not broker.boards.busy


async def test_strangers_fill_no_more_than_so_many_sessions() -> None:
    broker = Broker()
    broker.boards._publish = lambda _topic, _payload: True
    for number in range(BOARDS + 3):
        topic = f"outpost/board/b{number}/up"
        broker.boards.take(Arrival(topic, b"\x1e", False, NOW_MS), broker.events.append)
    assert dict(broker.refusals.counts) == {"too many boards": 3}


def test_what_goes_down_is_cut_into_pieces_and_what_the_broker_does_not_get_is_counted() -> None:
    pieces: list[bytes] = []

    def publish(piece: bytes) -> bool:
        pieces.append(piece)
        return len(pieces) < 3

    down = Down(publish)
    down.write(b"x" * (2 * PIECE_BYTES + 10))
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 10]
    assert down.dropped_bytes == 10


# --- the registry and ingest: what is published in a board's name --------------------------------------


def birth(boot_id: str | None) -> Birth:
    return Birth(device=UID, name="b", boot_id=boot_id)


@pytest.mark.parametrize(
    ("before", "was", "online", "now", "taken"),
    [
        (LinkKind.SERIAL, "b0", False, "b1", True),
        (LinkKind.SERIAL, "b0", True, "b0", False),
        (LinkKind.SERIAL, "b0", False, None, False),
        (LinkKind.HOST, None, False, "b1", False),
        (LinkKind.MQTT, "b0", False, "b1", True),
        (LinkKind.MQTT, "b0", False, None, False),
        (LinkKind.MQTT, None, True, "b1", True),
        (LinkKind.MQTT, None, False, None, True),
    ],
)
def test_who_may_take_an_id_over_the_broker(
    before: LinkKind, was: str | None, online: bool, now: str | None, taken: bool
) -> None:
    registry = Registry()
    registry.born(birth(was), before, NOW_MS)
    if not online:
        registry.gone(UID, "away")
    if taken:
        assert registry.born(birth(now), LinkKind.MQTT, NOW_MS).link is LinkKind.MQTT
    else:
        with pytest.raises(TakenByAnotherLink, match=UID):
            registry.born(birth(now), LinkKind.MQTT, NOW_MS)


class Stored:
    """Where ingest puts readings."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def on_commit(self, _callback: Any) -> None:
        pass

    def put_birth(self, *_: Any) -> None:
        pass

    def put(self, reading: Reading) -> None:
        self.readings.append(reading)


async def test_a_reading_in_a_boards_name_without_its_session_is_not_stored() -> None:
    store = Stored()
    bus = Bus(epoch="0badcafe", now_ms=lambda: NOW_MS)
    rooms: dict[str, Any] = {"registry": Registry(), "store": store, "bus": bus, "health": Health()}
    sink = Ingest(**rooms, now_ms=lambda: NOW_MS).sink_for(LinkKind.MQTT)
    sink(Born(birth("b1"), LinkKind.MQTT))
    said: dict[str, Any] = {"device": UID, "metrics": ("m",), "values": (1,)}
    sink(Reading(**said, source_time_ms=NOW_MS, hub_time_ms=NOW_MS))
    assert store.readings == []
    sink(Reading(**said, source_time_ms=NOW_MS, hub_time_ms=NOW_MS, boot_id="b1", seq=0))
    assert len(store.readings) == 1
