"""A file that is read ahead: each picture at its moment, in order, and none after the end."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from hub.camera.camera import Camera
from hub.camera.media import AccessUnit
from hub.camera.sources.playout import PlayOut
from hub.camera.sources.remuxed_source import Pace
from hub.health import Health
from tests.camera_peer import now_ms
from tests.camera_rig import running_camera
from tests.coded_video import coded_file, config
from tests.fakes import until

if TYPE_CHECKING:
    from pathlib import Path


def unit(number: int) -> AccessUnit:
    return AccessUnit(data=b"", pts=number, keyframe=False, time_ms=number)


async def test_units_are_handed_on_in_order_and_none_before_it_is_due() -> None:
    taken: list[tuple[int, float]] = []
    play_out = PlayOut(lambda item: taken.append((item.pts, time.monotonic())))
    begun = time.monotonic()
    play_out.put([(begun - 1 + 0.52 * number, unit(number)) for number in range(3)])
    play_out.put([(begun + 0.06, unit(3))])
    assert [number for number, _ in taken] == [0, 1]
    await until(lambda: len(taken) == 4)
    assert [number for number, _ in taken] == [0, 1, 2, 3]
    assert taken[2][1] >= begun + 0.035
    assert taken[3][1] >= begun + 0.055


async def test_units_that_are_due_together_or_late_keep_their_order() -> None:
    taken: list[int] = []
    play_out = PlayOut(lambda item: taken.append(item.pts))
    begun = time.monotonic()
    for start in (0, 50):  # a batch that comes later, and is due within the same milliseconds
        play_out.put(
            [
                (begun + 0.02 + 0.0002 * number + 0.0003 * (number % 2), unit(number))
                for number in range(start, start + 50)
            ]
        )
        await asyncio.sleep(0.005)
    play_out.put([(begun - 1, unit(100))])
    await until(lambda: len(taken) == 101)
    assert taken == list(range(101))


async def test_what_is_cleared_never_comes() -> None:
    taken: list[AccessUnit] = []
    play_out = PlayOut(taken.append)
    play_out.put([(time.monotonic() + 0.02, unit(1))])
    play_out.clear()
    play_out.put([(time.monotonic() + 0.06, unit(2))])
    await until(lambda: taken)
    assert [item.pts for item in taken] == [2]


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 5)), min_size=1, max_size=60))
def test_a_file_whose_times_jump_is_due_in_order_with_gaps_of_a_second_at_most(
    steps: list[tuple[float, float]],
) -> None:
    pace, now_s, dues = Pace(), 1000.0, []
    for stream_s, passed_s in steps:
        now_s += passed_s
        dues.append(pace.due_s(stream_s, now_s))
        assert dues[-1] >= now_s - 1
    for before, after in pairwise(dues):
        assert after >= before
    assert all(
        after - before <= max(1.0, passed_s + 2)
        for (before, after), (_, passed_s) in zip(pairwise(dues), steps[1:], strict=True)
    )


def test_a_file_that_begins_again_goes_on_at_its_own_rate() -> None:
    pace = Pace()
    dues = [pace.due_s(number % 10 / 25, 50.0) for number in range(30)]
    assert {round(after - before, 6) for before, after in pairwise(dues)} == {0.04}


async def test_a_snapshot_of_a_file_is_of_now_though_the_file_was_read_ahead(tmp_path: Path) -> None:
    coded_file(tmp_path / "x.mp4", pictures=60)
    camera = Camera(config(f"file:{tmp_path}/x.mp4"), health=Health(), now_ms=now_ms)
    times: list[tuple[int, int]] = []
    async with running_camera(camera):
        leave = camera._feed.channels["video/H264"].fanout.join(  # type: ignore[index]  # the same text
            lambda unit: times.append((unit.time_ms, now_ms()))
        )
        with camera._feed.interest.held():
            await until(lambda: len(times) > 10)
            still = await camera._feed.next_still()
            assert still.time_ms <= now_ms() + 20
            count = len(times)
            await until(lambda: len(times) > count + 3)
        leave()
    assert all(came >= said - 20 for said, came in times)
    assert [said for said, _ in times] == sorted(said for said, _ in times)
    await asyncio.sleep(0)
