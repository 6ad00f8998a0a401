"""How much the hub writes, and what that means for a card."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

import msgspec

from hub.store.sizes import DeviceSize  # noqa: TC001 - msgspec resolves the fields' types

CYCLES = 500
"""Times that a card of today (TLC) can be written over in full, half of what makers state, for the writes
that its controller adds."""
_PLAIN_BYTES = 16
_DAY_S = 86_400
_YEAR_DAYS = 365.25
_LEAST_S = 600.0
"""Below this a rate says more of the start than of the days."""
_IO = Path("/proc/self/io")


class StoreFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The store's size and wear. None: not known, or too early to tell."""

    file_bytes: int
    """Database and WAL."""
    queue_readings: int
    """Readings that wait for their commit."""
    sealed_bytes_per_sample: float | None
    """In the chunks since the start; a float of its own with its time takes 16."""
    written_bytes_per_day: float | None
    """What the hub's process hands to the disk, at the rate since its start."""
    card_years: float | None
    """How long the medium lasts at that rate, were it a card of this size."""
    compression: float | None
    """How many times less the chunks take than a float with its time, 16 bytes."""
    commit_p50_ms: float | None
    """Of the last thousand commits that wrote something."""
    commit_p99_ms: float | None
    devices: list[DeviceSize] = []
    """The devices' sealed samples in the file, the largest first."""


class Wear:
    """Counts from construction on. Times are seconds on the monotonic clock."""

    def __init__(self, database: Path, now_s: float, counter: Path = _IO) -> None:
        self._database = database
        self._counter = counter
        self._began_s = now_s
        self._written = written_bytes(counter)
        self.sealed_samples = 0
        self.sealed_bytes = 0
        self._commits: deque[float] = deque(maxlen=1000)

    def committed(self, duration_s: float) -> None:
        """Note how long a commit took."""
        self._commits.append(duration_s)

    def sealed(self, samples: int, size: int) -> None:
        """Note that samples were sealed into chunks of `size` bytes."""
        self.sealed_samples += samples
        self.sealed_bytes += size

    def file_bytes(self) -> int:
        """Return the bytes of database and WAL."""
        return sum(
            path.stat().st_size for path in (self._database, Path(f"{self._database}-wal")) if path.exists()
        )

    def figures(self, now_s: float, queue_readings: int) -> StoreFigures:
        """Return how the store is now. Reads a few files of the kernel."""
        a_day = self._bytes_per_day(now_s)
        room = os.statvfs(self._database.parent)
        years = room.f_blocks * room.f_frsize * CYCLES / a_day / _YEAR_DAYS if a_day else None
        sealed = self.sealed_bytes / self.sealed_samples if self.sealed_samples else None
        commits = sorted(self._commits.copy())
        return StoreFigures(
            file_bytes=self.file_bytes(),
            queue_readings=queue_readings,
            sealed_bytes_per_sample=sealed,
            written_bytes_per_day=a_day,
            card_years=years,
            compression=_PLAIN_BYTES / sealed if sealed else None,
            commit_p50_ms=commits[len(commits) // 2] * 1000 if commits else None,
            commit_p99_ms=commits[len(commits) * 99 // 100] * 1000 if commits else None,
        )

    def _bytes_per_day(self, now_s: float) -> float | None:
        written = written_bytes(self._counter)
        elapsed_s = now_s - self._began_s
        if written is None or self._written is None or elapsed_s < _LEAST_S:
            return None
        return (written - self._written) / elapsed_s * _DAY_S


def written_bytes(counter: Path = _IO) -> int | None:
    """Return the bytes that this process handed to disks (proc(5), write_bytes); None where nobody counts."""
    try:
        lines = counter.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes:")), None)
