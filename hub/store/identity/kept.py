"""A connection that stays open for what every request asks: opening the file takes longer than asking."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from hub.store.folder import StoreError
from hub.store.schema import connect_reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Kept:
    """A read-only connection to the file that stands there now. One thread's.

    A damaged file is moved aside and another takes its place; then that is opened.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for one question. Raises StoreError."""
        try:
            yield self._current()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreError(f"{self._database}: accounts cannot be read now: {error}") from error

    def close(self) -> None:
        """Close the connection; the next question opens one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _current(self) -> sqlite3.Connection:
        found = self._database.stat()
        file = found.st_dev, found.st_ino
        if self._connection is None or file != self._file:
            self.close()
            self._connection = connect_reader(self._database)
            self._file = file
        return self._connection
