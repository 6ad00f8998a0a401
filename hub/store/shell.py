"""The file for people with SQL: read-only, with a view `samples` that opens the chunks and the hot log."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from typing import TYPE_CHECKING

import msgspec

from hub.model import Quality
from hub.store import chunk, hotlog
from hub.store.folder import StoreError
from hub.store.schema import connect_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hub.model import Value

log = logging.getLogger(__name__)

_VIEW = """
CREATE TEMP VIEW samples AS
WITH part(rows) AS (
  SELECT outpost_chunk(data) FROM chunk UNION ALL SELECT outpost_hot(data) FROM hot
)
SELECT shape.device AS device, shape.metrics ->> (r.value ->> 1) AS metric, r.value ->> 2 AS time,
  datetime((r.value ->> 2) / 1000, 'unixepoch') AS utc, r.value ->> 3 AS value, r.value ->> 4 AS quality
FROM part, json_each(part.rows) AS r JOIN shape ON shape.id = (r.value ->> 0)
"""


def connect_shell(database: Path) -> sqlite3.Connection:
    """Open the file read-only with the view `samples`: device, metric, time (UTC ms), utc, value, quality.

    In any other SQLite shell the functions `outpost_chunk` and `outpost_hot` are missing, which turn a blob
    of `chunk` or `hot` to a JSON array of [shape, place, time, value, quality]. Raises sqlite3.Error.
    """
    connection = connect_reader(database)
    connection.create_function("outpost_chunk", 1, _chunk_rows, deterministic=True)
    connection.create_function("outpost_hot", 1, _hot_rows, deterministic=True)
    connection.execute("PRAGMA query_only = OFF")
    connection.execute(_VIEW)
    connection.execute("PRAGMA query_only = ON")
    return connection


def ask(connection: sqlite3.Connection, statement: str) -> Iterator[tuple[object, ...]]:
    """Yield the columns' names and then the rows; nothing for what has no rows. Raises StoreError."""
    try:
        cursor = connection.execute(statement)
        if cursor.description is not None:
            yield tuple(column[0] for column in cursor.description)
            yield from cursor
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise StoreError(f"SQL: {error}") from error


def complete(text: str) -> bool:
    """Tell that a text ends with a whole statement."""
    return sqlite3.complete_statement(text)


def _chunk_rows(data: bytes) -> str:
    try:
        groups = chunk.decode(data)
    except chunk.ChunkDamaged as error:
        log.warning("%s", error)
        return "[]"
    return _text(
        row
        for group in groups
        for row in _rows(
            group.shape,
            group.times.tolist(),
            [] if group.qualities is None else group.qualities.tolist(),
            group.columns,
        )
    )


def _hot_rows(data: bytes) -> str:
    try:
        hot = hotlog.decode(data)
    except (ValueError, zlib.error) as error:
        log.warning("a commit of the hot log cannot be read: %s", error)
        return "[]"
    return _text(
        row for block in hot.blocks for row in _rows(block.shape, block.times, block.qualities, block.columns)
    )


def _rows(
    shape: int, times: list[int], qualities: list[int], columns: list[list[Value]]
) -> Iterable[tuple[int, int, int, Value, Quality]]:
    for place, column in enumerate(columns):
        for row, value in enumerate(column):
            good = hotlog.QUALITIES[qualities[row]] if qualities else Quality.GOOD
            yield shape, place, times[row], value, Quality.BAD if value is None else good


def _text(rows: Iterable[tuple[int, int, int, Value, Quality]]) -> str:
    return msgspec.json.encode(list(rows)).decode()
