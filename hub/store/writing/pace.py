"""When the writer commits: the moments that what waits, what failed and what is idle call for. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.store.settings import StoreSettings


class Pace:
    """Times are seconds on the monotonic clock. Not for two threads at once: the caller holds a lock."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._urgent_since: float | None = None
        self._waiting_since: float | None = None
        self._attempted = -math.inf
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many attempts in a row failed."""
        return self._failures

    def knows(self, *, urgent: bool) -> bool:
        """Tell that one more which waits is no news."""
        return (self._urgent_since if urgent else self._waiting_since) is not None

    def waits(self, now: float, *, urgent: bool) -> bool:
        """Note that something waits; `urgent`: for an ack. Return whether that is news."""
        news = False
        if self._waiting_since is None:
            self._waiting_since, news = now, True
        if urgent and self._urgent_since is None:
            self._urgent_since, news = now, True
        return news

    def taken(self) -> None:
        """Note that all that waited is in the batch under way."""
        self._urgent_since = self._waiting_since = None

    def attempted(self, now: float, *, failed: bool) -> None:
        """Note that an attempt ended."""
        self._attempted = now
        self._failures = self._failures + 1 if failed else 0

    def commit_at(self, samples: int, *, asked: bool) -> float:
        """Return when to commit `samples` that wait; `asked`: a query needs to know what is stored."""
        settings = self._settings
        if self._failures:
            first, most = settings.retry_s
            return self._attempted + min(most, first * 2.0 ** min(self._failures - 1, 16))
        if samples >= settings.batch_samples:
            return -math.inf
        due = math.inf
        if self._urgent_since is not None:
            due = self._urgent_since + settings.ack_interval_s
        if self._waiting_since is not None:
            due = min(due, self._waiting_since + settings.idle_interval_s)
        if asked:
            due = min(due, self._attempted + settings.read_interval_s)
        return due

    def heartbeat_at(self) -> float:
        """Return when to show by an empty commit that the writer lives."""
        return math.inf if self._failures else self._attempted + self._settings.heartbeat_s
