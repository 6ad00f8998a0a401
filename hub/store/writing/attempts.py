"""What came of attempts to commit: for health, for people, and for who waits."""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import TYPE_CHECKING

from hub.store.wear import Wear, written_bytes
from hub.store.writing.committer import explain

if TYPE_CHECKING:
    from pathlib import Path

    from hub.health import Health
    from hub.store.writing.samples import Written
    from hub.store.writing.seal import Sealed

log = logging.getLogger(__name__)


class Attempts:
    """Written by the writer's thread; its fields are for any."""

    def __init__(self, database: Path, health: Health) -> None:
        self._health = health
        self.wear = Wear(database, time.monotonic())
        health.store_file_bytes.set_function(self.wear.file_bytes)
        health.written_bytes.set_function(lambda: written_bytes() or 0)
        self.count = 0
        """All attempts, and (`well`) those that went well, empty ones too."""
        self.well = 0
        self.degraded: str | None = None
        """Why the last one failed, for people; None when it did not."""

    def failed(self, error: Exception) -> None:
        """Note that an attempt failed; a reason is logged once."""
        reason = explain(error)
        if reason != self.degraded:
            log.error("%s; retrying", reason, exc_info=None if isinstance(error, sqlite3.Error) else error)
        self.degraded = reason
        self._health.store_degraded.set(1)

    def succeeded(self, failures: int) -> None:
        """Note that an attempt went well after so many that did not."""
        if failures:
            log.warning("samples are saved again after %d failed attempts", failures)
        self.degraded = None
        self._health.store_degraded.set(0)
        self.well += 1

    def committed(self, written: Written, duration_s: float) -> None:
        """Count what a commit stored."""
        self._health.commit_s.observe(duration_s)
        self.wear.committed(duration_s)
        self._health.committed.inc(written.samples)
        self._health.duplicates.inc(written.duplicates)

    def sealed(self, sealed: Sealed) -> None:
        """Count what was sealed."""
        self.wear.sealed(sealed.samples, sealed.chunk_bytes)
        self._health.store_sealed.inc(sealed.samples)
        self._health.store_sealed_bytes.inc(sealed.chunk_bytes)
