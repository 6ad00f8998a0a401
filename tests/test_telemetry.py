"""Samples on a viewer's data channel: in time with the picture, bounded, and safe from who chooses."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus import Bus
from hub.camera.sources import planes, stamp
from hub.camera.viewing import side_channel, telemetry
from hub.camera.viewing.telemetry import BadSelection, Telemetry, parse_selection
from hub.devices import Registry
from hub.model import Birth, LinkKind, Metric, Reading
from hub.web.instruments import LiveInstruments
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import running
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiortc.rtp import RtpPacket

    from hub.camera.camera import Camera

BOARD = Birth(
    device="board",
    name="Board",
    model="fake",
    firmware="1",
    boot_id="boot0001",
    metrics=(Metric(name="temp"), Metric(name="humidity")),
    commands=(),
)
TEMP, HUMIDITY = ("board", "temp"), ("board", "humidity")


class Pipe:
    """A fake channel: keeps what is sent, and holds it back as the test says."""

    def __init__(self) -> None:
        self.readyState = "open"
        self.bufferedAmount = 0
        self.sent: list[dict[str, Any]] = []
        self.longest = 1 << 20

    def send(self, data: str) -> None:
        if len(data) > self.longest:
            raise ValueError("too long")
        self.sent.append(json.loads(data))


class Scene:
    """A hub with one board, and one viewer's channel."""

    def __init__(self, *, hidden: frozenset[str] = frozenset()) -> None:
        self.registry = Registry()
        self.bus = Bus(epoch="0" * 8, now_ms=now_ms)
        self.registry.born(BOARD, LinkKind.SERIAL, 0)
        self.pipe = Pipe()
        self.flooded = 0
        self.clock: tuple[int, int] | None = (90_000, 1_000)
        self.instruments = LiveInstruments(self.registry, self.bus, lambda device: device not in hidden)
        self.telemetry = Telemetry(self.pipe, self.instruments, clock=lambda: self.clock, flooded=self._count)

    def _count(self) -> None:
        self.flooded += 1

    def comes(self, time_ms: int, temp: float, humidity: float) -> None:
        reading = Reading(
            device="board",
            source_time_ms=time_ms,
            hub_time_ms=time_ms,
            metrics=("temp", "humidity"),
            values=(temp, humidity),
        )
        self.registry.take(reading)
        self.bus.publish(reading)

    def select(self, *picks: tuple[str, str]) -> None:
        self.telemetry.heard(json.dumps({"select": picks}))

    def rows(self) -> list[list[Any]]:
        return [row for message in self.pipe.sent for row in message.get("samples", ())]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    made.telemetry.close()


async def test_a_selection_is_answered_with_the_last_of_each_and_followed_by_what_comes(scene: Scene) -> None:
    scene.comes(1_000, 20.5, 40.0)
    scene.select(TEMP, ("board", "wind"), ("nobody", "x"))
    assert scene.pipe.sent[0] == {"selected": [["board", "temp"], ["board", "wind"], ["nobody", "x"]],
                                  "unknown": [["board", "wind"], ["nobody", "x"]]}  # fmt: skip
    assert scene.rows() == [["board", "temp", 1_000, 20.5, "good"]]
    scene.comes(2_000, 21.0, 41.0)
    await until(lambda: len(scene.rows()) == 3)  # the first comes once more, by the bus
    assert scene.rows()[-1] == ["board", "temp", 2_000, 21.0, "good"]
    scene.select(HUMIDITY)
    scene.comes(3_000, 22.0, 42.0)
    await until(lambda: scene.rows()[-1][2] == 3_000)
    assert {row[1] for row in scene.rows()[3:]} == {"humidity"}


async def test_nothing_is_sent_after_an_empty_selection_or_the_end(scene: Scene) -> None:
    for end in (scene.select, scene.telemetry.close):
        scene.select(TEMP)
        end()
        scene.pipe.sent.clear()
        scene.comes(1_000, 20.5, 40.0)
        await asyncio.sleep(0.05)
        assert scene.pipe.sent == []


async def test_devices_that_a_viewer_may_not_see_are_as_if_they_were_not_there() -> None:
    scene = Scene(hidden=frozenset({"board"}))
    scene.comes(1_000, 20.5, 40.0)
    scene.select(TEMP)
    scene.comes(2_000, 21.0, 41.0)
    await asyncio.sleep(0.05)
    scene.telemetry.close()
    assert scene.pipe.sent[0]["unknown"] == [["board", "temp"]]
    assert scene.rows() == []


async def test_the_videos_clock_is_told_as_soon_as_there_is_one_and_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "CLOCK_EVERY_S", 0.02)
    scene.clock = None
    scene.select(TEMP)
    assert not any("clock" in message for message in scene.pipe.sent)
    scene.clock = (7, 1_795_000_000_123)
    await until(lambda: sum("clock" in message for message in scene.pipe.sent) > 1)
    assert {"clock": {"rtp": 7, "time": 1_795_000_000_123}} in scene.pipe.sent


async def test_rows_that_a_slow_viewer_does_not_take_are_dropped_counted_and_told(scene: Scene) -> None:
    scene.select(TEMP)
    scene.pipe.bufferedAmount = telemetry.BUFFER_BYTES + 1
    scene.comes(1_000, 20.5, 40.0)
    await until(lambda: scene.telemetry.dropped == 1)
    scene.pipe.bufferedAmount = 0
    scene.comes(2_000, 21.0, 41.0)
    await until(scene.rows)
    assert scene.pipe.sent[-1]["dropped"] == 1
    assert scene.rows() == [["board", "temp", 2_000, 21.0, "good"]]


async def test_a_viewer_whose_offer_allows_no_message_of_that_length_gets_none(scene: Scene) -> None:
    scene.pipe.longest = 10
    scene.select(TEMP)
    scene.comes(1_000, 20.5, 40.0)
    await until(lambda: scene.telemetry.dropped == 1)
    assert scene.pipe.sent == []


@pytest.mark.parametrize(
    "message",
    [b"\x00", "", "[]", "null", '{"select": [["board"]]}', '{"select": [["", "x"]]}', '{"select": 1}',
     '{"select": [], "more": 1}', json.dumps({"select": [["d", str(n)] for n in range(33)]}), "x" * 9000],
)  # fmt: skip
async def test_a_message_that_is_wrong_is_answered_with_the_reason_and_changes_nothing(
    scene: Scene, message: str | bytes
) -> None:
    scene.select(TEMP)
    scene.telemetry.heard(message)
    assert list(scene.pipe.sent[-1]) == ["error"]
    scene.comes(1_000, 20.5, 40.0)
    await until(scene.rows)


@given(
    st.text() | st.binary() | st.recursive(st.text() | st.integers() | st.none(), st.lists).map(json.dumps)
)
def test_no_message_breaks_the_reader(message: str | bytes) -> None:
    try:
        picks = parse_selection(message)
    except BadSelection:
        return
    assert len(picks) <= telemetry.PICKS_LIMIT


async def test_one_who_sends_more_than_anyone_would_is_told_apart(scene: Scene) -> None:
    for _ in range(40):
        scene.select(TEMP)
    assert scene.flooded == 0
    scene.select(TEMP)
    assert scene.flooded == 1


# --- with a real peer ---------------------------------------------------------------------------------


class Watcher:
    """A peer with a channel, and what came on it."""

    def __init__(self, peer: Peer) -> None:
        assert peer.channel is not None
        self.peer = peer
        self.channel = peer.channel
        self.messages: list[dict[str, Any]] = []
        self.channel.on("message", lambda text: self.messages.append(json.loads(text)))
        self.stamps: list[int] = []
        """RTP timestamps of all packets; aiortc counts a frame's pts from the first."""
        receiver = peer.connection.getReceivers()[0]
        take = receiver._handle_rtp_packet

        async def tap(packet: RtpPacket, arrival_time_ms: int) -> None:
            self.stamps.append(packet.timestamp)
            await take(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = tap  # type: ignore[method-assign]  # a test's tap

    async def opens(self) -> None:
        await until(lambda: self.channel.readyState == "open")

    def last(self, kind: str) -> Any:
        return next((message[kind] for message in reversed(self.messages) if kind in message), None)


@asynccontextmanager
async def watching(camera: Camera, instruments: LiveInstruments | None) -> AsyncIterator[tuple[Watcher, str]]:
    async with Peer(data="telemetry") as peer:
        watcher = Watcher(peer)
        handle = await camera.answer(await peer.offer(), instruments=instruments)
        await peer.accept(handle.answer_sdp)
        await watcher.opens()
        yield watcher, handle.id


async def test_the_clock_on_the_channel_gives_each_frame_its_time_of_capture(scene: Scene) -> None:
    scene.comes(1_000, 20.5, 40.0)
    async with running() as camera, watching(camera, scene.instruments) as (watcher, _):
        watcher.channel.send(json.dumps({"select": [TEMP]}))
        await until(lambda: watcher.last("clock") and watcher.last("samples"))
        off_ms = []
        for _ in range(15):
            picture = await watcher.peer.picture()
            clock, burned_in = watcher.last("clock"), stamp.read(planes.views(picture)[0])
            assert burned_in is not None
            assert picture.pts is not None
            ticks = (picture.pts + watcher.stamps[0] - clock["rtp"] + (1 << 31)) % (1 << 32) - (1 << 31)
            off_ms.append(abs(clock["time"] + ticks / 90 - burned_in))
    assert min(off_ms) < 5, "the machine may pause between two readings of its clock, but not each time"


async def test_a_peer_that_asks_for_no_channel_costs_none(scene: Scene) -> None:
    async with running() as camera, Peer() as peer:
        handle = await camera.answer(await peer.offer(), instruments=scene.instruments)
        assert "m=application" not in handle.answer_sdp
        assert camera._viewers[handle.id]._peer.sctp is None


async def test_a_second_channel_is_closed_and_a_ninth_ends_the_viewer(scene: Scene) -> None:
    async with running() as camera, watching(camera, scene.instruments) as (watcher, viewer):
        second = watcher.peer.connection.createDataChannel("more")
        await until(lambda: second.readyState == "closed")
        assert viewer in camera._viewers
        for number in range(side_channel.CHANNELS_LIMIT):
            watcher.peer.connection.createDataChannel(str(number))
        await until(lambda: not camera.viewers)


async def test_channels_are_closed_where_no_samples_may_be_seen() -> None:
    async with running() as camera, Peer(data="telemetry") as peer:
        await peer.accept((await camera.answer(await peer.offer())).answer_sdp)
        assert peer.channel is not None
        await until(lambda: peer.channel is not None and peer.channel.readyState == "closed")
        await peer.picture()


def floods(watcher: Watcher) -> None:
    for _ in range(50):
        watcher.channel.send('{"select": []}')


def never_ends(watcher: Watcher) -> None:
    # the channel's own limit of 64 KiB a message is on the sender's honour
    watcher.channel.transport._remote_max_message_size = 0
    watcher.channel.transport._advertised_rwnd = 0
    watcher.channel.send("x" * (side_channel.INBOUND_BYTES + 100_000))


def opens_twice(watcher: Watcher) -> None:
    opening = b"\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    sctp = watcher.channel.transport
    sctp._data_channel_queue.append((watcher.channel, 50, opening))
    asyncio.ensure_future(sctp._data_channel_flush())  # noqa: RUF006 - as aiortc does it


def is_no_text(watcher: Watcher) -> None:
    sctp = watcher.channel.transport
    sctp._data_channel_queue.append((watcher.channel, 51, b"\xff\xfe\xfd"))
    asyncio.ensure_future(sctp._data_channel_flush())  # noqa: RUF006 - as aiortc does it


@pytest.mark.parametrize("attack", [floods, never_ends, opens_twice, is_no_text])
async def test_a_hostile_channel_ends_its_own_viewer_and_no_other(
    scene: Scene, attack: Callable[[Watcher], None]
) -> None:
    async with running() as camera, watching(camera, scene.instruments) as (good, good_id):
        good.channel.send(json.dumps({"select": [TEMP]}))
        async with watching(camera, scene.instruments) as (bad, bad_id):
            attack(bad)
            await until(lambda: bad_id not in camera._viewers)
            assert good_id in camera._viewers
            scene.comes(1_000, 20.5, 40.0)
            await until(lambda: good.last("samples"))
            await good.peer.picture()
