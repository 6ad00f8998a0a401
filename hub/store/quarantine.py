"""A damaged file is set aside, a new one takes its place, and what is intact is carried over."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.store import sizes
from hub.store.folder import prepare
from hub.store.format import chunk, hotlog, tiers
from hub.store.format.hotlog import Block, BootSeq, Hot
from hub.store.format.pages import holds_samples
from hub.store.schema import APPLICATION_ID, connect_reader, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hub.store.writing.intake import Boot
    from hub.store.writing.recent import Recent

log = logging.getLogger(__name__)

_DAMAGE = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_BULK = frozenset(("chunk", "roll", sizes.TABLE))
"""Tables that are carried over later, beside the commits, or follow from those."""
_KEY = "salvage "
_END = 1 << 62
_APPLICATION_AT = 68


def is_damage(error: BaseException) -> bool:
    """Tell that an error says that the file itself is damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def is_ours(database: Path) -> bool:
    """Tell that a file is a store, whatever state it is in: by its header, else by a chunk in it."""
    with database.open("rb") as file:
        head = file.read(100)
    told = head[_APPLICATION_AT : _APPLICATION_AT + 4] == APPLICATION_ID.to_bytes(4, "big")
    return told or holds_samples(database)


def set_aside(database: Path, now_ms: int) -> Path:
    """Rename a damaged file with its WAL, and put an empty store in its place. Raises OSError, StoreError."""
    aside = database.with_name(f"{database.name}.damaged-{now_ms}")
    # The WAL goes by its database's name; the index (-shm) is made anew from it.
    for suffix in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{database}{suffix}").rename(f"{aside}{suffix}")
    Path(f"{database}-shm").unlink(missing_ok=True)
    log.error(
        "%s is damaged; it is kept as %s, and what is intact in it is carried over", database, aside.name
    )
    migrate(prepare(database.parent))
    return aside


def carry_small(
    aside: Path, connection: sqlite3.Connection, recent: Recent | None, boots: Mapping[Boot, int]
) -> None:
    """Carry over all but chunks and rollups, in the caller's transaction; note that those are to come.

    `recent` is what memory has of the hot log; without it the file's is taken.
    """
    skipped = _BULK if recent is None else _BULK | {"hot"}
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in names:
        if table not in skipped and not table.startswith("sqlite_"):
            _carry_table(aside, connection, table)
    if recent is not None:
        connection.execute("UPDATE state SET value = ? WHERE key = 'generation'", (recent.generation,))
        connection.execute("INSERT INTO hot (data) VALUES (?)", (hotlog.encode(_hot(recent)),))
    connection.executemany(
        "INSERT INTO boot (device, boot_id, seq, time) VALUES (?, ?, ?, 0)"
        " ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)",
        [(hotlog.clean(device), hotlog.clean(boot), seq) for (device, boot), seq in boots.items()],
    )
    connection.execute("INSERT INTO state (key, value) VALUES (?, 0)", (_KEY + aside.name,))


def _hot(recent: Recent) -> Hot:
    blocks = [
        Block(
            rows.shape.id,
            list(rows.times),
            list(rows.delays),
            list(rows.qualities),
            [list(column) for column in rows.columns],
        )
        for rows in recent.rows.values()
    ]
    boots: list[BootSeq] = list(recent.boots.values())
    return Hot(blocks, boots)


def _carry_table(aside: Path, connection: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    listed = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    count = 0
    try:
        with contextlib.closing(connect_reader(aside)) as damaged:
            for row in damaged.execute(f"SELECT {listed} FROM {table}"):  # noqa: S608 - names of our own schema
                connection.execute(f"INSERT OR REPLACE INTO {table} ({listed}) VALUES ({marks})", row)  # noqa: S608 - see above
                count += 1
    except sqlite3.DatabaseError as error:
        log.error("%s: of the table %s %d rows are carried over, then: %s", aside.name, table, count, error)


class Salvage:
    """The chunks and rollups of files that were set aside, carried over a few at a time."""

    def __init__(self, database: Path) -> None:
        self._folder = database.parent
        self._rows: Iterator[tuple[str, int, tuple[object, ...]]] | None = None
        self._name = ""
        self._counts = [0, 0]
        self._unread = False
        """SQLite came upon pages that it could not read; what they lead to is not carried over."""

    def step(self, connection: sqlite3.Connection, limit: int) -> bool:
        """Carry over up to `limit` rows in the caller's transaction; False when there is nothing to do."""
        if self._rows is None:
            found = connection.execute(
                "SELECT key FROM state WHERE key LIKE ? ORDER BY key LIMIT 1", (f"{_KEY}%",)
            ).fetchone()
            if found is None:
                return False
            self._name = found[0].removeprefix(_KEY)
            self._counts, self._unread = [0, 0], False
            self._rows = self._intact(self._folder / self._name)
        for _ in range(limit):
            row = next(self._rows, None)
            if row is None:
                self._finish(connection)
                return True
            self._carry(connection, *row)
        return True

    def reset(self) -> None:
        """Begin the file under way again, since a transaction was rolled back. What is there is kept."""
        self._rows = None

    def _carry(self, connection: sqlite3.Connection, table: str, key: int, row: tuple[object, ...]) -> None:
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608 - one of two names
        if table == "chunk":
            self._counts[0] += 1
            for window in chunk.windows_of(key):
                tiers.mark(connection, window, key >> 8 & chunk.SOURCES - 1)

    def _finish(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM state WHERE key = ?", (_KEY + self._name,))
        what_now = "the file can be deleted"
        if self._unread:
            what_now = (
                "pages that lead to others cannot be read, so there may be more: keep the file, and with the"
                f" hub stopped let `outpost import {self._folder / self._name}` look through it page by page"
            )
        log.warning(
            "%s: %d intact chunks are carried over, %d were damaged; %s", self._name, *self._counts, what_now
        )
        self._rows = None

    def _intact(self, aside: Path) -> Iterator[tuple[str, int, tuple[object, ...]]]:
        try:
            with contextlib.closing(connect_reader(aside)) as damaged:
                # Rollups before chunks, which then mark what is to be made again.
                yield from self._walk(damaged, "roll", "id, data")
                yield from self._walk(damaged, "chunk", "id, n, data")
        except sqlite3.DatabaseError as error:
            self._unread = True
            log.error("%s: nothing more can be read: %s", aside.name, error)

    def _walk(
        self, damaged: sqlite3.Connection, table: str, columns: str
    ) -> Iterator[tuple[str, int, tuple[object, ...]]]:
        """Yield the intact rows by key; past damaged pages go on with the next key that can be read."""

        def after(key: int) -> tuple[Any, ...] | None:
            sql = f"SELECT {columns} FROM {table} WHERE id > ? ORDER BY id LIMIT 1"  # noqa: S608 - names of our own schema
            row: tuple[Any, ...] | None = damaged.execute(sql, (key,)).fetchone()
            return row

        key: int | None = -1
        while key is not None:
            try:
                row = after(key)
            except sqlite3.DatabaseError:
                self._unread = True
                key = _past(after, key)
                continue
            if row is None:
                return
            key = row[0]
            try:
                chunk.check(row[-1])
            except chunk.ChunkDamaged:
                self._counts[1] += 1
                continue
            yield table, row[0], row


def _past(after: Callable[[int], object], key: int) -> int | None:
    """Return the least key, as far as bisection tells, past which rows can be read again; None at the end."""

    def readable(place: int) -> bool:
        try:
            after(place)
        except sqlite3.DatabaseError:
            return False
        return True

    low, reach = key, 1 << 20
    while not readable(key + reach):
        low, reach = key + reach, 2 * reach
        if low > _END:
            return None
    high = key + reach
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if readable(middle) else (middle, high)
    return high
