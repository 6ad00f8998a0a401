"""The whole store at once: backup, export and erasing, beside the hub or without one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from hub.store.folder import DATABASE, Folder, StoreError, check_used, prepare
from hub.store.format import chunk
from hub.store.format.names import every_metric, shapes_of_device
from hub.store.queries import history
from hub.store.queries.series import Series
from hub.store.schema import check_format, connect, connect_reader, is_at_rest, migrate
from hub.store.writing import seal
from hub.store.writing.recent import Recent
from hub.store.writing.samples import MAX_TIME_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub.store.queries.history import Row

_PAGES = 4096


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which samples: of these devices and metrics (none named: all), `from_ms <= time < to_ms`."""

    devices: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    from_ms: int = 0
    to_ms: int = MAX_TIME_MS


class Stock(msgspec.Struct, frozen=True):
    """What a store holds of a device."""

    device: str
    samples: int
    chunk_bytes: int


def existing(folder: Path) -> Path:
    """Return a data folder's database, brought to this version's tables. Raises StoreError.

    On a medium that is mounted read-only it is returned as it is, for readers.
    """
    check_used(folder)
    if is_at_rest(folder / DATABASE):
        check_format(folder / DATABASE)
        return folder / DATABASE
    database = prepare(folder)
    migrate(database)
    return database


def backup(folder: Path, target: Path, progress: Callable[[int, int], None]) -> Path:
    """Copy a store, while its hub runs too, into a new folder that a hub can run on; return the copy.

    The copy is the store at one moment: one read transaction lasts for all of it, which also keeps SQLite
    from starting anew at each commit. `progress` is told pages done and pages in all. Raises StoreError.
    """
    source = existing(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StoreError(f"{target}: is there already; name a new folder for the backup")
    fresh = not target.exists()
    copy = prepare(target)
    try:
        with (
            contextlib.closing(connect_reader(source)) as reading,
            contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as writing,
        ):
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM state").fetchone()
            reading.backup(
                writing,
                pages=_PAGES,
                progress=lambda _, left, total: progress(total - left, total),
                sleep=0,
            )
            found = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        _take_back(copy, folder_too=fresh)
        raise StoreError(f"{target}: the backup cannot be written: {error}") from error
    if found != "ok":
        raise StoreError(f"{target}: the copy is damaged: {found}")
    _to_medium(copy)
    return copy


def _take_back(copy: Path, *, folder_too: bool) -> None:
    """Remove a copy that came to nothing, so that the next try may have its name."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    if folder_too:
        copy.parent.rmdir()


def _to_medium(file: Path) -> None:
    for path in (file, file.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def samples(folder: Path, wanted: Wanted) -> Iterator[tuple[str, str, list[Row]]]:
    """Yield device, metric and samples, by device, metric and time, as of one moment. Raises StoreError."""
    with contextlib.closing(connect_reader(existing(folder))) as connection:
        connection.execute("BEGIN")
        recent = Recent.load(connection)
        for (device,) in connection.execute("SELECT device FROM source ORDER BY device").fetchall():
            if wanted.devices and device not in wanted.devices:
                continue
            names = {name for shape in shapes_of_device(connection, device) for name in shape.metrics}
            for metric in sorted(names):
                if wanted.metrics and metric not in wanted.metrics:
                    continue
                held = recent.held(device, metric, (), surely=True)
                series = Series(connection, device, metric, held)
                for _, pieces in series.pieces(wanted.from_ms, wanted.to_ms):
                    yield device, metric, history.rows_of(pieces)


def stock(folder: Path) -> list[Stock]:
    """Return what the store holds by device, the hot log left out. Raises StoreError."""
    with contextlib.closing(connect_reader(existing(folder))) as connection:
        rows = connection.execute(
            "SELECT device, coalesce(sum(n), 0), coalesce(sum(length(data)), 0) FROM source"
            " LEFT JOIN chunk ON chunk.id >> 8 & ? = source.id GROUP BY source.id ORDER BY device",
            (chunk.SOURCES - 1,),
        )
        return [Stock(*row) for row in rows]


def metrics(folder: Path) -> set[tuple[str, str]]:
    """Return the devices and metrics of which there may be samples. Raises StoreError."""
    with contextlib.closing(connect_reader(existing(folder))) as connection:
        return set(every_metric(connection, None))


def check_idle(folder: Path) -> None:
    """Raise StoreError where a hub runs on the folder, before somebody is asked or waits in vain."""
    existing(folder)
    Folder(folder).release()


def erase(folder: Path, devices: tuple[str, ...]) -> None:
    """Erase the history of devices (none named: of all), for good; tokens and users stay.

    The hub must not run. What is erased is gone from the file too. Raises StoreError.
    """
    existing(folder)
    held = Folder(folder)
    try:
        with contextlib.closing(connect(held.database)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            # The hot log mixes devices in a row; sealed they are apart.
            seal.seal(connection, Recent.load(connection))
            for source, device in connection.execute("SELECT id, device FROM source").fetchall():
                if not devices or device in devices:
                    _erase_source(connection, source, device)
            for device in devices or [row[0] for row in connection.execute("SELECT device FROM device")]:
                connection.execute("DELETE FROM device WHERE device = ?", (device,))
                connection.execute("DELETE FROM command WHERE device = ?", (device,))
            # What an import had stored is gone, so one that did not end begins anew.
            connection.execute("DELETE FROM state WHERE key LIKE 'import %'")
            connection.execute("COMMIT")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise StoreError(f"{held.database}: cannot be erased: {error}") from error
    finally:
        held.release()


def _erase_source(connection: sqlite3.Connection, source: int, device: str) -> None:
    mask = chunk.SOURCES - 1
    connection.execute("DELETE FROM chunk WHERE id >> 8 & ? = ?", (mask, source))
    for table in ("roll", "pending"):
        connection.execute(f"DELETE FROM {table} WHERE id & ? = ?", (mask, source))  # noqa: S608 - names from this line
    for table in ("last", "size"):
        connection.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608 - see above
    connection.execute("DELETE FROM shape WHERE device = ?", (device,))
    connection.execute("DELETE FROM source WHERE id = ?", (source,))
