"""Recording by schedule: a take after another while a rule is open, and none against somebody's will."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.camera.camera import Camera
from hub.camera.errors import CameraError
from hub.camera.recording import standing
from hub.camera.recording.filming import Take
from hub.camera.recording.standing import TAKE_S, Standing
from hub.config import CameraConfig
from hub.config.schedule import Window
from hub.health import Health
from tests.camera_peer import now_ms
from tests.camera_rig import running_camera
from tests.fakes import until

if TYPE_CHECKING:
    from pathlib import Path

ALL_DAYS = frozenset(range(7))
DAY_MS = 86_400_000


class Films:
    """A fake of a camera's filming: begins what it is told to, and ends it when the test says."""

    def __init__(self) -> None:
        self.take: Take | None = None
        self.asked: list[float] = []
        self.fails = False

    async def start(self, seconds: float, reason: str) -> Take:
        if self.fails:
            raise CameraError("no picture")
        self.asked.append(seconds)
        self.take = Take("1", 1, reason, seconds)
        return self.take

    def end(self, *, stopped: bool = False) -> None:
        assert self.take is not None
        self.take.running, self.take.stopped = False, stopped
        self.take.ended.set()


class Scene:
    """A schedule whose rule is open while `opened` says so."""

    def __init__(self) -> None:
        self.films = Films()
        self.left = 0.0
        rule = Window(ALL_DAYS, 0, 1)
        self.standing = Standing(
            "front",
            self.films,  # type: ignore[arg-type]  # as much of a Filming as it needs
            (rule,),
            now_ms=lambda: DAY_MS,
        )

    async def look(self) -> float:
        return await self.standing._look()


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene()
    monkeypatch.setattr(standing, "left_s", lambda *_: made.left)
    return made


async def test_nothing_is_recorded_while_no_rule_is_open(scene: Scene) -> None:
    await scene.look()
    assert scene.films.asked == []


async def test_takes_follow_one_another_until_the_rule_closes(scene: Scene) -> None:
    for scene.left in (1_500.0, 900.0, 300.0):
        await scene.look()
        await scene.look()
        scene.films.end()
    scene.left = 0.0
    await scene.look()
    assert scene.films.asked == [TAKE_S, TAKE_S, 300.0]


async def test_a_take_of_the_schedule_that_somebody_stopped_is_not_begun_again_before_the_next_time(
    scene: Scene,
) -> None:
    scene.left = 900.0
    await scene.look()
    scene.films.end(stopped=True)
    await scene.look()
    await scene.look()
    assert len(scene.films.asked) == 1
    scene.left = 0.0
    await scene.look()
    scene.left = 900.0
    await scene.look()
    assert len(scene.films.asked) == 2


async def test_a_camera_that_fails_is_tried_again_later(scene: Scene) -> None:
    scene.left, scene.films.fails = 900.0, True
    assert await scene.look() > 5
    scene.films.fails = False
    await scene.look()
    assert scene.films.asked == [TAKE_S]


async def test_a_camera_that_stays_dead_is_logged_once(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.left, scene.films.fails = 900.0, True
    for _ in range(3):
        await scene.look()
    assert [record.message for record in caplog.records] == [
        "camera front: not recorded by schedule: no picture"
    ]


async def test_the_next_take_begins_as_soon_as_one_has_ended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "_LOOK_S", 3_600.0)
    scene.left = 900.0
    task = asyncio.create_task(scene.standing.run())
    for count in (1, 2, 3):
        await until(lambda count=count: len(scene.films.asked) == count)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        scene.films.end()
    task.cancel()


async def test_a_camera_records_by_its_schedule_beside_nobody_who_looks(tmp_path: Path) -> None:
    config = CameraConfig(id="front", width=320, height=240, record=("00:00-24:00",))
    camera = Camera(config, health=Health(), now_ms=now_ms, recordings=tmp_path)
    films = camera.filming
    assert films is not None
    async with running_camera(camera):
        await until(lambda: bool(films.takes) and camera.encoders == 1)
        await asyncio.sleep(0.3)
    (kept,) = films.kept.all()
    assert (kept.reason, camera.viewers) == ("schedule", 0)
