"""The first format's samples, a row a reading, carried over into chunks."""

from __future__ import annotations

import heapq
import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from hub.store.format.chunk import WINDOW_MS
from hub.store.format.names import shapes_of_device
from hub.store.writing import seal
from hub.store.writing.recent import Rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from hub.store.format.names import Shape


def carry_over(connection: sqlite3.Connection) -> None:
    """Turn every reading into chunks and drop the table, in the caller's transaction; a window in memory.

    Before the first start of a new file there is nothing to do.
    """
    connection.execute("DROP VIEW IF EXISTS samples")
    for (device,) in connection.execute("SELECT DISTINCT device FROM shape ORDER BY device").fetchall():
        connection.execute("INSERT INTO source (device, newest) VALUES (?, -1)", (device,))
        (source,) = connection.execute("SELECT id FROM source WHERE device = ?", (device,)).fetchone()
        _carry_device(connection, int(source), device)
    connection.execute("DROP TABLE reading")


def _carry_device(connection: sqlite3.Connection, source: int, device: str) -> None:
    shapes = shapes_of_device(connection, device)
    rows = heapq.merge(
        *(_rows(connection, place, shape) for place, shape in enumerate(shapes)), key=itemgetter(0, 2)
    )
    newest = -1
    for window, of_window in groupby(rows, key=lambda row: row[0] // WINDOW_MS):
        found: dict[int, Rows] = {}
        for time, place, _, delay, quality, data in of_window:
            shape = shapes[place]
            into = found.setdefault(shape.id, Rows(shape))
            into.extend([time], [delay], [quality], [[value] for value in json.loads(data)])
            newest = max(newest, time)
        seal.add(connection, window, source, seal.groups_of(found.values()))
        for one in found.values():
            seal.note_last(connection, source, one)
    connection.execute("UPDATE source SET newest = ? WHERE id = ?", (newest, source))


def _rows(
    connection: sqlite3.Connection, place: int, shape: Shape
) -> Iterator[tuple[int, int, int, int, int, str]]:
    for time, identity, delay, quality, data in connection.execute(
        "SELECT time, id, delay, quality, data FROM reading WHERE shape = ? ORDER BY time, id", (shape.id,)
    ):
        yield time, place, identity, delay, quality, data
