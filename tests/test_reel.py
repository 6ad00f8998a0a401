"""A take whose picture changes its form: it goes on in a further file by itself, and no picture is lost."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import av
import pytest

from hub.camera.camera import Camera
from hub.camera.errors import CameraError
from hub.camera.recording import reel
from hub.camera.recording.recordings import Recordings
from hub.camera.recording.reel import Reel
from hub.camera.sources.test_pattern import TestPattern
from hub.config import CameraConfig
from hub.health import Health
from tests.camera_peer import now_ms
from tests.camera_rig import running_camera
from tests.coded_video import coded, stamps_in
from tests.fakes import until

if TYPE_CHECKING:
    from pathlib import Path

    from hub.camera.media import AccessUnit, Picture


class Zoomed:
    """The test pattern of a camera whose size somebody changes."""

    def __init__(self) -> None:
        self.width = 320
        self._pattern = self._drawn()

    def __call__(self) -> Zoomed:
        return self

    def read(self) -> Picture:
        if self._pattern_width != self.width:
            self._pattern = self._drawn()
        return self._pattern.read()

    def close(self) -> None:
        pass

    def _drawn(self) -> TestPattern:
        self._pattern_width = self.width
        return TestPattern(width=self.width, height=240, fps=30, now_ms=now_ms)


def width(path: Path) -> int:
    with av.open(str(path)) as container:
        return container.streams.video[0].width


async def test_a_recording_goes_on_in_a_further_file_where_the_pictures_size_changes(tmp_path: Path) -> None:
    source = Zoomed()
    camera = Camera(
        CameraConfig(id="front"), health=Health(), now_ms=now_ms, source=source, recordings=tmp_path
    )
    films = camera.filming
    assert films is not None
    async with running_camera(camera):
        coded_ms: list[int] = []
        films._channel.fanout.join(lambda unit: coded_ms.append(unit.time_ms))
        take = await films.start(3_600, "alert", "too-hot")
        first = take.id
        await until(lambda: bool(films.kept.under_way()))
        source.width = 640
        await until(lambda: take.id != first)
        assert (films.find(first), films.begun_as(first), take.running) == (None, take, True)
        await until(lambda: len(films.kept.under_way()) == 1 and len(films.kept.all()) == 1)
        films.stop(take)
        await until(lambda: not films.takes)
        later, earlier = films.kept.all()
    assert [(item.id, item.reason, item.rule) for item in (earlier, later)] == [
        (first, "alert", "too-hot"),
        (take.id, "alert", "too-hot"),
    ]
    assert [width(item.path) for item in (earlier, later)] == [320, 640]
    seen = stamps_in(earlier.path) + stamps_in(later.path)
    assert seen == [time_ms for time_ms in coded_ms if seen[0] <= time_ms <= seen[-1]], "a picture is missing"


class Rolls:
    """A reel over a folder, whose further files are numbered."""

    def __init__(self, folder: Path, seconds: float = 3_600) -> None:
        self.kept = Recordings(folder, max_bytes=1 << 30, max_age_ms=1 << 60)
        self.ending = asyncio.Event()
        self.reel = Reel(self.kept.begin(1_000, "command"), self.kept, self.ending, seconds)
        self.full = False
        self._count = itertools.count(1_001)

    async def run(self, units: list[AccessUnit]) -> list[list[int]]:
        """Give the stamps of each file's pictures, in the order of the files."""
        for unit in units:
            self.reel.put(unit)
        await self.reel.run(self._further)
        return self.files()

    def files(self) -> list[list[int]]:
        return [stamps_in(item.path) for item in reversed(self.kept.all())]

    async def _further(self) -> Path:
        if self.full:
            raise CameraError("the disk is full")
        return self.kept.begin(next(self._count), "command")


async def test_what_was_taken_before_the_end_is_written_though_it_is_of_another_form(tmp_path: Path) -> None:
    rolls = Rolls(tmp_path)
    rolls.ending.set()
    assert await rolls.run([*coded(5), *coded(7, width=160)]) == [
        list(range(1_000, 1_005)),
        list(range(1_000, 1_007)),
    ]


async def test_a_picture_that_changes_all_the_time_ends_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reel, "FILES_LIMIT", 3)
    rolls = Rolls(tmp_path)
    units = [unit for side in (320, 160, 320, 160, 320) for unit in coded(2, width=side)]
    assert await rolls.run(units) == [[1_000, 1_001]] * 3


async def test_where_there_is_no_room_for_a_further_file_what_was_written_is_kept(tmp_path: Path) -> None:
    rolls = Rolls(tmp_path)
    rolls.full = True
    with pytest.raises(CameraError, match="full"):
        await rolls.run([*coded(5), *coded(5, width=160)])
    assert rolls.files() == [list(range(1_000, 1_005))]


async def test_a_recordings_time_runs_from_its_first_keyframe(tmp_path: Path) -> None:
    rolls = Rolls(tmp_path, seconds=0.2)
    units = coded(30, force=[20])
    for unit in units[1:20]:
        rolls.reel.put(unit)
    task = asyncio.create_task(rolls.reel.run(rolls._further))
    await asyncio.sleep(0.4)
    assert not task.done(), "nothing was written yet"
    for unit in units[20:]:
        rolls.reel.put(unit)
    await task
    assert rolls.files() == [list(range(1_020, 1_030))]


async def test_a_recording_without_any_keyframe_ends_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reel, "KEYFRAME_WAIT_S", 0.1)
    rolls = Rolls(tmp_path, seconds=0.1)
    assert await rolls.run(coded(5)[1:]) == []
    assert rolls.kept.under_way() == []
