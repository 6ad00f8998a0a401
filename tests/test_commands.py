"""Commands: one lifecycle, checked before anything is sent, answered always, recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from hub.bus import Batch, Bus
from hub.commands import QUEUE_LIMIT, BadParams, Commands, QueueFull, UnknownCommand
from hub.devices import Registry, UnknownDevice
from hub.health import Health
from hub.links.link import NoAnswer, NotReachable, Refused
from hub.model import Birth, Command, CommandState, CommandType, LinkKind
from tests.fakes import FakeLink
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.store.store import Store

LED = CommandType(
    name="led",
    params={
        "type": "object",
        "properties": {
            "state": {"enum": ["on", "off", "blink"]},
            "interval_ms": {"type": "integer", "minimum": 50},
        },
        "required": ["state"],
    },
)


class Rig:
    def __init__(
        self, commands: Commands, link: FakeLink, registry: Registry, store: Store, bus: Bus
    ) -> None:
        self.commands, self.link, self.registry, self.store, self.bus = commands, link, registry, store, bus

    async def led(self, **changes: Any) -> Any:
        wanted = {
            "device": "board",
            "command": "led",
            "params": {"state": "on"},
            "caller": "user:a",
            "origin": "http",
        }
        return await self.commands.send(**(wanted | changes))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    health = Health()
    clock = iter(range(1_700_000_000_000, 1_800_000_000_000))
    store = open_fresh(tmp_path, health=health, now_ms=lambda: next(clock))
    await store.start()
    registry, link, bus = Registry(), FakeLink(), Bus(epoch="0badcafe", now_ms=lambda: 0, tick_s=0.001)
    registry.attach(link)
    registry.born(Birth(device="board", name="Board", commands=(LED,)), LinkKind.SERIAL, 1)
    commands = Commands(registry=registry, store=store, bus=bus, health=health, now_ms=lambda: next(clock))
    yield Rig(commands, link, registry, store, bus)
    await store.close()


async def test_a_command_that_the_device_answers_has_succeeded_with_its_result(rig: Rig) -> None:
    result = await rig.led()
    assert (result.state, result.result) == (CommandState.SUCCEEDED, {"state": "on"})


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Refused("no such LED"), CommandState.FAILED),
        (NotReachable("unplugged"), CommandState.FAILED),
        (NoAnswer("no answer within 10 s"), CommandState.TIMED_OUT),
    ],
)
async def test_what_went_wrong_becomes_a_result_with_the_reason(
    rig: Rig, error: Exception, state: CommandState
) -> None:
    def fail(_: Command) -> None:
        raise error

    rig.link.answer = fail
    result = await rig.led()
    assert (result.state, result.error) == (state, str(error))


async def test_a_defect_in_a_link_is_a_failed_command_not_a_dead_hub(rig: Rig) -> None:
    def broken(_: Command) -> None:
        raise ZeroDivisionError

    rig.link.answer = broken
    assert (await rig.led()).state is CommandState.FAILED


async def test_an_unplugged_device_fails_at_once(rig: Rig) -> None:
    rig.registry.gone("board", "unplugged")
    result = await rig.led()
    assert result.state is CommandState.FAILED
    assert "unplugged" in (result.error or "")
    assert rig.link.sent == []


async def test_an_unknown_device_is_refused(rig: Rig) -> None:
    with pytest.raises(UnknownDevice):
        await rig.led(device="nobody")


async def test_an_unknown_command_is_refused_and_the_known_ones_named(rig: Rig) -> None:
    with pytest.raises(UnknownCommand, match="it offers: led"):
        await rig.led(command="explode")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"state": "purple"}, "state"),
        ({"state": "on", "interval_ms": 1}, "interval_ms"),
        ({}, "state"),
        ({"state": "on", "extra": 1}, "extra"),
    ],
)
async def test_bad_params_are_refused_before_anything_is_sent_naming_the_field(
    rig: Rig, params: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadParams, match=field):
        await rig.led(params=params)
    assert rig.link.sent == []


@pytest.mark.parametrize("ttl_ms", [0, -5, 10_000_000])
async def test_a_time_to_live_out_of_range_is_refused(rig: Rig, ttl_ms: int) -> None:
    with pytest.raises(BadParams, match="ttl_ms"):
        await rig.led(ttl_ms=ttl_ms)


async def test_the_same_key_of_the_same_caller_runs_once_and_gives_the_first_result(rig: Rig) -> None:
    first, second = await asyncio.gather(rig.led(key="k1"), rig.led(key="k1"))
    assert first == second
    assert len(rig.link.sent) == 1


async def test_the_same_key_of_another_caller_is_another_command(rig: Rig) -> None:
    await asyncio.gather(rig.led(key="k1"), rig.led(key="k1", caller="user:b"))
    assert len(rig.link.sent) == 2


async def test_commands_of_one_device_go_one_after_the_other(rig: Rig) -> None:
    rig.link.gate = asyncio.Event()
    both = [asyncio.ensure_future(rig.led()) for _ in range(2)]
    await asyncio.sleep(0.02)
    assert len(rig.link.sent) == 1
    rig.link.gate.set()
    await asyncio.gather(*both)
    assert len(rig.link.sent) == 2


async def test_a_command_that_never_got_its_turn_expires_unsent(rig: Rig) -> None:
    rig.link.gate = asyncio.Event()
    first = asyncio.ensure_future(rig.led())
    await asyncio.sleep(0.01)
    result = await rig.led(ttl_ms=20)
    assert result.state is CommandState.EXPIRED
    rig.link.gate.set()
    await first
    assert len(rig.link.sent) == 1


async def test_a_full_queue_answers_at_once(rig: Rig) -> None:
    rig.link.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(rig.led()) for _ in range(QUEUE_LIMIT)]
    await asyncio.sleep(0.02)
    with pytest.raises(QueueFull):
        await rig.led()
    rig.link.gate.set()
    await asyncio.gather(*waiting)


async def test_a_caller_that_goes_away_does_not_undo_what_it_asked_for(rig: Rig) -> None:
    rig.link.gate = asyncio.Event()
    seen: list[Batch] = []
    rig.bus.subscribe(seen.append)
    asked = asyncio.ensure_future(rig.led())
    await asyncio.sleep(0.01)
    asked.cancel()
    rig.link.gate.set()
    async with asyncio.timeout(5):
        while "succeeded" not in [e.data.state for batch in seen for e in batch.events]:
            await asyncio.sleep(0.005)


async def test_every_state_is_announced_in_order(rig: Rig) -> None:
    seen: list[Batch] = []
    rig.bus.subscribe(seen.append)
    await rig.led()
    async with asyncio.timeout(5):
        while sum(len(batch.events) for batch in seen) < 3:
            await asyncio.sleep(0.005)
    assert [e.data.state for batch in seen for e in batch.events] == ["queued", "sent", "succeeded"]
