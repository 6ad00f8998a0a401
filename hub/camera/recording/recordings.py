"""A camera's recordings as files in one folder, bounded by bytes and age; all there is stands in their names.

`1795000000123_30000_command.mp4`: begun (UTC ms), length (ms, 0: the power went before its end), and why.
Methods touch the disk: call them off the loop.
"""

from __future__ import annotations

import logging
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.camera.errors import CameraError
from hub.model import OutpostError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{1,15})_(\d{1,9})_([a-z]{1,20})\.mp4")
_MIN_FREE_BYTES = 256 << 20
"""A recording is not begun on a fuller disk: samples need the room more."""


class UnknownRecording(OutpostError):
    """There is no recording of this id; it may have been deleted to make room."""


class NoRoom(CameraError):
    """The disk is too full to record."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One finished file."""

    id: str
    """The moment it began, UTC ms."""
    time_ms: int
    length_ms: int | None
    """None where the power went before it was finished; what is there can be played."""
    reason: str
    size_bytes: int
    written_ms: int
    """When it was last added to, UTC ms."""
    path: Path


class Recordings:
    """The folder. It is made when the first recording begins."""

    def __init__(self, folder: Path, *, max_bytes: int, max_age_ms: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age_ms = max_age_ms

    def all(self) -> list[Recording]:
        """Return what there is, newest first."""
        if not self._folder.is_dir():
            return []
        found = []
        for path in self._folder.iterdir():
            parts = _NAME.fullmatch(path.name)
            if parts is not None:
                found.append(_described(path, parts))
        return sorted(found, key=lambda item: item.time_ms, reverse=True)

    def under_way(self) -> Recording | None:
        """Return what is being written, where something is."""
        for path in self._folder.glob("*_0_*.part"):
            parts = _NAME.fullmatch(path.with_suffix(".mp4").name)
            if parts is not None:
                return _described(path, parts)
        return None

    def find(self, recording_id: str) -> Recording:
        """Return one. Raises UnknownRecording."""
        for item in self.all():
            if item.id == recording_id:
                return item
        raise UnknownRecording(f"there is no recording {recording_id[:20]!r}")

    def delete(self, recording_id: str) -> None:
        """Delete one. Raises UnknownRecording."""
        self.find(recording_id).path.unlink(missing_ok=True)

    def begin(self, time_ms: int, reason: str) -> Path:
        """Make room and give the path to write to. Raises NoRoom, OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.recover()
        self.prune(time_ms)
        if shutil.disk_usage(self._folder).free < _MIN_FREE_BYTES:
            raise NoRoom(f"less than {_MIN_FREE_BYTES >> 20} MiB are free on the disk of the recordings")
        return self._folder / f"{time_ms}_0_{reason}.part"

    def finish(self, path: Path, length_ms: int) -> None:
        """Keep what was written under its last name; nothing where no picture came."""
        if path.exists():
            time_ms, _, reason = path.stem.split("_")
            path.rename(path.with_name(f"{time_ms}_{length_ms}_{reason}.mp4"))

    def recover(self) -> None:
        """Keep what a hub that was killed left behind. None may be under way."""
        for path in self._folder.glob("*_0_*.part"):
            path.rename(path.with_suffix(".mp4"))

    def prune(self, now_ms: int) -> None:
        """Delete the oldest until the rest is within its bounds."""
        kept_bytes = 0
        for item in self.all():
            kept_bytes += item.size_bytes
            if kept_bytes > self._max_bytes or now_ms - item.time_ms > self._max_age_ms:
                log.info("recording %s makes room", item.path.name)
                item.path.unlink(missing_ok=True)


def _described(path: Path, parts: re.Match[str]) -> Recording:
    status = path.stat()
    return Recording(
        id=parts[1],
        time_ms=int(parts[1]),
        length_ms=int(parts[2]) or None,
        reason=parts[3],
        size_bytes=status.st_size,
        written_ms=int(status.st_mtime * 1000),
        path=path,
    )
