"""A camera's recordings as files in one folder, bounded by bytes and age; all there is stands in their names.

`1795000000123_30000_alert-too-hot.mp4`: begun (UTC ms), length (ms, 0: the power went before its end), and
why, with the rule whose alert it was. What is being written ends in `.part`. Methods but `give_up` touch the
disk: call them off the loop; several may be called at once.
"""

from __future__ import annotations

import logging
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.camera.errors import CameraError
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{1,15})_(\d{1,9})_([a-z]{1,20})(?:-([a-z0-9-]{1,63}))?\.mp4")
_GROWING = "*_0_*.part"
_MIN_FREE_BYTES = 256 << 20
"""A recording is not begun on a fuller disk, and ends on one: samples need the room more."""
_DISK_FULL = f"less than {_MIN_FREE_BYTES >> 20} MiB are free on the disk of the recordings"


class UnknownRecording(OutpostError):
    """There is no recording of this id; it may have been deleted to make room."""


class NoRoom(CameraError):
    """The disk is too full to record."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One file."""

    id: str
    """The moment it began, UTC ms."""
    time_ms: int
    length_ms: int | None
    """None where the power went before it was finished; what is there can be played."""
    reason: str
    rule: str | None
    """Whose alert it was."""
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
        self._growing: set[Path] = set()
        """What this hub is writing, not one that was killed."""

    def all(self) -> list[Recording]:
        """Return what is finished, newest first."""
        paths = self._folder.glob("*.mp4")
        return sorted(_described(paths), key=lambda item: item.time_ms, reverse=True)

    def under_way(self) -> list[Recording]:
        """Return what is being written, newest first."""
        return sorted(_described(self._folder.glob(_GROWING)), key=lambda item: item.time_ms, reverse=True)

    def find(self, recording_id: str) -> Recording:
        """Return one that is finished. Raises UnknownRecording."""
        for item in self.all():
            if item.id == recording_id:
                return item
        raise UnknownRecording(f"there is no recording {recording_id[:20]!r}")

    def delete(self, recording_id: str) -> None:
        """Delete one. Raises UnknownRecording."""
        self.find(recording_id).path.unlink(missing_ok=True)

    def begin(self, time_ms: int, reason: str, rule: str | None = None) -> Path:
        """Make room and give the path to write to. Raises NoRoom, OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.prune(time_ms)
        if self._is_disk_full():
            raise NoRoom(_DISK_FULL)
        why = reason if rule is None else f"{reason}-{rule}"
        path = self._folder / f"{time_ms}_0_{why}.part"
        self._growing.add(path)
        return path

    def finish(self, path: Path, length_ms: int) -> None:
        """Keep what was written under its last name; nothing where no picture came."""
        if path.exists():
            time_ms, _, why = path.stem.split("_", 2)
            path.rename(path.with_name(f"{time_ms}_{length_ms}_{why}.mp4"))
        self._growing.discard(path)

    def give_up(self, path: Path) -> None:
        """Forget what was begun, and never written."""
        self._growing.discard(path)

    def recover(self) -> None:
        """Keep what a hub that was killed left behind."""
        for path in self._folder.glob(_GROWING):
            if path not in self._growing:
                path.rename(path.with_suffix(".mp4"))

    def prune(self, now_ms: int) -> str:
        """Delete the oldest until all is within its bounds; say why what is being written must end, or "".

        A full disk ends it, and costs no other recording: it may be full of anything.
        """
        growing = self.under_way()
        kept_bytes = sum(item.size_bytes for item in growing)
        outgrown = kept_bytes > self._max_bytes
        for item in self.all():
            kept_bytes += item.size_bytes
            if kept_bytes > self._max_bytes or now_ms - item.time_ms > self._max_age_ms:
                log.info("recording %s makes room", item.path.name)
                item.path.unlink(missing_ok=True)
        if outgrown:
            return "it takes all that recordings may"
        return _DISK_FULL if growing and self._is_disk_full() else ""

    def _is_disk_full(self) -> bool:
        return shutil.disk_usage(self._folder).free < _MIN_FREE_BYTES


def _described(paths: Iterable[Path]) -> Iterator[Recording]:
    for path in paths:
        parts = _NAME.fullmatch(path.name.replace(".part", ".mp4"))
        if parts is None:
            continue
        with suppress(FileNotFoundError):  # deleted, or finished, meanwhile
            status = path.stat()
            yield Recording(
                id=parts[1],
                time_ms=int(parts[1]),
                length_ms=int(parts[2]) or None,
                reason=parts[3],
                rule=parts[4],
                size_bytes=status.st_size,
                written_ms=int(status.st_mtime * 1000),
                path=path,
            )
