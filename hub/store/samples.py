"""How samples lie in the file, as the writer sees it: readings to rows, and old rows out again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from hub.model import Kind, Quality, Value
from hub.store.intake import boot_of, highest_seqs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from hub.model import Reading
    from hub.store.intake import Boot

Stored: TypeAlias = int | float | str | None

MAX_TIME_MS = 2**53 - 1
"""The last millisecond that JSON's readers hold exactly (RFC 8259, section 6)."""
MAX_SEQ = 2**53 - 1
BOOTS_PER_DEVICE = 256
"""Boots whose last seq is kept; a board that comes with an older one would be stored twice."""

_TYPES = frozenset((int, float, bool, str, type(None)))
_QUALITIES = tuple(Quality)
_QUALITY_BITS = 0b011
_BOOLEAN = 0b100


class Written(msgspec.Struct):
    """What a batch came to: samples stored, readings that were there before, boots no longer kept."""

    samples: int = 0
    duplicates: int = 0
    boots_forgotten: list[Boot] = []


def encode(value: Value, quality: Quality) -> tuple[Stored, int]:
    """Return a value as SQLite can keep it, and its flags; what it cannot becomes None of bad quality."""
    if isinstance(value, bool):
        return int(value), _QUALITIES.index(quality) | _BOOLEAN
    stored: Stored = value
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        stored = float(value) if abs(value) < 2**1023 else None
    elif isinstance(value, float) and not math.isfinite(value):
        stored = None
    elif isinstance(value, str):
        stored = clean(value)
    if stored is None:
        quality = Quality.BAD
    return stored, _QUALITIES.index(quality)


def decode(stored: Stored, flags: int) -> tuple[Value, Quality]:
    """Undo `encode`."""
    quality = _QUALITIES[min(flags & _QUALITY_BITS, len(_QUALITIES) - 1)]
    return (bool(stored) if flags & _BOOLEAN else stored), quality


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
    """The writer's side of the table `sample`. Every method runs inside the caller's transaction."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], int] = {}
        self._boots: set[Boot] = set()

    def reset(self) -> None:
        """Trust nothing that was learnt in a transaction which was rolled back."""
        self._series.clear()
        self._boots.clear()

    def append(self, connection: sqlite3.Connection, readings: Iterable[Reading]) -> Written:
        """Store readings, and how far their boots have come, together."""
        written = Written()
        for reading in readings:
            stored = self._append_one(connection, reading)
            written.samples += stored
            written.duplicates += stored == 0 and len(reading.values) > 0
        times = {boot: reading.hub_time_ms for reading in readings if (boot := boot_of(reading))}
        for boot, seq in highest_seqs(readings).items():
            written.boots_forgotten += self._advance(connection, boot, seq, times[boot])
        return written

    def _append_one(self, connection: sqlite3.Connection, reading: Reading) -> int:
        time = reading.source_time_ms
        delay = reading.hub_time_ms - time
        rows: list[tuple[int, int, int, int, Stored]] = []
        for metric, value in zip(reading.metrics, reading.values, strict=True):
            stored, flags = encode(value, reading.quality)
            series = self._series_id(connection, reading.device, metric, value)
            rows.append((series, time, delay, flags, stored))
        if boot_of(reading) is None:
            # The identity is (device, metric, source time): what is there already came again.
            first = {row[0]: row for row in reversed(rows)}
            rows = [row for series, row in first.items() if not _exists(connection, series, time)]
        connection.executemany(
            "INSERT INTO sample (series, time, delay, flags, value) VALUES (?, ?, ?, ?, ?)", rows
        )
        return len(rows)

    def _series_id(self, connection: sqlite3.Connection, device: str, metric: str, value: Value) -> int:
        known = self._series.get((device, metric))
        if known is None:
            names = clean(device), clean(metric)
            row = connection.execute(
                "SELECT id FROM series WHERE device = ? AND metric = ?", names
            ).fetchone()
            if row is None:
                row = connection.execute(
                    "INSERT INTO series (device, metric, unit, kind) VALUES (?, ?, '', ?) RETURNING id",
                    (*names, _kind_of(value)),
                ).fetchone()
            known = self._series[device, metric] = int(row[0])
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


def _kind_of(value: Value) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER


def _exists(connection: sqlite3.Connection, series: int, time: int) -> bool:
    found = connection.execute("SELECT 1 FROM sample WHERE series = ? AND time = ? LIMIT 1", (series, time))
    return found.fetchone() is not None


def committed_seqs(connection: sqlite3.Connection) -> dict[Boot, int]:
    """How far each boot has come, as the file says."""
    rows = connection.execute("SELECT device, boot_id, seq FROM boot")
    return {(device, boot_id): seq for device, boot_id, seq in rows}


def expire(
    connection: sqlite3.Connection, before_ms: int, after_series: int, limit: int
) -> tuple[int, int | None]:
    """Delete up to `limit` samples older than `before_ms`, of the first series after `after_series` by id.

    Returns (rows deleted, where to go on; None when every series was seen). One step, so that the writer
    can commit what waits between two.
    """
    row = connection.execute("SELECT min(id) FROM series WHERE id > ?", (after_series,)).fetchone()
    if row[0] is None:
        return 0, None
    series = int(row[0])
    deleted = connection.execute(
        "DELETE FROM sample WHERE id IN (SELECT id FROM sample WHERE series = ? AND time < ? LIMIT ?)",
        (series, before_ms, limit),
    ).rowcount
    return deleted, series if deleted < limit else after_series
