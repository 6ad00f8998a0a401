"""One transaction at a time on the writing connection, and what to tell people when it fails."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, TypeVar

from hub.store import quarantine
from hub.store.quarantine import Salvage
from hub.store.schema import connect, extend_wal
from hub.store.writing import rollup, seal
from hub.store.writing.samples import SampleTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hub.store.format.tiers import Job
    from hub.store.writing.intake import Batch, Boot
    from hub.store.writing.recent import Recent
    from hub.store.writing.samples import Written
    from hub.store.writing.seal import Sealed

T = TypeVar("T")

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_READONLY: "the disk is read-only; a worn card does that, or a failed mount",
    sqlite3.SQLITE_IOERR: "the disk reports an error; the card may be failing or full",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; it is being replaced",
    sqlite3.SQLITE_NOTADB: "the database is damaged; it is being replaced",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened; was the data folder moved or removed?",
    sqlite3.SQLITE_BUSY: "another program holds the database locked; close it",
}


class Committer:
    """The writing connection. It is opened again after any error but a full disk or a foreign lock."""

    def __init__(self, database: Path, wal_bytes: int = 0) -> None:
        self._database = database
        self._aside: Path | None = None
        self._salvage = Salvage(database)
        self._wal_bytes = wal_bytes
        self._table = SampleTable()
        self._connection: sqlite3.Connection | None = None

    def commit(self, batch: Batch, recent: Recent) -> Written:
        """Write a batch, all or nothing, and return when it is on the medium. Raises sqlite3.Error."""
        with self._transaction() as connection:
            for sql, parameters in batch.notes:
                connection.execute(sql, parameters)
            return self._table.append(connection, batch.readings, recent)

    def seal(self, recent: Recent) -> Sealed:
        """Move the hot log to chunks. Raises sqlite3.Error."""
        with self._transaction() as connection:
            return seal.seal(connection, recent)

    def roll(self, job: Job, now_ms: int) -> bool:
        """Do one span of the rollups; False when none is due. Raises sqlite3.Error."""
        return self.work(lambda connection: rollup.step(connection, job, now_ms)) is not None

    def work(self, task: Callable[[sqlite3.Connection], T]) -> T:
        """Do a chore's task in one transaction, all or nothing. Raises sqlite3.Error."""
        with self._transaction() as connection:
            return task(connection)

    def replace(self, recent: Recent | None, boots: Mapping[Boot, int], now_ms: int) -> None:
        """Set a damaged file aside and go on in a new one; call again where it fails.

        `recent` is what memory has of the hot log; without it the damaged file's is carried over.
        Raises sqlite3.Error, OSError, StoreError.
        """
        self.close()
        if self._aside is None:
            self._aside = quarantine.set_aside(self._database, now_ms)
        with self._transaction() as connection:
            quarantine.carry_small(self._aside, connection, recent, boots)
        self._aside = None

    def salvage(self, limit: int) -> bool:
        """Carry over some of what files that were set aside hold; False at the end. Raises sqlite3.Error."""
        with self._transaction() as connection:
            return self._salvage.step(connection, limit)

    def close(self) -> None:
        """Close the connection; SQLite folds the WAL into the file where it can."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        if connection is None:
            connection = self._connection = connect(self._database)
            with contextlib.suppress(sqlite3.Error):  # it spares the card, nothing depends on it
                extend_wal(connection, self._database, self._wal_bytes)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            self._table.reset()
            self._salvage.reset()
            self._recover(connection, error)
            raise

    def _recover(self, connection: sqlite3.Connection, error: BaseException) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()
        if code(error) not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY):
            self.close()


def code(error: BaseException) -> int | None:
    """SQLite's primary result code of an error, without its extension."""
    extended = getattr(error, "sqlite_errorcode", None)
    return None if extended is None else int(extended) & 0xFF


def explain(error: BaseException) -> str:
    """Why the store cannot commit and what to do, for people."""
    remedy = _REMEDIES.get(code(error) or 0, "an unforeseen error")
    return f"samples cannot be saved: {remedy} ({error})"
