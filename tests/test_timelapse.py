"""Timelapse: the day's film of snapshots, playable as it grows, bounded, and on through what goes wrong."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import av
import pytest

from hub.camera.camera import Camera
from hub.camera.encoder import JpegEncoder, decode_still
from hub.camera.feed import State
from hub.camera.interest import Interest
from hub.camera.media import Picture
from hub.camera.recording import timelapse
from hub.camera.recording.recordings import Recordings
from hub.camera.recording.timelapse import Timelapse
from hub.camera.sources import planes
from hub.camera.sources.test_pattern import BARS, Canvas
from hub.config import CameraConfig
from hub.health import Health
from tests.background_task import beside
from tests.camera_peer import now_ms
from tests.camera_rig import Flaky, running_camera
from tests.coded_video import stamps_in
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from hub.camera.media import Still

NOON = 1_795_176_000_000  # 2026-11-20 12:00 UTC
HOUR = 3_600_000


class Stills:
    """A fake feed: the test pattern's JPEGs at times that the test says, as fast as they are asked for."""

    def __init__(self, times: list[int], *, width: Callable[[int], int] = lambda _: 320) -> None:
        self.state = State.LIVE
        self.interest = Interest()
        self.taken = 0
        self.exhausted = False
        """The last still was asked for, and dealt with."""
        self._times = times
        self._width = width

    async def next_still(self) -> Still:
        if self.taken == len(self._times):
            self.exhausted = True
            await asyncio.Event().wait()
        time_ms = self._times[self.taken]
        canvas = Canvas(self._width(self.taken), 240)
        canvas.draw(0, 30, time_ms)
        self.taken += 1
        return JpegEncoder().encode(Picture(canvas.frame, time_ms))


async def filmed(folder: Path, stills: Stills, *, film_bytes: int = 1 << 20) -> Recordings:
    """Run a timelapse until it has taken all the stills, and end it."""
    kept = Recordings(folder, max_bytes=1 << 30, max_age_ms=1 << 50)
    lapse = Timelapse(
        "front",
        stills,  # type: ignore[arg-type]  # as much of a Feed as it needs
        kept,
        now_ms=now_ms,
        interval_s=0.001,
        bitrate_kbps=1000,
        film_bytes=film_bytes,
    )
    async with beside(lapse.run()):
        await until(lambda: stills.exhausted)
    return kept


async def test_snapshots_become_a_film_of_25_a_second_in_their_order(tmp_path: Path) -> None:
    wanted = [NOON + n * 60_000 for n in range(40)]
    (film,) = (await filmed(tmp_path, Stills(wanted))).all()
    assert stamps_in(film.path) == wanted
    assert (film.id, film.reason, film.length_ms) == (str(NOON), "timelapse", 39 * 40)


async def test_each_day_has_its_film_by_the_machines_midnight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {n: n // 3 for n in range(9)}
    monkeypatch.setattr(timelapse, "_day", lambda time_ms: days[(time_ms - NOON) // HOUR])
    kept = await filmed(tmp_path, Stills([NOON + n * HOUR for n in range(9)]))
    assert [len(stamps_in(film.path)) for film in kept.all()] == [3, 3, 3]


async def test_a_film_that_has_grown_to_its_bound_is_followed_by_another(tmp_path: Path) -> None:
    kept = await filmed(tmp_path, Stills([NOON + n for n in range(8)]), film_bytes=1)
    assert [len(stamps_in(film.path)) for film in kept.all()] == [1] * 8


async def test_a_picture_of_another_size_begins_another_film(tmp_path: Path) -> None:
    stills = Stills([NOON + n for n in range(8)], width=lambda n: 320 if n < 4 else 160)
    kept = await filmed(tmp_path, stills)
    sizes = []
    for film in reversed(kept.all()):
        with av.open(str(film.path)) as container:
            sizes.append((container.streams.video[0].width, container.streams.video[0].frames or 0))
    assert [size for size, _ in itertools.groupby(width for width, _ in sizes)] == [320, 160]


async def test_a_film_under_way_can_be_played_up_to_the_picture_before_the_last(tmp_path: Path) -> None:
    stills = Stills([NOON + n for n in range(12)])
    kept = Recordings(tmp_path, max_bytes=1 << 30, max_age_ms=1 << 50)
    lapse = Timelapse(
        "front",
        stills,  # type: ignore[arg-type]  # as above
        kept,
        now_ms=now_ms,
        interval_s=0.001,
        bitrate_kbps=1000,
        film_bytes=1 << 20,
    )
    async with beside(lapse.run()):
        await until(lambda: stills.taken == 12)

        def seen() -> list[int | None]:
            with suppress(av.FFmpegError):
                return [at for film in kept.under_way() for at in stamps_in(film.path)]
            return []

        await until(lambda: len(seen()) >= 11)
        assert seen()[:11] == [NOON + n for n in range(11)]


def test_a_still_is_decoded_to_the_colours_that_it_was_made_of() -> None:
    canvas = Canvas(320, 240)
    canvas.draw(0, 30, NOON)
    again = decode_still(JpegEncoder().encode(Picture(canvas.frame, NOON)))
    found = [int(plane[-60 // (1 if n == 0 else 2), -6]) for n, plane in enumerate(planes.views(again.frame))]
    assert found == pytest.approx(BARS[-1], abs=3)


@asynccontextmanager
async def lapsing(folder: Path, source: Flaky) -> AsyncIterator[Camera]:
    config = CameraConfig(id="front", width=320, height=240, timelapse="1s")
    camera = Camera(config, health=Health(), now_ms=now_ms, recordings=folder, source=source)
    async with running_camera(camera):
        yield camera


async def test_a_camera_that_fails_leaves_the_film_and_goes_on_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelapse, "_SETTLE_S", 0.0)
    monkeypatch.setattr("hub.camera.feed._BACKOFF_S", (0.05, 0.1))
    source = Flaky()
    async with lapsing(tmp_path, source) as camera:
        assert camera.keeping is not None
        kept = camera.keeping.timelapses
        await until(kept.under_way)
        source.plugged = False
        await until(lambda: camera.state is State.FAILED)
        source.plugged = True
        opened = source.opened
        await until(lambda: source.opened > opened)
        (film,) = kept.under_way()
        size = film.size_bytes
        await until(lambda: film.path.stat().st_size > size)
    (whole,) = kept.all()
    assert len(stamps_in(whole.path)) >= 2


async def test_a_camera_without_timelapse_makes_none_and_stays_closed(tmp_path: Path) -> None:
    config = CameraConfig(id="front", width=320, height=240)
    camera = Camera(config, health=Health(), now_ms=now_ms, recordings=tmp_path)
    async with running_camera(camera):
        await asyncio.sleep(0.1)
        assert camera.keeping is not None
        assert (camera.keeping.timelapse, camera.state) == (None, State.IDLE)
        assert camera.keeping.timelapses.all() == []
