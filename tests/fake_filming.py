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
        self.current: Take | None = None
        self.fails: Exception | None = None
        self.asked: list[float] = []

    async def start(self, seconds: float, reason: str = "command") -> Take:
        """Begin, or fail as the test says."""
        if self.fails is not None:
            raise self.fails
        self.asked.append(seconds)
        self.current = Take("5000", 5_000, "command", seconds)
        return self.current

    def stop(self) -> None:
        """End."""
        self.current = None


class FakeKeeping:
    """A camera that makes no timelapse now, with the films it made; the folder is real."""

    def __init__(self, folder: Path) -> None:
        self.timelapses = Recordings(folder, max_bytes=1 << 30, max_age_ms=1 << 60)
