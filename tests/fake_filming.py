"""A camera's recordings for the web room's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.camera.recording.filming import Take
from hub.camera.recording.recordings import Recordings

if TYPE_CHECKING:
    from pathlib import Path


class FakeFilming:
    """Says what a camera's filming would, and films nothing; the folder is real."""

    def __init__(self, folder: Path) -> None:
        self.kept = Recordings(folder, max_bytes=1 << 30, max_age_ms=1 << 60)
        self.takes: tuple[Take, ...] = ()
        self.fails: Exception | None = None
        self.asked: list[float] = []

    async def start(self, seconds: float, reason: str = "command", rule: str | None = None) -> Take:
        """Begin, or fail as the test says."""
        if self.fails is not None:
            raise self.fails
        self.asked.append(seconds)
        time_ms = 5_000 + len(self.takes)
        take = Take(str(time_ms), time_ms, reason, seconds, rule)
        self.takes = (take, *self.takes)
        return take

    def find(self, take_id: str) -> Take | None:
        """Give a take that runs."""
        return next((take for take in self.takes if take.id == take_id), None)

    def begun_as(self, take_id: str) -> Take | None:
        """Give a take that runs and has, or had, this id."""
        return next((take for take in self.takes if take_id in (take.id, *take.former)), None)

    def stop(self, take: Take) -> None:
        """End."""
        self.takes = tuple(other for other in self.takes if other is not take)


class FakeKeeping:
    """A camera that makes no timelapse now, with the films it made; the folder is real."""

    def __init__(self, folder: Path) -> None:
        self.timelapses = Recordings(folder, max_bytes=1 << 30, max_age_ms=1 << 60)
