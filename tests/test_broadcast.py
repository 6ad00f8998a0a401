"""The broadcast: numbered once for all, from a keyframe on, paced, and one who fails costs nobody else."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

from hub.camera.media import AccessUnit, Codec
from hub.camera.viewing.broadcast import Broadcast

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.camera.viewing.burst import Burst

SSRC = 5


class Ear:
    """A receiver that keeps what it is sent. A fake: it encrypts and sends nothing."""

    def __init__(self, *, fails: bool = False) -> None:
        self.bursts: list[Burst] = []
        self.errors: list[Exception] = []
        self._fails = fails

    def send(self, burst: Burst) -> None:
        if self._fails:
            raise OSError("no")
        self.bursts.append(burst)

    def broke(self, error: Exception) -> None:
        self.errors.append(error)

    @property
    def times(self) -> list[int]:
        return [burst.timestamp for burst in self.bursts]

    @property
    def sequences(self) -> list[int]:
        return [
            (burst.first_sequence + index) & 0xFFFF
            for burst in self.bursts
            for index in range(len(burst.payloads))
        ]


class Stage:
    """A broadcast, and whether it takes access units."""

    def __init__(self) -> None:
        self.pumping = False
        self.broadcast = Broadcast(Codec.H264, SSRC, self._pump)

    def _pump(self, take: Callable[[AccessUnit], None]) -> Callable[[], None]:
        self.pumping = True

        def stop() -> None:
            self.pumping = False

        return stop

    def give(self, pts: int, *, keyframe: bool = False, size: int = 100) -> None:
        data = b"\x00\x00\x01" + bytes((0x65 if keyframe else 0x61,)) + b"\x11" * size
        self.broadcast.offer(AccessUnit(data=data, pts=pts, keyframe=keyframe, time_ms=0))


async def test_a_receiver_begins_with_a_keyframe_though_others_are_under_way() -> None:
    stage, early, late = Stage(), Ear(), Ear()
    stage.broadcast.add(early)
    stage.give(0)
    stage.give(3_000, keyframe=True)
    stage.broadcast.add(late)
    stage.give(6_000)
    stage.give(9_000, keyframe=True)
    stage.give(12_000)
    assert [time - early.times[0] for time in early.times] == [0, 3_000, 6_000, 9_000]
    assert [time - early.times[0] for time in late.times] == [6_000, 9_000]


async def test_access_units_are_taken_only_while_somebody_receives() -> None:
    stage, one, other = Stage(), Ear(), Ear()
    assert not stage.pumping
    stage.broadcast.add(one)
    stage.broadcast.add(other)
    stage.broadcast.remove(one)
    stage.broadcast.remove(one)
    assert (stage.pumping, len(stage.broadcast)) == (True, 1)
    stage.broadcast.remove(other)
    assert not stage.pumping


async def test_a_large_picture_is_spread_over_steps_and_keeps_its_order() -> None:
    stage, ear = Stage(), Ear()
    stage.broadcast.add(ear)
    stage.give(0, keyframe=True, size=60_000)
    at_once = len(ear.sequences)
    stage.give(3_000)
    assert 0 < at_once < 20
    async with asyncio.timeout(5):
        while not (len(ear.bursts) > 1 and ear.times[-1] != ear.times[0]):
            await asyncio.sleep(0.001)
    steps = {(after - before) & 0xFFFF for before, after in pairwise(ear.sequences)}
    assert steps == {1}
    assert len(ear.sequences) == 51 + 1


async def test_a_receiver_that_fails_is_dropped_and_told_and_the_others_miss_nothing() -> None:
    stage, bad, good = Stage(), Ear(fails=True), Ear()
    stage.broadcast.add(bad)
    stage.broadcast.add(good)
    stage.give(0, keyframe=True)
    stage.give(3_000)
    assert len(good.bursts) == 2
    assert [str(error) for error in bad.errors] == ["no"]
    assert len(stage.broadcast) == 1


async def test_who_joins_in_the_upper_half_of_the_sequence_numbers_is_moved_to_the_lower() -> None:
    stage, ear = Stage(), Ear()
    stage.broadcast.add(ear)
    seen = set()
    for pts in range(70):
        offset = stage.broadcast.offset
        stage.give(pts, keyframe=pts == 0, size=1_198 * 999)
        while stage.broadcast._queue:
            stage.broadcast._step()
        first = next(burst for burst in ear.bursts if burst.timestamp == ear.times[-1]).first_sequence
        assert (first + offset) & 0xFFFF < 0x8000
        seen.add(offset)
        ear.bursts.clear()
    assert seen == {0, 0x8000}
