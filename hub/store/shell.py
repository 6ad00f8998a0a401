"""The file for people with SQL: read-only, with a view `samples` that opens the chunks and the hot log."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from typing import TYPE_CHECKING

import msgspec

from hub.iso_time import iso_ms
from hub.model import Quality
from hub.store.folder import StoreError
from hub.store.format import chunk, hotlog
from hub.store.format.packing import listed
from hub.store.schema import connect_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from hub.model import Value

log = logging.getLogger(__name__)

_VIEW = """
CREATE TEMP VIEW samples AS
WITH part(chunk, rows) AS (
  SELECT id, outpost_chunk(data) FROM chunk UNION ALL SELECT chunk_at('9999'), outpost_hot(data) FROM hot
)
SELECT shape.device AS device, shape.metrics ->> (r.value ->> 1) AS metric, r.value ->> 2 AS time,
  datetime((r.value ->> 2) / 1000, 'unixepoch') AS utc, r.value ->> 3 AS value, r.value ->> 4 AS quality,
  part.chunk AS chunk
FROM part, json_each(part.rows) AS r JOIN shape ON shape.id = (r.value ->> 0)
"""


def connect_shell(database: Path) -> sqlite3.Connection:
    """Open the file read-only with the view `samples`. Raises sqlite3.Error."""
    connection = connect_reader(database)
    connection.execute("PRAGMA query_only = OFF")
    add_view(connection)
    connection.execute("PRAGMA query_only = ON")
    return connection


def add_view(connection: sqlite3.Connection) -> None:
    """Add the view `samples`: device, metric, time (UTC ms), utc, value, quality, chunk.

    And the functions that it needs: `outpost_chunk` and `outpost_hot` turn a blob of `chunk` or `hot` to a
    JSON array of [shape, place, time, value, quality]; `chunk_at` and `chunk_until` a time to the keys from
    which on and up to which chunks may have it. The hot log stands behind all chunks, at `chunk_at('9999')`.
    Raises sqlite3.Error.
    """
    connection.create_function("outpost_chunk", 1, _chunk_rows, deterministic=True)
    connection.create_function("outpost_hot", 1, _hot_rows, deterministic=True)
    connection.create_function("chunk_at", 1, _chunk_at, deterministic=True)
    connection.create_function("chunk_until", 1, _chunk_until, deterministic=True)
    connection.execute(_VIEW)


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


def _chunk_at(time: object) -> int | None:
    """Return the least key of the chunks of a time (UTC ms, or ISO 8601 in UTC); None for what is no time."""
    window = _window(time)
    return None if window is None else chunk.chunk_id(window, 0)


def _chunk_until(time: object) -> int | None:
    """Return the highest key of the chunks of a time, which is its day's; None for what is no time."""
    window = _window(time)
    return None if window is None else chunk.day_id(window, chunk.SOURCES - 1)


def _window(time: object) -> int | None:
    try:
        if isinstance(time, str):
            time_ms = iso_ms(f"{time}-01-01" if len(time) == len("9999") else time)
        else:
            time_ms = int(time)  # type: ignore[call-overload] # what is none raises
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0, min(time_ms, 2**53)) // chunk.WINDOW_MS


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
            map(listed, group.columns),
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
    shape: int, times: list[int], qualities: list[int], columns: Iterable[Sequence[Value]]
) -> Iterable[tuple[int, int, int, Value, Quality]]:
    for place, column in enumerate(columns):
        for row, value in enumerate(column):
            good = hotlog.QUALITIES[qualities[row]] if qualities else Quality.GOOD
            yield shape, place, times[row], value, Quality.BAD if value is None else good


def _text(rows: Iterable[tuple[int, int, int, Value, Quality]]) -> str:
    return msgspec.json.encode(list(rows)).decode()
