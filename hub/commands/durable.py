"""Writes that reach the medium in groups: a sync soon after the first of them, for which nobody waits."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

SYNC_S = 0.25
"""So long a write may wait for its sync; a sync of its own for each command would cost a card 5 to 50 ms."""


class Durable:
    """Has what was written to the files of a folder synced. Loop thread only; never raises.

    A write is on the medium `sync_s` and two syncs later at most, or the log says why not.
    """

    def __init__(self, folder: Path, sync_s: float = SYNC_S) -> None:
        self._folder = folder
        self._sync_s = sync_s
        self._descriptor: int | None = None
        self._made = False
        self._timer: asyncio.TimerHandle | None = None
        self._syncing = 0
        self._failing = False

    @property
    def settled(self) -> bool:
        """Whether all that was written has had its sync."""
        return self._descriptor is None and self._syncing == 0

    def wrote(self, descriptor: int, *, made: bool = False) -> None:
        """Note a write to an open file; `made`: the file is new, so that the folder is synced too."""
        self._descriptor = descriptor
        self._made = self._made or made
        if self._timer is None and self._syncing == 0:
            self._timer = asyncio.get_running_loop().call_later(self._sync_s, self._sync)

    def closes(self) -> None:
        """Sync what is written to the file before it is closed, by a descriptor of its own."""
        if self._descriptor is not None:
            self._sync()

    def _sync(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._descriptor is None:
            return
        folder = self._folder if self._made else None
        try:
            own = os.dup(self._descriptor)
        except OSError as error:
            self._told(error)
            return
        finally:
            self._descriptor, self._made = None, False
        self._syncing += 1
        asyncio.get_running_loop().run_in_executor(None, sync, own, folder).add_done_callback(self._synced)

    def _synced(self, done: asyncio.Future[None]) -> None:
        self._syncing -= 1
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._told(error)
        else:
            self._failing = False
        if self._descriptor is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._sync_s, self._sync)

    def _told(self, error: BaseException) -> None:
        if not self._failing:
            log.error("%s: what commands do cannot be synced to the medium: %s", self._folder, error)
        self._failing = True


def sync(descriptor: int, folder: Path | None) -> None:
    """Sync a file and close it, then the folder that it is new in. Blocks. Raises OSError."""
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if folder is not None:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
