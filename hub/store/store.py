"""The store as other rooms see it: it owns the folder, its lock and the writer; `asked` has its questions."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

from hub.store import audit, births
from hub.store.folder import Folder, StoreError
from hub.store.identity import rights
from hub.store.identity.accounts import Accounts
from hub.store.identity.enrolments import Enrolments
from hub.store.lifetime.keeping import Keeping
from hub.store.lifetime.sieve import Sifting
from hub.store.quarantine import is_damage, is_ours
from hub.store.queries.asked import Asked
from hub.store.schema import connect_reader, migrate
from hub.store.settings import StoreSettings
from hub.store.writing.committer import Committer
from hub.store.writing.recent import Recent
from hub.store.writing.samples import committed_seqs
from hub.store.writing.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.health import Health
    from hub.model import Birth, Command, CommandResult, LinkKind, Reading
    from hub.store.identity.rights import SecurityEvent
    from hub.store.lifetime.policy import Policy
    from hub.store.lifetime.retention import RetentionState
    from hub.store.wear import StoreFigures
    from hub.store.writing.intake import Acked, Statement


def _replace(database: Path, now_ms: int) -> None:
    """Set a damaged file aside before the start. Raises StoreError."""
    committer = Committer(database)
    try:
        committer.replace(None, {}, now_ms)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{database}: is damaged and cannot be replaced: {error}") from error
    finally:
        committer.close()


class Store(Asked):
    """Samples, births, the audit trail and accounts of one hub.

    `put…` are for the event loop's thread and return at once; queries (`Asked`) see all that was put before
    them, as long as the disk takes it.
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
        self._callback: Callable[[list[Acked]], None] | None = None
        with contextlib.closing(connect_reader(folder.database)) as connection:
            recent = Recent.load(connection)
            committed = committed_seqs(connection, recent)
        writer = Writer(
            folder.database,
            recent,
            committed,
            health=health,
            now_ms=now_ms,
            settings=settings,
            acked=self._acked,
            replaced=self._replaced,
        )
        super().__init__(folder.database, writer, now_ms, settings)
        self._sifting = Sifting(settings.policy)
        health.store_suppressed.set_function(lambda: self._sifting.suppressed)
        health.store_deleted.set_function(lambda: self._writer.retention.deleted_rows)
        health.store_rewritten.set_function(lambda: self._writer.retention.rewritten_bytes)
        self._told = self._states = 0
        self.accounts = Accounts(folder.database)
        self.enrolments = Enrolments(folder.database)
        self.keeping = Keeping(self, settings.policy, now_ms)

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

    def adopt(self, policy: Policy) -> None:
        """Go by other rules of retention. On the loop's thread."""
        self._sifting.adopt(policy)
        self._forecasts.adopt(policy)
        self._writer.adopt(policy)

    # --- writing ------------------------------------------------------------------------------------

    def put(self, reading: Reading) -> None:
        """Queue a reading for the next commit, what rules keep of it. Never blocks, never raises."""
        if self._sifting.idle:
            self._writer.put(reading)
            return
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

    def drop_birth(self, device: str) -> None:
        """Forget who a device is, also where its birth waits; its samples stay. Never blocks."""
        self.put_last(device)
        self._writer.note(f"birth {device}", [births.drop(device)])

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
        return self._writer.attempts.well

    @property
    def attempts(self) -> int:
        """How many attempts to commit there were: grows as long as the writer lives, on a full disk too."""
        return self._writer.attempts.count

    @property
    def degraded(self) -> str | None:
        """Why the store cannot commit now, for people; None when it can."""
        return self._writer.attempts.degraded

    def figures(self) -> StoreFigures:
        """Return the store's size, queue, compression and wear."""
        return self._writer.attempts.wear.figures(time.monotonic(), self._writer.waiting_readings)

    def retention(self) -> RetentionState:
        """Return how letting go stands."""
        return self._writer.retention

    def _replaced(self) -> None:
        self._readers.reopen()

    def _acked(self, acked: list[Acked]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to tell
                self._loop.call_soon_threadsafe(self._deliver, acked)

    def _deliver(self, acked: list[Acked]) -> None:
        if self._callback is not None:
            self._callback(acked)
