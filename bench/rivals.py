"""SQLite by the book on the same workload and disk."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

import sqlite_utils

from bench.workload import METRICS, readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.disk import Disk

Row = tuple[str, str, int, object]


def rowid_table(
    disk: Disk, seconds: int, start_ms: int, every_s: int
) -> tuple[float, float, float, sqlite3.Connection]:
    """Write into a table with an index; return device bytes, file bytes, CPU µs a sample, and the file."""
    file = disk.folder_for(f"rowid-{every_s}") / "rows.db"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE sample (device TEXT, metric TEXT, time INTEGER, value);"
        "CREATE INDEX by_metric ON sample (device, metric, time)"
    )

    def write(rows: list[Row]) -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO sample VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

    figures = _fed(disk, file, write, seconds, start_ms, every_s)
    return *figures, connection


def sqlite_utils_table(disk: Disk, seconds: int, start_ms: int, every_s: int) -> tuple[float, float, float]:
    """Write by `insert_all` with a key; return device bytes, file bytes and CPU µs a sample."""
    file = disk.folder_for(f"utils-{every_s}") / "rows.db"
    db = sqlite_utils.Database(str(file))
    table = db.table("sample")

    def write(rows: list[Row]) -> None:
        table.insert_all(
            (dict(zip(("device", "metric", "time", "value"), row, strict=True)) for row in rows),
            pk=("device", "metric", "time"),
        )

    with contextlib.closing(db):
        return _fed(disk, file, write, seconds, start_ms, every_s)


def _fed(
    disk: Disk, file: Path, write: Callable[[list[Row]], None], seconds: int, start_ms: int, every_s: int
) -> tuple[float, float, float]:
    before = disk.written()
    busy_s = 0.0
    count = 0
    for rows in _batches(seconds, start_ms, every_s):
        count += len(rows)
        began = time.process_time()
        write(rows)
        busy_s += time.process_time() - began
    return (disk.written() - before) / count, file.stat().st_size / count, busy_s / count * 1e6


def _batches(seconds: int, start_ms: int, every_s: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for second, of_second in enumerate(readings(seconds, start_ms), 1):
        for reading in of_second:
            batch += [
                (reading.device, metric, reading.source_time_ms, value)
                for metric, value in zip(METRICS, reading.values, strict=True)
            ]
        if second % every_s == 0:
            yield batch
            batch = []
