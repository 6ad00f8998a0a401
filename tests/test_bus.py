"""The bus: one batch a tick, the first at once, replayable, and no subscriber can hurt another."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus import LATE_MS, Batch, Bus, Event, Ring
from hub.model import Reading
from tests.fakes import until

TICK_S = 0.02
START_N = 1000


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
    return Bus(epoch="0badcafe", now_ms=lambda: START_N, tick_s=TICK_S)


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
    bus = Bus(epoch="0badcafe", now_ms=lambda: START_N, tick_s=60)
    got: list[Batch] = []
    bus.subscribe(got.append)
    bus.publish(reading())
    await until(lambda: got)
    assert got[0].n == START_N + 1


async def test_while_busy_items_wait_for_the_tick() -> None:
    bus = Bus(epoch="0badcafe", now_ms=lambda: START_N, tick_s=60)
    got: list[Batch] = []
    bus.subscribe(got.append)
    bus.publish(reading())
    await until(lambda: got)
    bus.publish(reading())
    await asyncio.sleep(0.02)
    assert len(got) == 1


async def test_numbers_grow_also_where_the_clock_stands_still(bus: Bus) -> None:
    got: list[Batch] = []
    bus.subscribe(got.append)
    for count in range(1, 6):
        bus.publish(reading())
        await until_count(got, count)
    assert [batch.n for batch in got] == [START_N + i for i in range(1, 6)]


async def test_replay_gives_exactly_what_came_after(bus: Bus) -> None:
    got: list[Batch] = []
    bus.subscribe(got.append)
    for count in range(1, 5):
        bus.publish(reading(count))
        await until_count(got, count)
    assert bus.replay("0badcafe", START_N + 2) == got[2:]
    assert bus.replay("0badcafe", START_N + 4) == []


async def test_an_unknown_epoch_or_number_cannot_be_replayed(bus: Bus) -> None:
    assert bus.replay("ffffffff", START_N) is None
    assert bus.replay("0badcafe", START_N + 1) is None
    assert bus.replay("0badcafe", START_N - 1) is None


async def test_the_ring_forgets_the_oldest_and_says_so() -> None:
    bus = Bus(epoch="0badcafe", now_ms=lambda: START_N, tick_s=0.001, ring_bytes=400)
    got: list[Batch] = []
    bus.subscribe(got.append)
    for count in range(1, 11):
        bus.publish(reading())
        await until_count(got, count)
    assert bus.replay("0badcafe", START_N + 1) is None
    assert bus.replay("0badcafe", START_N + 9) == got[9:]


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


async def test_numbers_are_the_hubs_time_and_never_go_back() -> None:
    clock = [5000]
    bus = Bus(epoch="0badcafe", now_ms=lambda: clock[0], tick_s=0.001)
    got: list[Batch] = []
    bus.subscribe(got.append)
    for now_ms in (6000, 3000, 7000):
        clock[0] = now_ms
        bus.publish(reading())
        await until_count(got, len(got) + 1)
    assert [batch.n for batch in got] == [6000, 6001, 7000]


def ring_of(batches: list[tuple[int, int | None]], size_bytes: int) -> Ring:
    ring = Ring(size_bytes, 0)
    for n, source_time_ms in batches:
        readings = (
            ()
            if source_time_ms is None
            else (msgspec.structs.replace(reading(), source_time_ms=source_time_ms),)
        )
        ring.keep(Batch(n=n, readings=readings, events=() if readings else (event(),)))
    return ring


@given(
    st.lists(st.tuples(st.integers(1, 900), st.none() | st.integers(0, 10_000)), min_size=1, max_size=60),
    st.integers(128, 4000),
    st.data(),
)
def test_what_a_client_lacks_is_never_older_than_the_ring_says(
    steps: list[tuple[int, int | None]], size_bytes: int, data: st.DataObject
) -> None:
    n, batches = 0, []
    for step, source_time_ms in steps:
        n += step
        batches.append((n, source_time_ms))
    ring = ring_of(batches, size_bytes)
    at = data.draw(st.integers(0, n))
    lacking = [
        source_time_ms for number, source_time_ms in batches if number > at and source_time_ms is not None
    ]
    said = ring.lost_from_ms(at)
    assert (said is None) if not lacking else (said is not None and said <= min(lacking))
    kept = ring.after(at)
    assert kept is None or [batch.n for batch in kept] == [number for number, _ in batches if number > at]


def test_the_marks_of_what_was_lost_are_as_exact_as_a_second() -> None:
    ring = ring_of([(n, n - 10) for n in range(1000, 101_000, 100)], 1000)
    assert ring.after(50_050) is None
    assert 49_000 <= (ring.lost_from_ms(50_050) or 0) <= 50_090


def test_the_marks_of_a_long_time_are_bounded() -> None:
    ring = ring_of([(n, n) for n in range(1000, 10_000_000, 1000)], 1000)
    assert len(ring._marks) <= 3600
    assert ring.lost_from_ms(0) == 1000


async def test_of_another_process_the_number_tells_the_time() -> None:
    bus = Bus(epoch="0badcafe", now_ms=lambda: 10_000_000)
    assert bus.lost_from_ms("ffffffff", 5_000_000) == 5_000_000 - LATE_MS
    assert bus.lost_from_ms("ffffffff", 99_000_000) == 10_000_000 - LATE_MS
    assert bus.lost_from_ms("ffffffff", 1) == 0
