"""Whether the file is damaged, and the new one that takes its place."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from hub.store.folder import StoreError
from hub.store.quarantine import is_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hub.health import Health
    from hub.store.writing.committer import Committer
    from hub.store.writing.intake import Boot
    from hub.store.writing.recent import Recent

_AGAIN_S = 600.0


class Damage:
    """For the writer's thread, but for `known`, which any may set."""

    def __init__(self, committer: Committer, health: Health, now_ms: Callable[[], int]) -> None:
        self._committer = committer
        self._health = health
        self._now_ms = now_ms
        self._replaced_at = -math.inf
        self.known = False
        """Found by a commit, a chore or a reader, and not mended yet."""

    def look_for(self, error: Exception) -> None:
        """Note whether an error says that the file is damaged."""
        self.known = self.known or is_damage(error)

    def replace(self, recent: Recent, boots: Mapping[Boot, int]) -> None:
        """Go on in a new file; what is intact in the damaged one is carried over by and by.

        Raises StoreError, OSError and sqlite3.Error; it is tried again with the next attempt.
        """
        if time.monotonic() < self._replaced_at + _AGAIN_S:
            raise StoreError(
                "the file is damaged again, minutes after it was replaced; replace the disk or card"
            )
        self._committer.replace(recent, boots, self._now_ms())
        self._replaced_at = time.monotonic()
        self._health.store_damaged.inc()
        self.known = False
