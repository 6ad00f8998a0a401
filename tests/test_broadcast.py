"""The broadcast: numbered once for all, from a keyframe on, paced, and one who fails costs nobody else."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

from hub.camera.media import AccessUnit, Codec
from hub.camera.viewing.broadcast import Broadcast
from hub.camera.viewing.burst import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from hub.camera.viewing.burst import Burst, Layout

SSRC = 5


class Ear:
    """A receiver that keeps what it is sent. A fake: it encrypts and sends nothing."""

    lane = Lane(96, 0, 16)

    def __init__(self, *, fails: bool = False) -> None:
        self.bursts: list[Burst] = []
        self.layouts: list[Layout] = []
        self.errors: list[Exception] = []
        self._fails = fails

    def send(self, burst: Burst) -> None:
        if self._fails:
            raise OSError("no")
        self.bursts.append(burst)
        self.layouts.append(burst.layout(self.lane))

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
        self.broadcast.offer(unit(pts, keyframe=keyframe, size=size))


def unit(pts: int, *, keyframe: bool = False, size: int = 100) -> AccessUnit:
    data = b"\x00\x00\x01" + bytes((0x65 if keyframe else 0x61,)) + b"\x11" * size
    return AccessUnit(data=data, pts=pts, keyframe=keyframe, time_ms=0)


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


async def test_who_listens_to_a_file_read_ahead_hears_each_number_once_whatever_was_made_ready() -> None:
    stage, ear = Stage(), Ear()
    stage.broadcast.prepare([unit(1)])  # nobody listens
    stage.broadcast.add(ear)
    stage.give(0, keyframe=True)
    ahead = [unit(3_000 * number, size=3_000) for number in range(1, 9)]
    stage.broadcast.prepare(ahead[:5])
    stage.broadcast.offer(ahead[0])
    stage.give(4_500, size=5_000)  # was not made ready: the numbers that were guessed are wrong from here on
    stage.broadcast.prepare(ahead[5:7])
    for item in (*ahead[1:4], *ahead[5:]):  # one never comes
        stage.broadcast.offer(item)
    steps = {(after - before) & 0xFFFF for before, after in pairwise(ear.sequences)}
    assert steps == {1}
    times = [(time - ear.times[0]) & 0xFFFFFFFF for time in ear.times]
    assert times == [0, 3_000, 4_500, 6_000, 9_000, 12_000, 18_000, 21_000, 24_000]
    assert len(stage.broadcast._ready) == 0


async def test_what_was_made_ready_is_sent_as_it_was_laid_out_and_forgotten_with_the_last_receiver() -> None:
    stage, ear = Stage(), Ear()
    stage.broadcast.add(ear)
    stage.give(0, keyframe=True)
    stage.broadcast.prepare([unit(3_000), unit(6_000)])
    _, (burst,) = stage.broadcast._ready._queue[0]
    layout = burst.layout(ear.lane)
    stage.broadcast.offer(stage.broadcast._ready._queue[0][0])
    assert ear.layouts[-1] is layout
    stage.broadcast.remove(ear)
    assert len(stage.broadcast._ready) == 0


async def test_all_reports_are_due_in_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.camera.viewing.broadcast._REPORT_S", 0.05)
    broadcast, told = Stage().broadcast, []

    async def report(number: int) -> None:
        await broadcast.report_due()
        told.append(number)

    waiting = [asyncio.create_task(report(number)) for number in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # one that leaves takes nobody along
    async with asyncio.timeout(5):
        await asyncio.wait(waiting)
    assert told == [1, 2]
    await report(4)
    assert told[-1] == 4
