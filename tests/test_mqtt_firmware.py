"""The firmware over WiFi and a broker: a real VM whose sockets are bridged, a real Mosquitto and store.

What no test here ran on: a radio, an IP stack of a board, WiFi's latency and power saving.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import serial
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from hil.virtual import image
from hil.virtual.board import DEFAULT_UID, VirtualBoard
from hil.virtual.network import Network
from hub.config import MqttConfig
from hub.enrolment import BoardStanding
from hub.links import mqtt_boards
from hub.links.link import Refused
from hub.links.mqtt import MqttLink
from hub.links.mqtt_users import MqttUser, with_users
from hub.links.serial import SerialLink
from hub.links.session import Shared
from hub.model import Command, LinkKind, Quality
from hub.wire.frame import encode
from hub.wire.message import hello, payload
from tests.broker import Broker
from tests.enrolment_rig import enrolment_of
from tests.hub_rooms import Rooms, rooms
from tests.soak import SOAK, times
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from hub.links.link import Link, Sink

pytestmark = [needs_vm, pytest.mark.slow, pytest.mark.timeout(600)]

SSID, PASSWORD = "greenhouse", "tomatoes"
INTERVAL_MS = 100
LATE_MS = 900
"""A machine under load may hold the VM up for so long; every outage here is longer."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Field:
    """A board on WiFi, a broker, and hubs that come and go with what is on their disk."""

    def __init__(self, folder: Path, *, wifi_password: str = PASSWORD, broker: Broker | None = None) -> None:
        self.broker = broker or Broker(folder)
        self.broker.start()
        self.network = Network(SSID, PASSWORD)
        self.data = folder / "data"
        flash = folder / "flash"
        configuration = image.demo_configuration("Far") | {"interval_ms": INTERVAL_MS, "sensors": []}
        configuration["mqtt"] = {
            "host": self.broker.host,
            "port": self.broker.port,
            "ssid": SSID,
            "wifi_password": wifi_password,
        }
        self.users: dict[str, Any] = (
            {} if broker is None else {"username": "outpost", "password_file": str(folder / "hub")}
        )
        if broker is not None:
            (folder / "hub").write_text("hub-password\n")
            configuration["mqtt"] |= {"user": DEFAULT_UID, "password": "board-password"}
        image.assemble(flash, configuration)
        self.board = VirtualBoard(flash, link=folder / "tty", network=self.network)
        self.rows: list[Any] = []

    @contextlib.asynccontextmanager
    async def hub(
        self, *, boards: bool = True, cable: bool = False, enrolment: str = "off"
    ) -> AsyncIterator[tuple[Rooms, MqttLink]]:
        """Run a hub on the broker, with `cable` on the board's port, too."""
        async with rooms(self.data, now_ms) as parts:
            self.gate = enrolment_of(parts, enrolment)
            shared = Shared(last_seq=parts.store.last_seq, now_ms=now_ms, gate=self.gate)
            config = MqttConfig(host=self.broker.host, port=self.broker.port, boards=boards, **self.users)
            link = MqttLink(config, now_ms=now_ms, shared=shared)
            running: list[tuple[Link, Sink]] = [(link, parts.ingest.sink_for(LinkKind.MQTT))]
            if cable:
                running.append((SerialLink(self.board.path, shared), parts.sink))
            tasks = []
            for way, sink in running:
                parts.attach(way)
                tasks.append(asyncio.create_task(way.run(sink)))
            try:
                yield parts, link
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def stored(self, parts: Rooms, count: int) -> None:
        """Wait until `count` more readings are stored than before."""
        before = len(self.rows)
        async with asyncio.timeout(60):
            while len(self.rows) < before + count:
                await asyncio.sleep(0.1)
                self.rows = await parts.rows(self.board.uid, "sequence")

    def whole(self) -> bool:
        """Whether each reading is stored once, with the times at which they were taken."""
        numbers = [row.value for row in self.rows]
        steps = [after.time - before.time for before, after in pairwise(self.rows)]
        return numbers == list(range(len(numbers))) and max(steps) < LATE_MS and min(steps) > 0


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    field = Field(tmp_path)
    field.board.start()
    yield field
    field.board.stop()
    field.broker.kill()
    assert field.board.crashes == []
    assert field.board.boots == 1, "an error restarted the board"


STARVED = """
_count = 0
def _starved(act, what):
    global _count
    _count += 1
    if _count % 17 == 0:
        bytearray(1 << 24)  # more than there is: a real MemoryError
    return act(what)
"""
"""Lets each 17th read or write of the radio, a handshake's among them, find no memory."""


def command(field: Field, name: str, **params: Any) -> Command:
    return Command(
        id=f"{time.time_ns():016x}",
        device=field.board.uid,
        command=name,
        params=params,
        ttl_ms=10_000,
        caller="test",
        origin="test",
        created_time=0,
    )


async def test_a_board_on_the_broker_is_born_and_its_readings_are_stored_once(field: Field) -> None:
    async with field.hub() as (parts, _):
        await field.stored(parts, 30)
        state = parts.registry.get(field.board.uid)
    assert state is not None
    assert (state.link, state.birth.name, state.birth.boot_id is not None) == (LinkKind.MQTT, "Far", True)
    assert field.whole()
    assert {row.quality for row in field.rows[10:]} == {Quality.GOOD}


async def test_a_command_is_answered_and_a_wrong_one_refused(field: Field) -> None:
    async with field.hub() as (parts, link):
        await field.stored(parts, 1)
        assert await link.send(command(field, "led", state="on")) == {"state": "on"}
        with pytest.raises(Refused, match="state"):
            await link.send(command(field, "led", state="purple"))


async def test_a_hub_that_was_away_gets_all_that_was_taken_meanwhile(field: Field) -> None:
    async with field.hub() as (parts, _):
        await field.stored(parts, 10)
    await asyncio.sleep(2)
    async with field.hub() as (parts, _):
        await field.stored(parts, 35)
    assert field.whole()


async def test_killed_brokers_cost_no_reading(field: Field) -> None:
    async with field.hub() as (parts, _):
        for _ in range(times(1, 20)):
            await field.stored(parts, 10)
            field.broker.kill()
            await asyncio.sleep(1)
            field.broker.start()
        await field.stored(parts, 30)
    assert field.whole()


async def test_an_access_point_that_fails_costs_no_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = Field(tmp_path)
    if not SOAK:  # what takes 10 and 15 s takes one
        monkeypatch.setattr(mqtt_boards, "SILENCE_MS", 1000.0)
        shorten(tmp_path / "flash" / "radio.py", "_PING_MS = const(10000)", "_PING_MS = const(1000)")
        shorten(tmp_path / "flash" / "uplink.py", "SILENCE_MS = const(15000)", "SILENCE_MS = const(1000)")
    field.board.start()
    try:
        async with field.hub() as (parts, _):
            await field.stored(parts, 10)
            for _ in range(times(1, 5)):
                field.network.on_air = False
                await until(lambda: not online(parts, field))
                await asyncio.sleep(1)
                field.network.on_air = True
                await until(lambda: online(parts, field))
            await field.stored(parts, 30)
    finally:
        field.board.stop()
        field.broker.kill()
    assert field.board.boots == 1
    assert field.whole()


async def test_want_of_memory_in_the_radio_costs_neither_a_reading_nor_the_boot(tmp_path: Path) -> None:
    field = Field(tmp_path)
    radio = tmp_path / "flash" / "radio.py"
    shorten(radio, "_PAUSE_S = (1, 30)", "_PAUSE_S = (1, 1)")
    shorten(radio, "_PING_MS = const(10000)", "_PING_MS = const(1000)")
    shorten(radio, "self._sock.write(view[at:])", "_starved(self._sock.write, view[at:])")
    shorten(radio, "reader.read(_READ)", "_starved(reader.read, _READ)")
    radio.write_text(radio.read_text() + STARVED)
    field.board.start()
    try:
        async with field.hub() as (parts, _):
            for _ in range(times(1, 25)):
                await field.stored(parts, 40)
            births = len(parts.registry.console(field.board.uid))
    finally:
        field.board.stop()
        field.broker.kill()
    assert (field.board.boots, field.board.crashes) == (1, [])
    assert births > 1, "no connection was lost"
    assert field.whole()


async def test_a_board_turns_to_the_cable_and_back_to_the_radio(field: Field) -> None:
    async with field.hub() as (parts, _):
        await field.stored(parts, 10)
    async with field.hub(cable=True) as (parts, _):
        await until(lambda: link_of(parts, field) is LinkKind.SERIAL and online(parts, field))
        await field.stored(parts, 20)
        field.board.unplug()
        await until(lambda: link_of(parts, field) is LinkKind.MQTT and online(parts, field))
        await field.stored(parts, 20)
        assert parts.registry.figures(field.board.uid)["gaps"] == 0
    assert field.whole()


async def test_a_board_that_got_its_key_on_a_cable_proves_it_over_the_broker(field: Field) -> None:
    async with field.hub(cable=True, enrolment="auto") as (parts, _):
        await until(lambda: link_of(parts, field) is LinkKind.SERIAL and key_of(parts, field) == "proven")
    async with field.hub(enrolment="ask") as (parts, _):
        await until(lambda: link_of(parts, field) is LinkKind.MQTT and key_of(parts, field) == "proven")
        await field.stored(parts, 10)
    assert field.whole()
    (field.data.parent / "flash" / "hub.key").unlink()
    async with field.hub(enrolment="ask") as (parts, _):
        await until(lambda: [view for view in field.gate.items() if view.state is BoardStanding.REFUSED])
        assert not online(parts, field)


async def test_a_board_is_refused_where_the_hub_does_not_let_boards_in(field: Field) -> None:
    async with field.hub(boards=False) as (parts, link):
        await until(lambda: link.refusals.counts["boards are off"] > 2)
        assert parts.registry.get(field.board.uid) is None


async def test_the_access_rules_that_are_made_hold_a_board_to_its_topics(tmp_path: Path) -> None:
    users = ((DEFAULT_UID, "board-password"), ("e6610000000000ee", "stranger-password"))
    named = [MqttUser("outpost", hub=True), *(MqttUser(name) for name, _ in users)]
    rules = with_users("", named, "outpost")
    field = Field(
        tmp_path, broker=Broker(tmp_path, user=("outpost", "hub-password"), others=users, acl=rules)
    )
    field.board.start()
    stranger = Client(CallbackAPIVersion.VERSION2)
    stranger.username_pw_set(*users[1])
    try:
        async with field.hub() as (parts, _):
            await field.stored(parts, 5)
            stranger.connect(field.broker.host, field.broker.port)
            stranger.loop_start()
            boot_id = "0000bad0"
            forged = encode(payload(hello(DEFAULT_UID, boot_id, "00000000", 0, 0, "power")))
            for _ in range(5):
                stranger.publish(f"outpost/board/{DEFAULT_UID}/up", forged)
                stranger.publish(f"outpost/board/{DEFAULT_UID}/status", b"offline")
                await field.stored(parts, 3)
            started = [line.text for line in parts.registry.console(field.board.uid)]
            assert started == ["started (power)"], "the stranger was heard"
    finally:
        stranger.loop_stop()
        field.board.stop()
        field.broker.kill()
    assert field.whole()


async def test_a_wifi_that_does_not_let_the_board_in_is_told_without_its_password(tmp_path: Path) -> None:
    field = Field(tmp_path, wifi_password="cucumbers")
    field.board.start()
    try:
        heard = b""
        with serial.Serial(field.board.path, timeout=0.2) as console:
            deadline = time.monotonic() + 40
            while b"does not let the board in" not in heard and time.monotonic() < deadline:
                heard += console.read(1000)
    finally:
        field.board.stop()
        field.broker.kill()
    assert b"the WiFi 'greenhouse' does not let the board in (status -3)" in heard
    assert b"cucumbers" not in heard


def shorten(path: Path, before: str, after: str) -> None:
    """Change a constant in the board's copy of a file."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def online(parts: Rooms, field: Field) -> bool:
    state = parts.registry.get(field.board.uid)
    return state is not None and state.online


def key_of(parts: Rooms, field: Field) -> str | None:
    state = parts.registry.get(field.board.uid)
    return None if state is None or not state.online else state.key


def link_of(parts: Rooms, field: Field) -> LinkKind | None:
    state = parts.registry.get(field.board.uid)
    return None if state is None else state.link


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.1)
