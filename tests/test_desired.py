"""Desired values: sent now and when the device comes back, shown against what it reports."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hub.bus import Bus, Event
from hub.commands import BadParams, Commands, Desired, DesiredChanged, UnknownCommand, Wanted
from hub.commands.reported import reported
from hub.devices import DeviceState, Registry, UnknownDevice
from hub.health import Health
from hub.links.link import NotReachable, Refused
from hub.model import Birth, Command, CommandType, Kind, LinkKind, Metric, Quality, Reading, Role
from tests.fakes import FakeLink, until
from tests.fresh_store import open_fresh
from tests.web_hub import WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.store.store import Store

NOW_MS = 1_781_950_000_000
ON = {"properties": {"state": {"enum": ["on", "off"]}}, "required": ["state"]}
INTERVAL = {"properties": {"metric": {"type": "string"}, "interval_ms": {"type": "integer", "minimum": 20}}}
COMMANDS = (
    CommandType(name="set_relay", params=ON),
    CommandType(name="set_interval", params=INTERVAL),
    CommandType(name="read"),
    CommandType(name="led", params={**ON, "x-desired": True}),
)
RELAY = Wanted(command="set_relay", params={"state": "on"})
EVERY = Wanted(command="set_interval", params={"metric": "relay", "interval_ms": 500})


def birth(boot_id: str | None = "b1", interval_ms: int = 500) -> Birth:
    metrics = (Metric(name="relay", kind=Kind.BOOLEAN, interval_ms=interval_ms),)
    return Birth(device="board", name="Board", boot_id=boot_id, metrics=metrics, commands=COMMANDS)


class Rig:
    def __init__(self, desired: Desired, link: FakeLink, registry: Registry, bus: Bus, store: Store) -> None:
        self.desired, self.link, self.registry, self.bus, self.store = desired, link, registry, bus, store

    def born(self, boot_id: str | None = "b1", interval_ms: int = 500) -> None:
        self.registry.born(birth(boot_id, interval_ms), LinkKind.SERIAL, 1)
        self._told()

    def gone(self) -> None:
        self.registry.gone("board", "unplugged")
        self._told()

    def _told(self) -> None:
        self.bus.publish(Event(kind="device", device="board", data={}))

    def put(self, *commands: Wanted, version: int | None = None) -> Any:
        return self.desired.put("board", commands, version=version, by="user:a")

    @property
    def states(self) -> list[str]:
        return [item.state for item in self.desired.view("board").items]

    @property
    def sent(self) -> list[str]:
        return [command.command for command in self.link.sent]


@asynccontextmanager
async def run(folder: Path, born: Birth | None = None) -> AsyncIterator[Rig]:
    health = Health()
    store = open_fresh(folder, health=health, now_ms=lambda: NOW_MS)
    await store.start()
    registry, link, bus = Registry(), FakeLink(), Bus(epoch="0badcafe", now_ms=lambda: NOW_MS, tick_s=0.001)
    registry.attach(link)
    registry.born(born or birth(), LinkKind.SERIAL, 1)
    commands = Commands(registry=registry, store=store, bus=bus, health=health, now_ms=lambda: NOW_MS)
    desired = Desired(commands=commands, registry=registry, store=store, bus=bus, now_ms=lambda: NOW_MS)
    await desired.load()
    yield Rig(desired, link, registry, bus, store)
    await store.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with run(tmp_path) as one:
        yield one


async def test_what_is_desired_is_sent_at_once_in_order_and_agreed_when_answered(rig: Rig) -> None:
    view = rig.put(RELAY, EVERY)
    assert (view.version, view.agreed, rig.states) == (1, False, ["waiting", "waiting"])
    await until(lambda: rig.states == ["agreed", "agreed"])
    view = rig.desired.view("board")
    assert (rig.sent, view.agreed, view.agreed_time) == (["set_relay", "set_interval"], True, NOW_MS)
    assert {(command.caller, command.origin) for command in rig.link.sent} == {("hub", "desired")}


async def test_a_board_that_restarted_gets_it_again_and_one_that_was_away_does_not(rig: Rig) -> None:
    rig.put(RELAY)
    await until(lambda: rig.states == ["agreed"])
    rig.gone()
    rig.born("b1")
    await asyncio.sleep(0.02)
    assert rig.sent == ["set_relay"]
    rig.born("b2")
    await until(lambda: len(rig.sent) == 2 and rig.states == ["agreed"])


async def test_a_birth_that_a_command_brings_about_sends_nothing_again(rig: Rig) -> None:
    def answer(command: Command) -> Any:
        rig.born("b1", command.params["interval_ms"])
        return dict(command.params)

    rig.link.answer = answer
    rig.put(EVERY)
    await until(lambda: rig.states == ["agreed"])
    await asyncio.sleep(0.02)
    assert len(rig.sent) == 1


async def test_a_device_that_is_away_gets_it_when_it_comes(rig: Rig) -> None:
    rig.gone()
    rig.put(RELAY)
    await asyncio.sleep(0.02)
    assert (rig.sent, rig.states) == ([], ["waiting"])
    rig.born("b2")
    await until(lambda: rig.states == ["agreed"])


async def test_a_device_that_goes_in_the_middle_gets_the_rest_when_it_comes_back(rig: Rig) -> None:
    def answer(command: Command) -> Any:
        if command.command == "set_interval" and len(rig.sent) == 2:
            rig.registry.gone("board", "unplugged")
            raise NotReachable("unplugged")
        return dict(command.params)

    rig.link.answer = answer
    rig.put(RELAY, EVERY)
    await until(lambda: len(rig.sent) == 2)
    await asyncio.sleep(0.02)
    assert rig.states == ["agreed", "waiting"]
    rig.born("b1")
    await until(lambda: rig.states == ["agreed", "agreed"])
    assert rig.sent == ["set_relay", "set_interval", "set_interval"]


async def test_what_the_device_refuses_is_failed_and_not_asked_for_again(rig: Rig) -> None:
    def refuse(_: Command) -> None:
        raise Refused("the relay is stuck")

    rig.link.answer = refuse
    rig.put(RELAY)
    await until(lambda: rig.states == ["failed"])
    rig.born("b1")
    await asyncio.sleep(0.02)
    assert (len(rig.sent), rig.desired.view("board").items[0].error) == (1, "the relay is stuck")


async def test_a_device_that_drifted_differs(rig: Rig) -> None:
    rig.put(RELAY)
    await until(lambda: rig.states == ["agreed"])
    rig.registry.take(
        Reading(
            device="board", metrics=("relay",), values=(False,), source_time_ms=NOW_MS, hub_time_ms=NOW_MS
        )
    )
    (item,) = rig.desired.view("board").items
    assert (item.state, item.reported) == ("differs", {"state": "off"})


async def test_a_restart_of_the_hub_sends_nothing_to_a_board_that_stayed_up(tmp_path: Path) -> None:
    async with run(tmp_path) as first:
        first.put(RELAY)
        await until(lambda: first.states == ["agreed"])
    async with run(tmp_path) as second:
        second.born("b1")
        await asyncio.sleep(0.02)
        assert (second.sent, second.states, second.desired.view("board").version) == ([], ["agreed"], 1)
        second.born("b2")
        await until(lambda: len(second.sent) == 1)


async def test_a_new_version_takes_the_place_of_one_that_is_under_way(rig: Rig) -> None:
    rig.link.gate = asyncio.Event()
    rig.put(RELAY)
    await until(lambda: rig.sent)
    rig.put(Wanted(command="set_relay", params={"state": "off"}))
    rig.link.gate.set()
    await until(lambda: rig.states == ["agreed"])
    assert [command.params["state"] for command in rig.link.sent] == ["on", "off"]


@pytest.mark.parametrize(
    ("wanted", "error", "field"),
    [
        (Wanted(command="set_relay", params={"state": "up"}), BadParams, r"commands\[1\]: state"),
        (Wanted(command="explode"), UnknownCommand, r"commands\[1\]"),
        (Wanted(command="read"), BadParams, r"commands\[1\].command"),
    ],
)
async def test_what_cannot_be_desired_is_refused_by_its_place_and_changes_nothing(
    rig: Rig, wanted: Wanted, error: type[Exception], field: str
) -> None:
    with pytest.raises(error, match=field):
        rig.put(RELAY, wanted)
    assert rig.desired.view("board").version == 0


async def test_a_schema_may_say_that_a_command_sets_what_lasts(rig: Rig) -> None:
    rig.put(Wanted(command="led", params={"state": "on"}))
    await until(lambda: rig.states == ["agreed"])


async def test_only_who_saw_the_version_changes_it(rig: Rig) -> None:
    rig.put(RELAY, version=0)
    with pytest.raises(DesiredChanged):
        rig.put(version=0)
    assert rig.put(version=1).items == []
    with pytest.raises(UnknownDevice):
        rig.desired.view("nobody")


def state_with(value: Any, quality: Quality = Quality.GOOD) -> DeviceState:
    registry = Registry()
    state = registry.born(birth(), LinkKind.SERIAL, 1)
    registry.take(
        Reading(
            device="board",
            metrics=("relay",),
            values=(value,),
            source_time_ms=1,
            hub_time_ms=1,
            quality=quality,
        )
    )
    return state


@pytest.mark.parametrize(
    ("command", "params", "value", "answer", "expected"),
    [
        ("set_interval", {"metric": "relay", "interval_ms": 1}, True, None, {"interval_ms": 500}),
        ("set_interval", {"metric": "gone", "interval_ms": 1}, True, None, None),
        ("set_relay", {"state": "off"}, True, None, {"state": "on"}),
        ("set_relay", {"level": 0.5}, 0.7, None, {"level": 0.7}),
        ("set_relay", {"level": 0.5}, "x", {"level": 0.6, "other": 1}, {"level": 0.6}),
        ("set_fan", {"speed": 3}, True, {"speed": 2}, {"speed": 2}),
        ("set_fan", {"speed": 3}, True, None, None),
    ],
)
def test_what_a_device_reports_is_told_in_the_words_of_the_command(
    command: str, params: dict[str, Any], value: Any, answer: Any, expected: Any
) -> None:
    assert reported(state_with(value), command, params, answer) == expected


# --- over HTTP ----------------------------------------------------------------------------------------


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        running.parts.registry.born(birth(), LinkKind.SERIAL, 1)
        yield running


async def test_desired_values_over_http_are_guarded_by_their_version(hub: WebHub) -> None:
    path, body = "devices/board/desired", {"commands": [{"command": "set_relay", "params": {"state": "on"}}]}
    first = await hub.get(path)
    assert (first.json()["version"], first.headers["ETag"]) == (0, '"0"')
    made = await hub.call("PUT", path, role=Role.OPERATOR, json=body, headers={"If-Match": '"0"'})
    assert (made.status, made.json()["updated_by"]) == (200, "token:test-operator")
    again = await hub.call("PUT", path, role=Role.OPERATOR, json=body, headers={"If-Match": '"0"'})
    assert again.status == 412
    bad = {"commands": [{"command": "set_relay", "params": {"state": "up"}}]}
    answered = await hub.call("PUT", path, role=Role.OPERATOR, json=bad)
    assert (answered.status, answered.problem()["parameter"]) == (400, "commands[0]")
    dropped = await hub.call("DELETE", path, role=Role.OPERATOR)
    assert (dropped.json()["version"], dropped.json()["items"]) == (2, [])
    assert (await hub.get("devices/nobody/desired")).status == 404
