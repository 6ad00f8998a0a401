"""The bus: one batch a tick, the first at once, replayable, and no subscriber can hurt another."""

from __future__ import annotations

import asyncio

import pytest

from hub.bus import Batch, Bus, Event
from hub.model import Reading
from tests.fakes import until

TICK_S = 0.02


def reading(value: float = 1.0) -> Reading:
    return Reading(
        device="board", metrics=("temperature",), values=(value,), source_time_ms=1000, hub_time_ms=1001
    )


def event(text: str = "hello") -> Event:
    return Event(kind="log", device="board", data={"text": text})


async def until_count(got: list[Batch], count: int) -> None:
    await until(lambda: len(got) == count)


@pytest.fixture
async def bus() -> Bus:
    return Bus(epoch="0badcafe", tick_s=TICK_S)


async def test_what_comes_in_one_turn_of_the_loop_leaves_as_one_batch(bus: Bus) -> None:
    got: list[Batch] = []
    bus.subscribe(got.append)
    bus.publish(reading(1))
    bus.publish(event())
    bus.publish(reading(2))
    await until(lambda: got)
    assert [r.values for r in got[0].readings] == [(1,), (2,)]
    assert len(got[0].events) == 1


async def test_the_first_item_after_quiet_does_not_wait_for_a_tick() -> None:
    bus = Bus(epoch="0badcafe", tick_s=60)
    got: list[Batch] = []
    bus.subscribe(got.append)
    bus.publish(reading())
    await until(lambda: got)
    assert got[0].n == 1


async def test_while_busy_items_wait_for_the_tick() -> None:
    bus = Bus(epoch="0badcafe", tick_s=60)
    got: list[Batch] = []
    bus.subscribe(got.append)
    bus.publish(reading())
    await until(lambda: got)
    bus.publish(reading())
    await asyncio.sleep(0.02)
    assert len(got) == 1


async def test_batches_are_numbered_without_a_hole(bus: Bus) -> None:
    got: list[Batch] = []
    bus.subscribe(got.append)
    for count in range(1, 6):
        bus.publish(reading())
        await until_count(got, count)
    assert [batch.n for batch in got] == [1, 2, 3, 4, 5]


async def test_replay_gives_exactly_what_came_after(bus: Bus) -> None:
    got: list[Batch] = []
    bus.subscribe(got.append)
    for count in range(1, 5):
        bus.publish(reading(count))
        await until_count(got, count)
    assert bus.replay("0badcafe", 2) == got[2:]
    assert bus.replay("0badcafe", 4) == []


async def test_an_unknown_epoch_or_number_cannot_be_replayed(bus: Bus) -> None:
    assert bus.replay("ffffffff", 0) is None
    assert bus.replay("0badcafe", 1) is None
    assert bus.replay("0badcafe", -1) is None


async def test_the_ring_forgets_the_oldest_and_says_so() -> None:
    bus = Bus(epoch="0badcafe", tick_s=0.001, ring_bytes=400)
    got: list[Batch] = []
    bus.subscribe(got.append)
    for count in range(1, 11):
        bus.publish(reading())
        await until_count(got, count)
    assert bus.replay("0badcafe", 1) is None
    assert bus.replay("0badcafe", 9) == got[9:]


async def test_a_subscriber_that_fails_leaves_the_others_alone(bus: Bus) -> None:
    got: list[Batch] = []

    def broken(_: Batch) -> None:
        raise RuntimeError("a defect in one subscriber")

    bus.subscribe(broken)
    bus.subscribe(got.append)
    bus.publish(reading())
    await until(lambda: got)


async def test_after_unsubscribing_nothing_more_comes(bus: Bus) -> None:
    got: list[Batch] = []
    others: list[Batch] = []
    unsubscribe = bus.subscribe(got.append)
    bus.subscribe(others.append)
    unsubscribe()
    unsubscribe()
    bus.publish(reading())
    await until(lambda: others)
    assert got == []
