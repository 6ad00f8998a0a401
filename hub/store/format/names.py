"""Numbers for names: a device is a source, a device with the metrics of one kind of reading a shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from hub.store.format.hotlog import clean

if TYPE_CHECKING:
    import sqlite3

_IN_MEMORY = 10_000


class Shape(msgspec.Struct, frozen=True):
    """What a reading's values are of. `places` has the first place of a name that is there twice."""

    id: int
    device: str
    metrics: tuple[str, ...]
    places: dict[str, int]
    names: frozenset[str]


def shape_of(identity: int, device: str, metrics: tuple[str, ...]) -> Shape:
    """Return a shape."""
    places: dict[str, int] = {}
    for place, name in enumerate(metrics):
        places.setdefault(name, place)
    return Shape(identity, device, metrics, places, frozenset(places))


def shape_of_id(connection: sqlite3.Connection, identity: int) -> Shape:
    """Look a shape up. Raises ValueError where it is missing."""
    row = connection.execute("SELECT device, metrics FROM shape WHERE id = ?", (identity,)).fetchone()
    if row is None:
        raise ValueError(f"shape {identity} is missing")
    return shape_of(identity, row[0], tuple(json.loads(row[1])))


def shapes_of_device(connection: sqlite3.Connection, device: str) -> list[Shape]:
    """Return all shapes of a device."""
    rows = connection.execute("SELECT id, metrics FROM shape WHERE device = ?", (device,))
    return [shape_of(identity, device, tuple(json.loads(metrics))) for identity, metrics in rows]


def every_metric(connection: sqlite3.Connection, device: str | None) -> list[tuple[str, str]]:
    """Return (device, metric) of all that is stored, of one device or of all, in order."""
    rows = connection.execute(
        "SELECT DISTINCT device, value FROM shape, json_each(shape.metrics)"
        " WHERE ?1 IS NULL OR device = ?1 ORDER BY device, value",
        (device,),
    )
    return [(device, metric) for device, metric in rows]


def source_of(connection: sqlite3.Connection, device: str) -> int | None:
    """Return a device's number; None where nothing of it is stored."""
    row = connection.execute("SELECT id FROM source WHERE device = ?", (device,)).fetchone()
    return None if row is None else int(row[0])


class Names:
    """The writer's view: numbers are given as names come up, in the caller's transaction."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, tuple[str, ...]], Shape] = {}

    def reset(self) -> None:
        """Trust nothing that was learnt in a transaction which was rolled back."""
        self._shapes.clear()

    def shape(self, connection: sqlite3.Connection, device: str, metrics: tuple[str, ...]) -> Shape:
        """Return the shape of those names, made where it is new."""
        known = self._shapes.get((device, metrics))
        if known is not None:
            return known
        if len(self._shapes) >= _IN_MEMORY:
            self._shapes.clear()
        owner, names = clean(device), tuple(clean(name) for name in metrics)
        text = msgspec.json.encode(names).decode()
        row = connection.execute(
            "SELECT id FROM shape WHERE device = ? AND metrics = ?", (owner, text)
        ).fetchone()
        if row is None:
            row = connection.execute(
                "INSERT INTO shape (device, metrics) VALUES (?, ?) RETURNING id", (owner, text)
            ).fetchone()
            connection.execute("INSERT OR IGNORE INTO source (device, newest) VALUES (?, -1)", (owner,))
        shape = self._shapes[device, metrics] = shape_of(int(row[0]), owner, names)
        return shape
