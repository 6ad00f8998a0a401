"""History out of a damaged file that SQLite cannot open: its intact rows, put into a store of their own."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hub.store.folder import prepare
from hub.store.format import chunk, hotlog, tiers
from hub.store.format.pages import Pages, intact, is_chunk
from hub.store.schema import connect, migrate
from hub.store.transfer import import_backup
from hub.store.transfer.import_values import ImportFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.store.format.pages import Cell
    from hub.store.transfer.bulk import Bulk
    from hub.store.transfer.import_values import Skipped

_CHUNK = (
    "INSERT INTO chunk (id, n, data) VALUES (?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET n = excluded.n, data = excluded.data WHERE excluded.n > n"
)
_ROLL = "INSERT OR IGNORE INTO roll (id, data) VALUES (?, ?)"
_HOT = "INSERT OR IGNORE INTO hot (id, data) VALUES (?, ?)"
_SHAPE = "INSERT OR IGNORE INTO shape (id, device, metrics) VALUES (?, ?, ?)"
_SOURCE = "INSERT OR IGNORE INTO source (id, device, newest) VALUES (?, ?, ?)"
_DEVICE = "INSERT OR IGNORE INTO device (device, link, birth, last_seen) VALUES (?, ?, ?, ?)"
_PAGES_A_TIME = 4096


def name_of(file: Path) -> str:
    """Return a name for this import, the same when it goes on."""
    return "damaged " + blake2b(str(file.resolve()).encode(), digest_size=8).hexdigest()


def bring(file: Path, bulk: Bulk, progress: Callable[[int, int], None]) -> Skipped:
    """Import what is intact in a damaged file; of one time of a metric the first sample stands.

    Where names are lost, a device is `lost-1` and a metric `metric-1-0`, by their numbers in the file. Needs
    room beside it for what is found. Raises ImportFailed, StoreError.
    """
    try:
        room = TemporaryDirectory(prefix=".rescue-", dir=file.parent)
    except OSError as error:
        raise ImportFailed(f"{file.parent}: cannot be written: {error.strerror}") from error
    with room as folder:
        try:
            count = _fill(file, Path(folder), lambda done, total: progress(done, 2 * total))
        except (OSError, ValueError, sqlite3.Error) as error:
            raise ImportFailed(f"{file}: cannot be looked through: {error}") from error
        if not count:
            raise ImportFailed(f"{file}: there is no intact chunk of samples in it")
        return import_backup.bring(
            Path(folder), bulk, lambda done, total: progress(total + done, 2 * total), twins=False
        )


def _fill(file: Path, folder: Path, progress: Callable[[int, int], None]) -> int:
    """Put every row that is one into a new store; return how many chunks and hot rows there are."""
    database = prepare(folder)
    migrate(database)
    pages = Pages(file)
    try:
        with contextlib.closing(connect(database)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            for size in pages.sizes:
                connection.execute("BEGIN")
                for number, total, rows in pages.rows(size):
                    for rowid, cells in rows:
                        _take(connection, rowid, cells)
                    if number % _PAGES_A_TIME == 0:
                        connection.execute("COMMIT")
                        connection.execute("BEGIN")
                        progress(number, total)
                connection.execute("COMMIT")
            _name_the_nameless(connection)
            sql = "SELECT (SELECT count(*) FROM chunk) + (SELECT count(*) FROM hot)"
            (count,) = connection.execute(sql).fetchone()
            return int(count)
    finally:
        pages.close()


def _name_the_nameless(connection: sqlite3.Connection) -> None:
    """Give samples whose device or metrics are lost a name by their numbers, so that they are not."""
    metrics = {
        int(shape): str(device) for shape, device in connection.execute("SELECT id, device FROM shape")
    }
    owners: dict[int, str] = dict(connection.execute("SELECT id, device FROM source"))
    nameless: dict[int, tuple[int, int]] = {}
    for identity, data in connection.execute("SELECT id, data FROM chunk"):
        source = identity >> 8 & chunk.SOURCES - 1
        for shape, _, columns in chunk.outline(data):
            if shape in metrics:
                owners.setdefault(source, metrics[shape])
            else:
                nameless[shape] = source, len(columns)
    connection.execute("BEGIN")
    for shape, (source, count) in nameless.items():
        names = json.dumps([f"metric-{shape}-{place}" for place in range(count)])
        connection.execute(_SHAPE, (shape, owners.setdefault(source, f"lost-{source}"), names))
    connection.executemany(_SOURCE, [(source, device, 0) for source, device in owners.items()])
    connection.execute("COMMIT")


def _take(connection: sqlite3.Connection, rowid: int, cells: list[Cell]) -> None:
    """Put a row into the table that it is of by its form; none is none of ours."""
    match cells:
        case [None, int(n), bytes(data)] if is_chunk(cells):
            connection.execute(_CHUNK, (rowid, n, data))
        case [None, bytes(data)] if intact(data):
            if any(rowid >> 58 == tier.level for tier in tiers.TIERS):
                connection.execute(_ROLL, (rowid, data))
        case [None, bytes(data)] if _is_hot(data):
            connection.execute(_HOT, (rowid, data))
        case [None, str(device), str(names)] if _is_list(names):
            connection.execute(_SHAPE, (rowid, device, names))
        case [None, str(device), int(newest)]:
            connection.execute(_SOURCE, (rowid, device, newest))
        case [str(), str(), str(birth), int()] if birth.startswith("{"):
            connection.execute(_DEVICE, cells)
        case _:
            pass


def _is_hot(data: bytes) -> bool:
    try:
        hotlog.decode(data)
    except Exception:  # any bytes come here, and what cannot be decoded is none
        return False
    return True


def _is_list(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, list) and bool(found) and all(isinstance(name, str) for name in found)
