"""What the writer does between commits: seals, makes rollups, salvages, lets old samples go."""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING

from hub.store.format.tiers import DAILY, JOBS, MERGING, QUARTERLY, SECONDLY
from hub.store.lifetime.retention import Retention
from hub.store.writing import daychunk, rollup

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.store.format.tiers import Job
    from hub.store.lifetime.policy import Policy
    from hub.store.settings import StoreSettings
    from hub.store.writing.committer import Committer
    from hub.store.writing.damage import Damage
    from hub.store.writing.recent import Recent
    from hub.store.writing.seal import Sealed

log = logging.getLogger(__name__)

_AGAIN_S = 30.0
"""After a chore that failed; nothing is lost meanwhile, since the hot log and the chunks stand."""
_SALVAGE_ROWS = 100
_PAUSE = 0.25
"""So much of a step's time passes before the next."""


class Chores:
    """Times on the monotonic clock, for the writer's thread alone. Each chore ends when a commit is due."""

    def __init__(
        self,
        committer: Committer,
        settings: StoreSettings,
        now_ms: Callable[[], int],
        *,
        damage: Damage,
        interrupted: Callable[[], bool],
    ) -> None:
        self._committer = committer
        self._settings = settings
        self._policy = settings.policy
        self._wanted: Policy | None = None
        self._now_ms = now_ms
        self._damage = damage
        self._interrupted = interrupted
        self._seal_at = self._end_of_window()
        self._jobs: list[Job] = [*JOBS, MERGING]
        self._daily_at = -math.inf
        self._roll_at = -math.inf
        self._salvage_at = -math.inf
        self.retention = Retention(committer, settings, now_ms, interrupted=interrupted)

    def due_at(self) -> float:
        """Return when the next chore is due."""
        if self._wanted is not None:
            return -math.inf
        rolls = self._roll_at if self._jobs else math.inf
        return min(self._seal_at, rolls, self._salvage_at, self.retention.due_at)

    def adopt(self, policy: Policy) -> None:
        """Have rules in place of those that act when chores are next done. From any thread."""
        self._wanted = policy

    def begin_salvage(self) -> None:
        """Look for files that were set aside."""
        self._salvage_at = -math.inf

    def seal(self, recent: Recent) -> Sealed | None:
        """Seal what is recent, at the end of a window or when it is much; None when it was not."""
        if time.monotonic() < self._seal_at and recent.samples < self._settings.seal_samples:
            return None
        self._seal_at = self._end_of_window()
        if not (recent.rows or recent.boots):
            return None
        try:
            sealed = self._committer.seal(recent)
        except Exception as error:
            self._failed("recent samples cannot be sealed into chunks now", error)
            self._seal_at = time.monotonic() + _AGAIN_S
            return None
        self._want(SECONDLY)
        self._want(QUARTERLY)
        if time.monotonic() >= self._daily_at:
            self._daily_at = time.monotonic() + self._settings.daily_roll_interval_s
            self._want(DAILY)
            self._want(MERGING)
        return sealed

    def rest(self) -> None:
        """Do the other chores that are due."""
        self._salvage()
        self._roll()
        self._expire()

    def _want(self, job: Job) -> None:
        if job not in self._jobs:
            self._jobs.append(job)

    def _salvage(self) -> None:
        while time.monotonic() >= self._salvage_at and not self._interrupted():
            try:
                more = self._committer.salvage(_SALVAGE_ROWS)
            except Exception as error:
                self._failed("what was intact in a damaged file cannot be carried over now", error)
                self._salvage_at = time.monotonic() + _AGAIN_S
                return
            if not more:
                self._salvage_at = math.inf

    def _roll(self) -> None:
        """Make rollups of what was sealed, and day chunks, a span a transaction."""
        while self._jobs and time.monotonic() >= self._roll_at and not self._interrupted():
            job = self._jobs[0]
            began = time.monotonic()
            try:
                done = self._committer.work(partial(self._roll_span, job))
                if done is not None and job is not MERGING:
                    self.retention.revisit(done[0], done[1], done[1] + job.span_ms)
            except Exception as error:
                self._failed("rollups and day chunks cannot be made now", error)
                self._roll_at = time.monotonic() + _AGAIN_S
                return
            if done is None:
                del self._jobs[0]
            # Accounts write by connections of their own, which find no gap between steps otherwise.
            time.sleep((time.monotonic() - began) * _PAUSE)

    def _roll_span(self, job: Job, connection: sqlite3.Connection) -> tuple[int, int] | None:
        policy = self._policy
        if job is MERGING:
            return daychunk.step(connection, self._now_ms(), lambda *name: policy.keep(*name).raw)
        return rollup.step(connection, job, self._now_ms(), lambda *name: policy.keep(*name).seconds != 0)

    def _expire(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._policy = wanted
            self.retention.adopt(wanted)
        if time.monotonic() < self.retention.due_at:
            return
        try:
            self.retention.run()
        except Exception as error:
            self._failed("what is too old cannot be deleted now", error)
            self.retention.due_at = time.monotonic() + _AGAIN_S

    def _failed(self, what: str, error: Exception) -> None:
        self._damage.look_for(error)
        log.error("%s: %s", what, error, exc_info=None if isinstance(error, sqlite3.Error) else error)

    def _end_of_window(self) -> float:
        """Return the end of this window, with a little time for what comes late."""
        interval_s = self._settings.seal_interval_s
        return time.monotonic() + interval_s - self._now_ms() / 1000 % interval_s + min(5.0, interval_s / 10)
