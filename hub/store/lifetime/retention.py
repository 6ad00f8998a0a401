"""Letting go, step by step beside the commits: after a grace for changed rules, never on a doubtful clock."""

from __future__ import annotations

import logging
import math
import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from hub.store.lifetime import clock_doubt, shedding
from hub.store.lifetime.clock_doubt import Evidence
from hub.store.lifetime.expiry import Expiry, Gone

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from hub.store.lifetime.policy import Policy
    from hub.store.settings import StoreSettings
    from hub.store.writing.committer import Committer

log = logging.getLogger(__name__)

_CLOCK, _RULES = "clock", "rules"
_DAY_MS = 86_400_000


class RetentionState(msgspec.Struct, frozen=True, kw_only=True):
    """How letting go stands."""

    hold: str | None
    """Why nothing goes by age now, for people."""
    grace_until: int | None
    """The rules have changed: they act from this time on (UTC ms)."""
    deleted_rows: int
    rewritten_parts: int
    rewritten_bytes: int
    """Since the start: rows deleted, rows written again with less in them, and their bytes."""
    over_budget: bool
    """The budget does not hold though all that may go has gone."""


class Retention:
    """For the writer's thread alone, but for `state`, which any thread may read."""

    def __init__(
        self,
        committer: Committer,
        settings: StoreSettings,
        now_ms: Callable[[], int],
        *,
        interrupted: Callable[[], bool],
        synchronised: Callable[[], bool] = clock_doubt.synchronised,
    ) -> None:
        self._committer = committer
        self._settings = settings
        self._policy = settings.policy
        self._expiry = Expiry(settings.policy)
        self._now_ms = now_ms
        self._interrupted = interrupted
        self._synchronised = synchronised
        self._doubted_at: float | None = None
        self._settled = False
        self._pass = Gone()
        self.due_at = -math.inf if settings.policy.expires else math.inf
        self.state = RetentionState(
            hold=None,
            grace_until=None,
            deleted_rows=0,
            rewritten_parts=0,
            rewritten_bytes=0,
            over_budget=False,
        )

    def run(self) -> None:
        """Do what is due, until a commit is. Raises sqlite3.Error."""
        if not self._settled and not self._settle():
            return
        while time.monotonic() >= self.due_at and not self._interrupted():
            now_ms = self._now_ms()
            if self._believes(now_ms):
                gone = self._committer.work(partial(self._expire, now_ms))
                self._count(gone)
                if gone.more and self._pass.rewritten_bytes < self._settings.expiry_rewrite_bytes:
                    continue
            if self._interrupted() or self._shed(now_ms):
                continue
            self._finish()

    def adopt(self, policy: Policy) -> None:
        """Go by other rules from now on, after the grace where they differ from those that acted last."""
        self._policy = policy
        self._expiry = Expiry(policy)
        self._settled = False
        self._pass = Gone()
        self._note(grace_until=None)
        self.due_at = -math.inf

    def _expire(self, now_ms: int, connection: sqlite3.Connection) -> Gone:
        return self._expiry.step(connection, now_ms, self._settings.expiry_chunks)

    def revisit(self, source: int, start_ms: int, end_ms: int) -> None:
        """Look again at a span that late samples came into. Raises sqlite3.Error."""
        now_ms = self._now_ms()
        if self._settled and self._policy.expires and self.state.hold is None:
            self._committer.work(
                lambda connection: self._expiry.revisit(connection, source, start_ms, end_ms, now_ms)
            )

    def _settle(self) -> bool:
        """Compare the rules with those that acted last; where they differ, let people look at them first."""
        grace_until = self.state.grace_until
        if grace_until is None and self._committer.work(self._changed):
            grace_until = self._now_ms() + int(self._settings.grace_s * 1000)
            self._note(grace_until=grace_until)
            self.due_at = time.monotonic() + self._settings.grace_s
            log.warning(
                "the rules of retention have changed; `outpost retention` shows what goes in %d min",
                self._settings.grace_s // 60,
            )
            return False
        if time.monotonic() < self.due_at:
            return False
        self._committer.work(self._accept)
        self._note(grace_until=None)
        self._settled = True
        return True

    def _changed(self, connection: sqlite3.Connection) -> bool:
        """Tell that other rules, or none that are known, made what is in the file."""
        known = _get(connection, _RULES)
        if known is None:
            return connection.execute("SELECT 1 FROM chunk LIMIT 1").fetchone() is not None
        return known != self._policy.fingerprint

    def _accept(self, connection: sqlite3.Connection) -> None:
        if _get(connection, _RULES) != self._policy.fingerprint:
            # What was looked at by other rules is looked at again.
            connection.execute("DELETE FROM state WHERE key LIKE 'expired %'")
            _put(connection, _RULES, self._policy.fingerprint)

    def _believes(self, now_ms: int) -> bool:
        hold = self._committer.work(lambda connection: self._doubt(connection, now_ms))
        if hold != self.state.hold:
            if hold is not None:
                log.warning("%s", hold)
            else:
                log.info("the clock is believed again; what is too old goes")
        if hold is None:
            self._doubted_at = None
        elif self._doubted_at is None:
            self._doubted_at = time.monotonic()
        self._note(hold=hold)
        return hold is None

    def _doubt(self, connection: sqlite3.Connection, now_ms: int) -> str | None:
        believed_ms = _get(connection, _CLOCK)
        if believed_ms is None:
            (newest,) = connection.execute("SELECT max(newest) FROM source").fetchone()
            believed_ms = newest if newest is not None and newest >= 0 else None
        found = clock_doubt.doubt(
            Evidence(
                now_ms=now_ms,
                believed_ms=believed_ms,
                doubted_s=0.0 if self._doubted_at is None else time.monotonic() - self._doubted_at,
                synchronised=self._synchronised(),
            )
        )
        # Once a day is enough for a jump of days, and costs the card nothing.
        if found is None and (believed_ms is None or abs(now_ms - believed_ms) > _DAY_MS // 2):
            _put(connection, _CLOCK, now_ms)
        return found

    def _shed(self, now_ms: int) -> bool:
        """Let the oldest go where the file is over its budget; True when something went."""
        budget = self._policy.size_bytes
        if budget is None:
            return False
        limit = budget - self._settings.wal_bytes

        def step(connection: sqlite3.Connection) -> tuple[int, int, int]:
            excess = shedding.room(connection).used_bytes - limit
            return (excess, *(shedding.shed(connection, excess, now_ms) if excess > 0 else (0, 0)))

        excess, rows, size = self._committer.work(step)
        self._count(Gone(rows=rows, bytes=size))
        over = excess > 0 and rows == 0
        if over and not self.state.over_budget:
            log.warning(
                "the store is %d MB over its budget though all that may go has gone", excess // 1_000_000
            )
        self._note(over_budget=over)
        return rows > 0

    def _count(self, gone: Gone) -> None:
        self._pass.rows += gone.rows
        self._pass.parts += gone.parts
        self._pass.bytes += gone.bytes
        self._pass.rewritten_bytes += gone.rewritten_bytes
        self._note(
            deleted_rows=self.state.deleted_rows + gone.rows,
            rewritten_parts=self.state.rewritten_parts + gone.parts,
            rewritten_bytes=self.state.rewritten_bytes + gone.rewritten_bytes,
        )

    def _finish(self) -> None:
        if self._pass.rows or self._pass.parts:
            log.info(
                "retention: %d rows deleted, %d written again with less in them, %d KB freed",
                self._pass.rows,
                self._pass.parts,
                self._pass.bytes // 1000,
            )
        self._pass = Gone()
        self.due_at = time.monotonic() + self._settings.expiry_interval_s

    def _note(self, **news: object) -> None:
        self.state = msgspec.structs.replace(self.state, **news)


def _get(connection: sqlite3.Connection, key: str) -> int | None:
    row = connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
    return None if row is None else int(row[0])


def _put(connection: sqlite3.Connection, key: str, value: int) -> None:
    connection.execute(
        "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (key, value),
    )
