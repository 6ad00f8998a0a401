"""A camera that runs for a test, a source that can be unplugged, and what is read from its pictures."""

from __future__ import annotations

import io
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from hub.camera import feed, interest
from hub.camera.camera import Camera
from hub.camera.errors import SourceError
from hub.camera.sources import stamp
from hub.camera.sources.test_pattern import TestPattern
from hub.config import CameraConfig
from hub.health import Health
from tests.background_task import beside
from tests.camera_peer import now_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.camera.media import Picture
    from hub.camera.sources.source import Source

CONFIG = CameraConfig(id="front", width=320, height=240)


@asynccontextmanager
async def running(
    *,
    source: Source | None = None,
    health: Health | None = None,
    max_clients: int = 16,
    config: CameraConfig = CONFIG,
) -> AsyncIterator[Camera]:
    """Make a camera and run it; `source` stands in for its own."""
    camera = Camera(config, health=health or Health(), now_ms=now_ms, source=source, max_clients=max_clients)
    async with running_camera(camera):
        yield camera


@asynccontextmanager
async def running_camera(camera: Camera) -> AsyncIterator[Camera]:
    """Run a camera, and end it."""
    async with beside(camera.run()):
        yield camera


def stamp_of(jpeg: bytes) -> int:
    """Return the time that a picture of the test pattern shows, in milliseconds."""
    time_ms = stamp.read(np.asarray(Image.open(io.BytesIO(jpeg)).convert("L")))
    assert time_ms is not None
    return time_ms


def camera_threads() -> list[str]:
    """Return the names of the threads that cameras have."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("camera-")]


def stamps_every_picture(camera: Camera) -> list[int]:
    """Note the times of all pictures that are sent from now on."""
    sent: list[int] = []
    for channel in camera._feed.channels.values():
        if len(channel.fanout):
            channel.fanout.join(lambda unit: sent.append(unit.time_ms))
    return sent


class Flaky:
    """The test pattern behind a cable: refuses to open, ends or hangs when told."""

    def __init__(self) -> None:
        self.plugged = True
        self.hang = threading.Event()
        self.hang.set()
        self.opened = 0
        self._pattern: TestPattern | None = None

    def __call__(self) -> Flaky:
        if not self.plugged:
            raise SourceError("camera `front`: nothing is plugged in")
        self.opened += 1
        self._pattern = TestPattern(width=320, height=240, fps=30, now_ms=now_ms)
        return self

    def read(self) -> Picture:
        self.hang.wait()
        if not self.plugged:
            raise SourceError("the cable was pulled")
        assert self._pattern is not None
        return self._pattern.read()

    def close(self) -> None:
        self._pattern = None


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a source that failed tried again soon."""
    monkeypatch.setattr(feed, "_BACKOFF_S", (0.05, 0.1))


@pytest.fixture
def no_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a camera stop at once when nobody looks."""
    monkeypatch.setattr(interest, "LINGER_S", 0.01)
