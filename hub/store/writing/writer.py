"""The one thread that writes: it commits what waits as a group, and outlives every failed commit."""

from __future__ import annotations

import logging
import math
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from hub.store.writing.attempts import Attempts
from hub.store.writing.chores import Chores
from hub.store.writing.committer import Committer
from hub.store.writing.damage import Damage
from hub.store.writing.intake import Acked, Batch, Intake, Verdict, boot_of
from hub.store.writing.pace import Pace
from hub.store.writing.recent import Recent
from hub.store.writing.samples import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from hub.health import Health
    from hub.model import Reading
    from hub.store.lifetime.policy import Policy
    from hub.store.lifetime.retention import RetentionState
    from hub.store.settings import StoreSettings
    from hub.store.writing.intake import Boot, Statement
    from hub.store.writing.recent import Held
    from hub.store.writing.samples import Written

log = logging.getLogger(__name__)

_BATCHES = 8
"""As many times what begins a commit fit in it: in a flood, more gathers while one is under way."""


class Writer:
    """The queue and the thread behind it. `put`, `note`, `last_seq` and `flush` are for any thread.

    `acked` is called with what may be acked: from the writer's thread after a commit, and from `put` when
    a committed reading comes again.
    """

    def __init__(
        self,
        database: Path,
        recent: Recent,
        committed: Mapping[Boot, int],
        *,
        health: Health,
        now_ms: Callable[[], int],
        settings: StoreSettings,
        acked: Callable[[list[Acked]], None],
        replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self._health = health
        self._settings = settings
        self._tell = acked
        self._replaced = replaced
        self._committer = Committer(database, settings.wal_bytes)
        self._recent = recent
        self._intake = Intake(settings.queue_samples, committed)
        health.store_queue.set_function(lambda: self._intake.readings)
        self.attempts = Attempts(database, health)
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._pace = Pace(settings)
        self._flushes: list[Future[None]] = []
        self._closing = False
        self._damage = Damage(self._committer, health, now_ms)
        self._chores = Chores(
            self._committer, settings, now_ms, damage=self._damage, interrupted=self._commit_is_due
        )
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    # --- any thread ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start to commit."""
        self._thread.start()

    def put(self, reading: Reading) -> None:
        """Queue a reading. Never waits for the disk, never raises."""
        problem = fault(reading)
        if problem is not None:
            log.warning("a reading of %s cannot be stored: %s", ascii(reading.device), problem)
            self._refused("malformed", 1)
            return
        urgent = reading.seq is not None and reading.boot_id is not None
        with self._lock:  # the condition's, at half the cost
            intake = self._intake
            lost, samples = intake.lost, intake.samples
            verdict = intake.offer(reading)
            lost = intake.lost - lost
            if verdict is Verdict.TAKEN:
                if not self._pace.knows(urgent=urgent):
                    self._waits(urgent=urgent)
                if samples < self._settings.batch_samples <= intake.samples:
                    self._wake.notify()
        if verdict is not Verdict.TAKEN or lost:
            self._put_in_vain(reading, verdict, lost)

    def _put_in_vain(self, reading: Reading, verdict: Verdict, lost: int) -> None:
        """Count, and ack, a reading that was not taken, and those that went for it."""
        boot = boot_of(reading)
        if verdict in (Verdict.COMMITTED_AGAIN, Verdict.PENDING_AGAIN):
            self._health.duplicates.inc()
        if verdict is Verdict.COMMITTED_AGAIN and boot is not None:
            self._tell([Acked(*boot, self.last_seq(*boot))])
        if verdict is Verdict.FULL and boot is not None:
            self._refused("full", 1)
        if lost:
            self._refused("lost", lost)

    def note(self, key: str, statements: Iterable[Statement], *, urgent: bool = True) -> None:
        """Queue statements, `urgent` as an ack; those that wait under the same key are replaced."""
        with self._wake:
            self._intake.note(key, statements)
            self._waits(urgent=urgent)

    def last_seq(self, device: str, boot_id: str) -> int:
        """Return the highest committed seq of that boot, or -1."""
        with self._wake:
            return self._intake.committed(device, boot_id)

    def held(self, device: str, metric: str, *, surely: bool) -> Held | None:
        """Copy what memory holds of a metric, committed or not. See `Recent.held`."""
        with self._wake:
            return self._recent.held(device, metric, self._intake.waiting(), surely=surely)

    def damaged(self) -> None:
        """Have the file replaced, which a reader found damaged."""
        with self._wake:
            self._damage.known = True
            self._wake.notify()

    def flush(self, *, notes: bool = False) -> Future[None] | None:
        """Commit soon what waits now; the future is done after the attempt. None when nothing waits.

        With `notes`, only where statements wait.
        """
        with self._wake:
            if self._intake.idle or self._closing or (notes and not self._intake.notes):
                return None
            future: Future[None] = Future()
            self._flushes.append(future)
            self._wake.notify()
            return future

    @property
    def waiting_readings(self) -> int:
        """How many readings wait for their commit."""
        return self._intake.readings

    def adopt(self, policy: Policy) -> None:
        """Go by other rules of retention, soon."""
        with self._wake:
            self._chores.adopt(policy)
            self._wake.notify()

    @property
    def retention(self) -> RetentionState:
        """How letting go stands."""
        return self._chores.retention.state

    def close(self) -> None:
        """Commit what waits, in as many batches as it takes or until one fails; end the thread. Blocks."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.ident is None:
            self._run()
        else:
            self._thread.join()

    def _waits(self, *, urgent: bool) -> None:
        if self._pace.waits(time.monotonic(), urgent=urgent):
            self._wake.notify()

    def _refused(self, reason: str, count: int) -> None:
        self._health.store_refused.labels(reason=reason).inc(count)

    # --- the writer's thread ------------------------------------------------------------------------

    def _run(self) -> None:
        while self._sleep():
            if self._attempt():
                self._do_chores()
        while not self._intake.idle:
            if not self._attempt():
                log.error("%d readings were not saved at the end", self._intake.readings)
                break
        for future in self._flushes:
            future.set_result(None)
        self._committer.close()

    def _sleep(self) -> bool:
        """Wait until something is due; False when the store closes."""
        with self._wake:
            while not self._closing:
                wait = min(self._commit_at(), self._pace.heartbeat_at(), self._chores_at()) - time.monotonic()
                if wait <= 0:
                    return True
                self._wake.wait(wait)
            return False

    def _commit_at(self) -> float:
        return self._pace.commit_at(self._intake.samples, asked=bool(self._flushes))

    def _chores_at(self) -> float:
        if self._pace.failures:
            return math.inf
        return -math.inf if self._damage.known else self._chores.due_at()

    def _take(self) -> tuple[Batch, list[Future[None]]]:
        with self._wake:
            if not self._closing and self._commit_at() > time.monotonic():
                return Batch([], []), []  # a heartbeat leaves what is not due yet
            batch = self._intake.take(_BATCHES * self._settings.batch_samples)
            if self._intake.queued:
                return batch, []
            self._pace.taken()
            flushes, self._flushes = self._flushes, []
            return batch, flushes

    def _attempt(self) -> bool:
        """Try to commit a batch, be it empty. True when that went well."""
        batch, flushes = self._take()
        failures, failed = self._pace.failures, True
        try:
            if self._damage.known:
                self._replace()
            began = time.monotonic()
            written = self._committer.commit(batch, self._recent)
        except Exception as error:  # whatever it was, the readings are kept and the thread lives
            self._failed(error)
            return False
        else:
            failed = False
            self._succeeded(batch, written, time.monotonic() - began, failures)
            return True
        finally:
            self.attempts.count += 1
            with self._wake:
                self._pace.attempted(time.monotonic(), failed=failed)
            for future in flushes:
                future.set_result(None)

    def _failed(self, error: Exception) -> None:
        self._damage.look_for(error)
        self.attempts.failed(error)

    def _succeeded(self, batch: Batch, written: Written, duration_s: float, failures: int) -> None:
        self.attempts.succeeded(failures)
        some = batch.readings or batch.notes
        with self._wake:
            acked = self._intake.done() if some else []
            if written.hot is not None:
                self._recent.append(written.hot, written.shapes)
            acked += self._intake.wanted_again()
        if some:
            self.attempts.committed(written, duration_s)
        if acked:
            self._tell(acked)

    def _replace(self) -> None:
        """Have the damaged file replaced. Raises as `Damage.replace`."""
        with self._wake:
            boots = self._intake.all_committed()
        self._damage.replace(self._recent, boots)
        self._chores.begin_salvage()
        self._replaced()

    def _do_chores(self) -> None:
        recent = self._recent
        sealed = self._chores.seal(recent)
        if sealed is not None:
            with self._wake:
                self._recent = Recent(recent.generation + 1, recent.newest | sealed.newest)
                self._intake.forget(sealed.boots_forgotten)
            self.attempts.sealed(sealed)
        self._chores.rest()

    def _commit_is_due(self) -> bool:
        with self._wake:
            return self._closing or self._commit_at() <= time.monotonic()
