"""How samples lie in the file, as the writer sees it: readings to rows, and old rows out again."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import msgspec

from hub.model import Quality, Value
from hub.store.intake import boot_of, highest_seqs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from hub.model import Reading
    from hub.store.intake import Boot

MAX_TIME_MS = 2**53 - 1
"""The last millisecond that JSON's readers hold exactly (RFC 8259, section 6)."""
MAX_SEQ = 2**53 - 1
BOOTS_PER_DEVICE = 256
"""Boots whose last seq is kept; a board that comes with an older one would be stored twice."""

_TYPES = frozenset((int, float, bool, str, type(None)))
QUALITIES = tuple(Quality)
"""A quality's place is its number in the file."""
_VALUES = msgspec.json.Decoder(list[float | int | bool | str | None])
_SHAPES_IN_MEMORY = 10_000


class Written(msgspec.Struct):
    """What a batch came to: samples stored, readings that were there before, boots no longer kept."""

    samples: int = 0
    duplicates: int = 0
    boots_forgotten: list[Boot] = []


def encode(values: Iterable[Value]) -> str:
    """Return values as a JSON array; a number that is not finite becomes null, which is of bad quality."""
    return msgspec.json.encode([_storable(value) for value in values]).decode()


def decode(data: str) -> list[Value]:
    """Undo `encode`."""
    return _VALUES.decode(data)


def _storable(value: Value) -> Value:
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is str:
        return clean(value)
    if type(value) is int and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 2**1023 else None
    return value


def clean(text: str) -> str:
    """Text that has a UTF-8 form: a lone surrogate, which a device's JSON may carry, becomes `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def fault(reading: Reading) -> str | None:
    """Why a reading cannot be stored, or None."""
    if len(reading.metrics) != len(reading.values):
        return "metrics and values differ in number"
    if not (0 <= reading.source_time_ms <= MAX_TIME_MS and 0 <= reading.hub_time_ms <= MAX_TIME_MS):
        return "time out of range"
    if reading.seq is not None and not 0 <= reading.seq <= MAX_SEQ:
        return "seq out of range"
    if not all(type(value) in _TYPES for value in reading.values):
        return "a value is no number, boolean or text"
    return None


class SampleTable:
    """The writer's side of the table `reading`. Every method runs inside the caller's transaction."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, tuple[str, ...]], int] = {}
        self._boots: set[Boot] = set()

    def reset(self) -> None:
        """Trust nothing that was learnt in a transaction which was rolled back."""
        self._shapes.clear()
        self._boots.clear()

    def append(self, connection: sqlite3.Connection, readings: Iterable[Reading]) -> Written:
        """Store readings, and how far their boots have come, together."""
        written = Written()
        times: dict[Boot, int] = {}
        for reading in readings:
            boot = boot_of(reading)
            if boot is None:
                metrics, values = self._news(connection, reading)
                written.duplicates += not metrics
            else:
                metrics, values = reading.metrics, reading.values
                times[boot] = reading.hub_time_ms
            if metrics:
                self._insert(connection, reading, metrics, values)
            written.samples += len(metrics)
        for boot, seq in highest_seqs(readings).items():
            written.boots_forgotten += self._advance(connection, boot, seq, times[boot])
        return written

    def _insert(
        self,
        connection: sqlite3.Connection,
        reading: Reading,
        metrics: tuple[str, ...],
        values: tuple[Value, ...],
    ) -> None:
        connection.execute(
            "INSERT INTO reading (shape, time, delay, quality, data) VALUES (?, ?, ?, ?, ?)",
            (
                self._shape_id(connection, reading.device, metrics),
                reading.source_time_ms,
                reading.hub_time_ms - reading.source_time_ms,
                QUALITIES.index(reading.quality),
                encode(values),
            ),
        )

    def _news(
        self, connection: sqlite3.Connection, reading: Reading
    ) -> tuple[tuple[str, ...], tuple[Value, ...]]:
        """Return the samples whose identity (device, metric, source time) is not in the file yet."""
        pairs = dict(zip(reversed(reading.metrics), reversed(reading.values), strict=True))
        there = connection.execute(
            "SELECT metrics FROM shape WHERE device = ?"
            " AND EXISTS (SELECT 1 FROM reading WHERE shape = shape.id AND time = ?)",
            (clean(reading.device), reading.source_time_ms),
        )
        known = {name for (names,) in there for name in json.loads(names)}
        if not known and len(pairs) == len(reading.metrics):
            return reading.metrics, reading.values
        fresh = [name for name in dict.fromkeys(reading.metrics) if clean(name) not in known]
        return tuple(fresh), tuple(pairs[name] for name in fresh)

    def _shape_id(self, connection: sqlite3.Connection, device: str, metrics: tuple[str, ...]) -> int:
        known = self._shapes.get((device, metrics))
        if known is None:
            if len(self._shapes) >= _SHAPES_IN_MEMORY:
                self._shapes.clear()
            shape = clean(device), msgspec.json.encode([clean(name) for name in metrics]).decode()
            row = connection.execute(
                "SELECT id FROM shape WHERE device = ? AND metrics = ?", shape
            ).fetchone()
            if row is None:
                row = connection.execute(
                    "INSERT INTO shape (device, metrics) VALUES (?, ?) RETURNING id", shape
                ).fetchone()
            known = self._shapes[device, metrics] = int(row[0])
        return known

    def _advance(self, connection: sqlite3.Connection, boot: Boot, seq: int, time: int) -> list[Boot]:
        connection.execute(
            "INSERT INTO boot (device, boot_id, seq, time) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET seq = excluded.seq, time = excluded.time",
            (*map(clean, boot), seq, time),
        )
        if boot in self._boots:
            return []
        self._boots.add(boot)
        old = connection.execute(
            "DELETE FROM boot WHERE (device, boot_id) IN (SELECT device, boot_id FROM boot WHERE device = ?"
            " AND boot_id != ? ORDER BY time DESC, rowid DESC LIMIT -1 OFFSET ?) RETURNING device, boot_id",
            (*map(clean, boot), BOOTS_PER_DEVICE - 1),
        ).fetchall()
        self._boots.difference_update(old)
        return old


def committed_seqs(connection: sqlite3.Connection) -> dict[Boot, int]:
    """How far each boot has come, as the file says."""
    rows = connection.execute("SELECT device, boot_id, seq FROM boot")
    return {(device, boot_id): seq for device, boot_id, seq in rows}


def expire(
    connection: sqlite3.Connection, before_ms: int, after_shape: int, limit: int
) -> tuple[int, int | None]:
    """Delete up to `limit` readings older than `before_ms`, of the first shape after `after_shape` by id.

    Returns (rows deleted, where to go on; None when every shape was seen). One step, so that the writer
    can commit what waits between two.
    """
    row = connection.execute("SELECT min(id) FROM shape WHERE id > ?", (after_shape,)).fetchone()
    if row[0] is None:
        return 0, None
    shape = int(row[0])
    deleted = connection.execute(
        "DELETE FROM reading WHERE id IN (SELECT id FROM reading WHERE shape = ? AND time < ? LIMIT ?)",
        (shape, before_ms, limit),
    ).rowcount
    return deleted, shape if deleted < limit else after_shape
