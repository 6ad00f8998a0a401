"""Reading beside the writer: a few threads with read-only connections, and a limit on each query's time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from hub.store.folder import StoreError
from hub.store.quarantine import is_damage
from hub.store.queries.budget import Budget, QueryBusy
from hub.store.schema import connect_reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_STEPS = 100_000
"""SQLite instructions between two looks at the clock, a few milliseconds."""


class Readers:
    """Read-only connections, one a thread, and as many queries at once.

    One that takes longer than `limit_s` is ended.

    `damaged` is called, on a thread of its own choice, when a query finds the file damaged.
    """

    def __init__(
        self,
        database: Path,
        *,
        threads: int = 2,
        waiting: int = 64,
        limit_s: float = 30.0,
        damaged: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._damaged = damaged
        self._limit_s = limit_s
        self._waiting = waiting
        self._under_way = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store-reader")
        self._own = threading.local()
        self._epoch = 0
        self._open: list[sqlite3.Connection] = []

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query in one snapshot of the file. Raises QueryRefused (busy, too slow) and StoreError."""
        return await self.bounded(lambda connection, _: query(connection))

    async def bounded(self, query: Callable[[sqlite3.Connection, Budget], T]) -> T:
        """Run a query that looks at its budget; it ends when its caller is cancelled. Raises as `run`."""
        if self._under_way >= self._waiting:
            raise QueryBusy("too many history queries at once; try again in a moment")
        self._under_way += 1
        budget = Budget(self._limit_s)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._query, query, budget)
        except asyncio.CancelledError:
            budget.cancel()
            raise
        finally:
            self._under_way -= 1

    def reopen(self) -> None:
        """Have each thread open the file anew with its next query, since another took its place."""
        self._epoch += 1

    async def close(self) -> None:
        """Let running queries end, and close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _query(self, query: Callable[[sqlite3.Connection, Budget], T], budget: Budget) -> T:
        try:
            connection = self._connection()
            connection.set_progress_handler(lambda: budget.over, _STEPS)
            budget.begin()
            connection.execute("BEGIN")
            try:
                return query(connection, budget)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise budget.too_slow() from error
            if is_damage(error):
                self._damaged()
            raise StoreError(f"{self._database}: cannot be read: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None or self._own.epoch != self._epoch:
            self._own.epoch = self._epoch
            connection = self._own.connection = connect_reader(self._database)
            self._open.append(connection)
        return connection
