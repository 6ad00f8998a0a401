"""The store as other rooms see it: it owns the folder, its lock, the writer and the readers."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, TypeVar

from hub.store import audit, births, grid, history, known, rights
from hub.store.accounts import Accounts
from hub.store.committer import Committer
from hub.store.folder import Folder, StoreError
from hub.store.forecast import Forecasts
from hub.store.quarantine import is_damage, is_ours
from hub.store.questions import Questions
from hub.store.reader import Readers
from hub.store.recent import Recent
from hub.store.samples import committed_seqs
from hub.store.schema import connect_reader, migrate
from hub.store.settings import StoreSettings
from hub.store.sieve import Sifting
from hub.store.sizes import sizes
from hub.store.weighed import weighed_grid
from hub.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hub.health import Health
    from hub.model import Birth, Command, CommandResult, LinkKind, Reading, Sample
    from hub.store.audit import AuditEntry, CommandFilter
    from hub.store.columns import Ints
    from hub.store.forecast import Forecast
    from hub.store.grid import Grid, Joined
    from hub.store.history import Bucket, Page
    from hub.store.intake import Acked, Statement
    from hub.store.known import Known
    from hub.store.retention import RetentionState
    from hub.store.rights import SecurityEvent, SecurityKind
    from hub.store.sizes import DeviceSize
    from hub.store.wear import StoreFigures
    from hub.store.weighed import Weighed

_SETTLE_S = 2.0

T = TypeVar("T")


def _replace(database: Path, now_ms: int) -> None:
    """Set a damaged file aside before the start. Raises StoreError."""
    committer = Committer(database)
    try:
        committer.replace(None, {}, now_ms)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{database}: is damaged and cannot be replaced: {error}") from error
    finally:
        committer.close()


class Store:
    """Samples, births, the audit trail and accounts of one hub.

    `put…` are for the event loop's thread and return at once; queries are coroutines and see all that was
    put before them, as long as the disk takes it.
    """

    accounts: Accounts

    def __init__(
        self,
        folder: Folder,
        *,
        health: Health,
        now_ms: Callable[[], int],
        settings: StoreSettings,
    ) -> None:
        self._folder = folder
        self._loop: asyncio.AbstractEventLoop | None = None
        self._callback: Callable[[list[Acked]], None] | None = None
        with contextlib.closing(connect_reader(folder.database)) as connection:
            recent = Recent.load(connection)
            committed = committed_seqs(connection, recent)
        self._writer = Writer(
            folder.database,
            recent,
            committed,
            health=health,
            now_ms=now_ms,
            settings=settings,
            acked=self._acked,
            replaced=self._replaced,
        )
        self._now_ms = now_ms
        self._sifting = Sifting(settings.policy)
        health.store_suppressed.set_function(lambda: self._sifting.suppressed)
        health.store_deleted.set_function(lambda: self._writer.retention.deleted_rows)
        health.store_rewritten.set_function(lambda: self._writer.retention.rewritten_bytes)
        self._told = self._states = 0
        self._readers = Readers(folder.database, damaged=self._writer.damaged)
        self._forecasts = Forecasts(self._readers, settings.policy, now_ms, settings.wal_bytes)
        self._questions = Questions(self._readers, self._writer, self._settle)
        self.accounts = Accounts(folder.database)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        health: Health,
        now_ms: Callable[[], int],
        settings: StoreSettings | None = None,
    ) -> Store:
        """Open a data folder, made where missing. Raises StoreError where it cannot be used, saying why."""
        held = Folder(folder)
        try:
            wanted = settings or StoreSettings()
            try:
                migrate(held.database)
                return cls(held, health=health, now_ms=now_ms, settings=wanted)
            except (StoreError, sqlite3.DatabaseError) as error:
                if not (is_damage(error.__cause__ or error) and is_ours(held.database)):
                    raise
            _replace(held.database, now_ms())
            return cls(held, health=health, now_ms=now_ms, settings=wanted)
        except BaseException:
            held.release()
            raise

    async def start(self) -> None:
        """Start to commit; acks are told on this loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._writer.start()

    async def close(self) -> None:
        """Commit what waits, and give the folder free."""
        for kept in self._sifting.flush():
            self._writer.put(kept)
        self.accounts.close()
        await asyncio.to_thread(self._writer.close)
        await self._readers.close()
        self._folder.release()

    # --- writing ------------------------------------------------------------------------------------

    def put(self, reading: Reading) -> None:
        """Queue a reading for the next commit, what rules keep of it. Never blocks, never raises."""
        for kept in self._sifting.sift(reading):
            self._writer.put(kept)

    def put_last(self, device: str) -> None:
        """Queue a device's last samples where rules kept them back: its session has ended. Never blocks."""
        for kept in self._sifting.flush(device):
            self._writer.put(kept)

    def put_birth(self, birth: Birth, link: LinkKind, last_seen_ms: int) -> None:
        """Keep who a device is. Never blocks. Waits for no commit of its own: a device says it again."""
        statements = [births.statement(birth, link, last_seen_ms)]
        self._writer.note(f"birth {birth.device}", statements, urgent=False)

    def put_command(self, command: Command, result: CommandResult) -> None:
        """Record that a command reached a state. Never blocks."""
        statements = [audit.statement(command, result)]
        if self._states % audit.TRIM_EVERY == 0:
            statements.append(audit.trim())
        self._states += 1
        self._writer.note(f"command {command.id} {result.state}", statements)

    def put_security(self, event: SecurityEvent) -> None:
        """Record a line of the security log. Never blocks."""
        self._told += 1
        self._writer.note(f"security {self._told}", rights.statements(event))

    def record(self, key: str, statements: list[Statement]) -> None:
        """Have statements that the store made (`store.alerts`) committed soon. Never blocks.

        Those that wait under the same key are replaced.
        """
        self._writer.note(key, statements)

    def on_commit(self, callback: Callable[[list[Acked]], None]) -> None:
        """Have `callback` called on the loop's thread with what may be acked, also when it came again."""
        self._callback = callback

    def last_seq(self, device: str, boot_id: str) -> int:
        """Return the highest seq of that boot that is committed, or -1."""
        return self._writer.last_seq(device, boot_id)

    async def settle(self) -> None:
        """Have what waits committed now, at most every `read_interval_s`; return after the attempt."""
        await self._settle()

    @property
    def waiting_readings(self) -> int:
        """How many readings wait for their commit."""
        return self._writer.waiting_readings

    @property
    def progress(self) -> int:
        """How many attempts to commit went well, empty ones included (one every 5 s or more)."""
        return self._writer.progress

    @property
    def attempts(self) -> int:
        """How many attempts to commit there were: grows as long as the writer lives, on a full disk too."""
        return self._writer.attempts

    @property
    def degraded(self) -> str | None:
        """Why the store cannot commit now, for people; None when it can."""
        return self._writer.degraded

    def figures(self) -> StoreFigures:
        """Return the store's size, queue, compression and wear."""
        return self._writer.wear.figures(time.monotonic(), self._writer.waiting_readings)

    async def device_sizes(self) -> list[DeviceSize]:
        """Return how much each device's samples take, the largest first. Raises StoreError."""
        return await self._readers.run(sizes)

    # --- reading ------------------------------------------------------------------------------------

    async def samples_raw(
        self, device: str, metric: str, from_ms: int, to_ms: int, limit: int, after: str | None = None
    ) -> Page:
        """Return a page of samples, `from_ms <= time < to_ms`, by time. Raises QueryRefused, StoreError."""
        return await self._questions.about(
            [(device, metric)],
            lambda found: history.raw(found[0], from_ms, to_ms, limit=limit, after=after),
        )

    async def samples_buckets(
        self, device: str, metric: str, from_ms: int, to_ms: int, points: int
    ) -> list[Bucket]:
        """Return at most `points` buckets that line up with time. Raises QueryRefused, StoreError."""
        return await self._questions.about(
            [(device, metric)], lambda found: history.buckets(found[0], from_ms, to_ms, points)
        )

    async def samples_weighed(
        self, metrics: Sequence[tuple[str, str]], from_ms: int, to_ms: int, points: int
    ) -> tuple[Ints, list[tuple[Ints, Weighed]]]:
        """Return buckets of metrics with means by time, on one grid. Raises QueryRefused, StoreError."""
        until_ms = self._now_ms()
        return await self._questions.about(
            metrics, lambda found: weighed_grid(found, from_ms, to_ms, points, until_ms)
        )

    async def samples_grid(
        self, metrics: Sequence[tuple[str, str]], from_ms: int, to_ms: int, points: int
    ) -> Grid:
        """Return buckets of several metrics on one grid of time. Raises QueryRefused, StoreError."""
        return await self._questions.about(metrics, lambda found: grid.grid(found, from_ms, to_ms, points))

    async def samples_joined(
        self,
        metrics: Sequence[tuple[str, str]],
        from_ms: int,
        to_ms: int,
        limit: int,
        after: str | None = None,
    ) -> Joined:
        """Return a page of samples of several metrics, a row a time. Raises QueryRefused, StoreError."""
        return await self._questions.about(
            metrics, lambda found: grid.joined(found, from_ms, to_ms, limit=limit, after=after)
        )

    async def samples_at(
        self, metrics: Sequence[tuple[str, str]] | str | None, at_ms: int, back_ms: int
    ) -> list[Known]:
        """Return the last sample at a time of metrics, of a device's or (None) of all that are stored.

        Those without one in `at_ms - back_ms <= time <= at_ms` are left out. Raises QueryRefused, StoreError.
        """
        if metrics is None or isinstance(metrics, str):
            return await self._questions.about_all(metrics, lambda found: known.known(found, at_ms, back_ms))
        return await self._questions.about(metrics, lambda found: known.known(found, at_ms, back_ms))

    async def stored_metrics(self, device: str) -> list[str]:
        """Return the names of a device's metrics of which samples are stored. Raises StoreError."""
        return await self._questions.about_all(device, lambda found: [series.metric for series in found])

    async def latest(self) -> dict[str, dict[str, Sample]]:
        """Return each device's last sample of each metric. Raises StoreError."""
        await self._settle()
        return await self._readers.run(lambda connection: history.latest(connection, Recent.load(connection)))

    async def forecast(self) -> Forecast:
        """Return what the rules and the size would delete, and when. Raises QueryRefused, StoreError."""
        return await self._forecasts.ask()

    def retention(self) -> RetentionState:
        """Return how letting go stands."""
        return self._writer.retention

    async def births(self) -> list[tuple[Birth, LinkKind, int]]:
        """Return each device's last birth, its link and when it was last seen. Raises StoreError."""
        await self._settle(notes=True)
        return await self._readers.run(births.births)

    async def commands(
        self, wanted: CommandFilter | None = None, *, limit: int = 100, before: str | None = None
    ) -> tuple[list[AuditEntry], str | None]:
        """Return commands, newest first, and the cursor to older ones. Raises QueryRefused, StoreError."""
        await self._settle(notes=True)
        asked = wanted or audit.CommandFilter()
        return await self._readers.run(lambda connection: audit.entries(connection, asked, limit, before))

    async def security_events(
        self, *, kind: SecurityKind | None = None, limit: int = 100, before: str | None = None
    ) -> tuple[list[SecurityEvent], str | None]:
        """Return the security log, newest first, and the cursor to older. Raises QueryRefused, StoreError."""
        await self._settle(notes=True)
        return await self._readers.run(lambda connection: rights.events(connection, kind, limit, before))

    async def ask(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query of the store's (`store.alerts`). Raises what it raises, QueryRefused and StoreError."""
        await self._settle(notes=True)
        return await self._readers.run(query)

    async def _settle(self, *, notes: bool = False) -> None:
        """Have what was put before committed, so that a query sees it; on a failing disk, go without."""
        if self._loop is None or self._writer.degraded is not None:
            return
        flushed = self._writer.flush(notes=notes)
        if flushed is not None:
            await asyncio.wait([asyncio.wrap_future(flushed)], timeout=_SETTLE_S)

    def _replaced(self) -> None:
        self._readers.reopen()

    def _acked(self, acked: list[Acked]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to tell
                self._loop.call_soon_threadsafe(self._deliver, acked)

    def _deliver(self, acked: list[Acked]) -> None:
        if self._callback is not None:
            self._callback(acked)
