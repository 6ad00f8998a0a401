"""Recordings: MP4 as it was coded, from before the event, bounded, and kept through what goes wrong."""

from __future__ import annotations

import asyncio
import errno
import itertools
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import av
import pytest

from hub.camera.camera import Camera
from hub.camera.errors import CameraError
from hub.camera.media import RTP_CLOCK_HZ, AccessUnit
from hub.camera.recording import keeping, recorder
from hub.camera.recording.filming import AT_ONCE, AlreadyRecording, Filming
from hub.camera.recording.preroll import PreRoll
from hub.camera.recording.recorder import Recorder, RecordingFailed
from hub.camera.sources import planes, stamp
from hub.config import CameraConfig
from hub.health import Health
from tests.camera_peer import now_ms
from tests.camera_rig import camera_threads, running_camera
from tests.coded_video import coded, stamps_in
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def filming(folder: Path, *, pre_roll_s: int = 0) -> AsyncIterator[tuple[Camera, Filming]]:
    config = CameraConfig(id="front", width=320, height=240, pre_roll_s=pre_roll_s)
    camera = Camera(config, health=Health(), now_ms=now_ms, recordings=folder)
    assert camera.filming is not None
    async with running_camera(camera):
        yield camera, camera.filming


async def test_a_recording_on_command_is_an_mp4_of_what_was_seen_and_listed_with_its_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.camera.interest.LINGER_S", 0.01)
    async with filming(tmp_path) as (camera, films):
        take = await films.start(0.5)
        with pytest.raises(AlreadyRecording):
            await films.start(0.5)
        await until(lambda: not films.takes)
        (kept,) = films.kept.all()
        assert (kept.id, kept.reason, kept.size_bytes > 1_000) == (take.id, "command", True)
        assert kept.length_ms is not None
        assert 200 < kept.length_ms < 5_000
        seen = stamps_in(kept.path)
        assert seen == sorted(seen)
        assert take.time_ms - 100 <= seen[0] <= take.time_ms + 3_000
        await until(lambda: camera.encoders == 0)
        await until(lambda: not camera_threads())


async def test_the_pre_roll_shows_what_was_before_the_command(tmp_path: Path) -> None:
    async with filming(tmp_path, pre_roll_s=1) as (camera, films):
        await until(lambda: len(films._pre_roll.units()) > 20 if films._pre_roll else False)
        assert (camera.viewers, camera.encoders) == (0, 1)
        take = await films.start(0.3, "alert")
        await until(lambda: not films.takes)
        (kept,) = films.kept.all()
        seen = stamps_in(kept.path)
        assert seen[0] < take.time_ms - 500
        assert seen[-1] > take.time_ms
        assert max(after - before for before, after in itertools.pairwise(seen)) < 1_000
        assert kept.reason == "alert"


async def test_a_recording_can_be_stopped_and_what_it_has_is_kept(tmp_path: Path) -> None:
    async with filming(tmp_path) as (_, films):
        take = await films.start(3_600)
        await asyncio.sleep(0.4)
        films.stop(take)
        await until(lambda: not films.takes)
        assert stamps_in(films.kept.all()[0].path)


async def test_a_clip_on_command_is_a_file_of_its_own_beside_those_by_schedule_and_on_alert(
    tmp_path: Path,
) -> None:
    async with filming(tmp_path) as (camera, films):
        standing = await films.start(3_600, "schedule")
        alert = await films.start(3_600, "alert", "too-hot")
        clip = await films.start(0.5)
        assert list(films.takes) == [clip, alert, standing]
        await until(lambda: not clip.running)
        assert list(films.takes) == [alert, standing]
        assert (camera.encoders, clip.stopped) == (1, False)
        films.stop(alert)
        await until(lambda: not alert.running)
        assert (alert.stopped, standing.running) == (True, True)
        films.stop(standing)
        await until(lambda: not films.takes)
    kept = {item.reason: stamps_in(item.path) for item in films.kept.all()}
    assert set(kept["command"]) <= set(kept["alert"]) <= set(kept["schedule"])
    assert len(kept["command"]) >= 5


async def test_of_one_reason_and_rule_one_take_runs_and_of_alerts_no_more_than_four(tmp_path: Path) -> None:
    async with filming(tmp_path) as (_, films):
        for reason, rule in (("schedule", None), *(("alert", f"rule-{n}") for n in range(AT_ONCE - 2))):
            await films.start(3_600, reason, rule)
        for reason, rule in (("schedule", None), ("alert", "rule-1"), ("alert", "another")):
            with pytest.raises(AlreadyRecording):
                await films.start(1, reason, rule)
        await films.start(3_600)
        assert len({take.id for take in films.takes}) == AT_ONCE


async def test_takes_that_outgrow_what_may_be_kept_end_early_and_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "LOOK_S", 0.1)
    async with filming(tmp_path) as (_, films):
        films.kept._max_bytes = 500
        take = await films.start(3_600, "schedule")
        await until(lambda: not take.running)
        assert take.stopped is False, "nobody did: the schedule goes on"
        assert [item.reason for item in films.kept.all()] == ["schedule"]


async def test_age_and_what_a_killed_hub_left_are_seen_to_though_nothing_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "front").mkdir()
    for name in ("1000_1_command.mp4", f"{now_ms()}_0_alert-hot.part"):
        (tmp_path / "front" / name).write_bytes(bytes(100))
    async with filming(tmp_path) as (_, films):
        await until(lambda: [(item.reason, item.rule) for item in films.kept.all()] == [("alert", "hot")])


async def test_a_hub_that_stops_closes_the_recording_under_way(tmp_path: Path) -> None:
    async with filming(tmp_path) as (_, films):
        await films.start(3_600)
        await asyncio.sleep(0.4)
    (kept,) = films.kept.all()
    assert kept.length_ms
    assert stamps_in(kept.path)


async def test_a_file_that_cannot_be_written_ends_its_recording_and_the_next_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with filming(tmp_path) as (_, films):
        with monkeypatch.context() as patched:
            patched.setattr(recorder, "_open", full)
            await films.start(5)
            await until(lambda: not films.takes)
        assert films.kept.all() == []
        await films.start(0.3)
        await until(lambda: not films.takes)
        assert len(films.kept.all()) == 1


async def test_a_folder_that_cannot_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "front").write_text("in the way")
    async with filming(tmp_path) as (_, films):
        with pytest.raises(CameraError, match="cannot record"):
            await films.start(1)
        assert not films.takes


async def test_a_recorder_waits_for_a_keyframe_and_says_what_went_wrong(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    units = coded(12, force=[5])
    good = Recorder(tmp_path / "1.mp4", loop)
    for unit in units[1:]:
        good.put(unit)
    good.finish()
    assert await good.ended == 200
    assert stamps_in(tmp_path / "1.mp4") == list(range(1_005, 1_012))
    bad = Recorder(tmp_path / "no" / "2.mp4", loop)
    bad.put(units[0])
    with pytest.raises(RecordingFailed, match=r"2\.mp4 cannot be written"):
        await bad.ended


async def test_a_picture_that_changes_its_size_ends_the_file_where_it_was(tmp_path: Path) -> None:
    writer = Recorder(tmp_path / "1.mp4", asyncio.get_running_loop())
    for unit in [*coded(5), *coded(5, width=160)]:
        writer.put(unit)
    assert await writer.ended == 133
    assert stamps_in(tmp_path / "1.mp4") == list(range(1_000, 1_005))


async def test_a_file_that_was_cut_off_by_a_power_cut_plays_up_to_there(tmp_path: Path) -> None:
    whole = Recorder(tmp_path / "1.mp4", asyncio.get_running_loop())
    for unit in coded(60, force=range(0, 60, 10)):
        whole.put(unit)
    whole.finish()
    await whole.ended
    data = (tmp_path / "1.mp4").read_bytes()
    (tmp_path / "2.mp4").write_bytes(data[: len(data) * 6 // 10])
    seen: list[int | None] = []
    with av.open(str(tmp_path / "2.mp4")) as container, suppress(av.InvalidDataError):  # the cut itself
        for frame in container.decode(video=0):
            seen.append(stamp.read(planes.views(frame)[0]))  # noqa: PERF401 - what came before the error counts
    assert len(seen) >= 20
    assert seen == list(range(1_000, 1_000 + len(seen)))


def unit(at_s: float, *, keyframe: bool = False) -> AccessUnit:
    return AccessUnit(data=b"x" * 100, pts=int(at_s * RTP_CLOCK_HZ), keyframe=keyframe, time_ms=0)


async def test_the_pre_roll_of_a_camera_that_came_back_in_another_form_is_of_that_form(
    tmp_path: Path,
) -> None:
    ring = PreRoll(60)
    for unit in [*coded(20, width=160), *coded(5)]:
        ring.take(unit)
    writer = Recorder(tmp_path / "1.mp4", asyncio.get_running_loop())
    for unit in ring.units():
        writer.put(unit)
    writer.finish()
    await writer.ended
    assert stamps_in(tmp_path / "1.mp4") == list(range(1_000, 1_005))


def test_the_pre_roll_begins_with_a_keyframe_and_reaches_back_as_long_as_asked_and_little_more() -> None:
    ring = PreRoll(10)
    ring.take(unit(0))
    assert ring.units() == []
    for index in range(300):
        ring.take(unit(1 + index / 5, keyframe=index % 20 == 0))
        kept = ring.units()
        assert kept[0].keyframe
        span_s = (kept[-1].pts - kept[0].pts) / RTP_CLOCK_HZ
        assert min(10, index / 5) <= span_s + 0.01 <= 14.1
