"""The fan-out: bounded for each viewer, and a slow one costs nobody else a picture."""

from __future__ import annotations

import asyncio

import pytest

from hub.camera.media import AccessUnit
from hub.camera.viewing.fanout import Fanout, Subscription, Unsubscribed


def unit(number: int, *, keyframe: bool = False) -> AccessUnit:
    return AccessUnit(data=b"x", pts=number, keyframe=keyframe, time_ms=number)


def queued(subscription: Subscription) -> list[int]:
    return [unit.time_ms for unit in subscription._units]


async def test_a_viewer_begins_with_a_keyframe() -> None:
    fanout = Fanout()
    viewer = fanout.subscribe()
    for item in (unit(1), unit(2, keyframe=True), unit(3)):
        fanout.publish(item)
    assert [(await viewer.next()).time_ms for _ in range(2)] == [2, 3]
    assert viewer.dropped == 0


async def test_a_viewer_who_falls_behind_goes_on_at_the_next_keyframe() -> None:
    fanout = Fanout(limit=3)
    viewer = fanout.subscribe()
    fanout.publish(unit(0, keyframe=True))
    for number in range(1, 10):
        fanout.publish(unit(number))
    fanout.publish(unit(10, keyframe=True))
    fanout.publish(unit(11))
    assert queued(viewer) == [10, 11]
    assert viewer.dropped == 4


async def test_keyframes_alone_cannot_fill_a_queue_either() -> None:
    fanout = Fanout(limit=3)
    viewer = fanout.subscribe()
    for number in range(100):
        fanout.publish(unit(number, keyframe=True))
    assert len(queued(viewer)) <= 3


async def test_a_slow_viewer_costs_the_others_nothing() -> None:
    fanout = Fanout(limit=3)
    slow, quick = fanout.subscribe(), fanout.subscribe()
    got = []
    for number in range(50):
        fanout.publish(unit(number, keyframe=number == 0))
        got.append((await quick.next()).time_ms)
    assert got == list(range(50))
    assert (slow.dropped > 0, quick.dropped) == (True, 0)


async def test_closing_wakes_who_waits_and_is_counted_once() -> None:
    counts: list[int] = []
    fanout = Fanout(on_change=counts.append)
    viewer = fanout.subscribe()
    waiting = asyncio.create_task(viewer.next())
    await asyncio.sleep(0)
    viewer.close()
    viewer.close()
    with pytest.raises(Unsubscribed):
        await waiting
    assert (counts, len(fanout)) == ([1, 0], 0)
