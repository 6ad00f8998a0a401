"""How readings enter the file: checked, without those that are there already, a commit in one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.store.format import chunk, hotlog
from hub.store.format.hotlog import QUALITIES, Block, BootSeq, Hot, clean, storable
from hub.store.format.names import Names, Shape, shape_of_id, source_of
from hub.store.writing.intake import last_of_boots

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence, Set

    from hub.model import Reading
    from hub.store.writing.intake import Boot
    from hub.store.writing.recent import Recent

MAX_TIME_MS = 2**53 - 1
"""The last millisecond that JSON's readers hold exactly (RFC 8259, section 6)."""
MAX_SEQ = 2**53 - 1

_TYPES = frozenset((int, float, bool, str, type(None)))
_WINDOWS_IN_MEMORY = 64


class Written(msgspec.Struct):
    """What a batch came to: samples stored, readings that were there before, and all of it as columns."""

    samples: int = 0
    duplicates: int = 0
    hot: Hot | None = None
    shapes: dict[int, Shape] = {}


def fault(reading: Reading) -> str | None:
    """Why a reading cannot be stored, or None."""
    seq = reading.seq
    if len(reading.metrics) != len(reading.values):
        return "metrics and values differ in number"
    if not (0 <= reading.source_time_ms <= MAX_TIME_MS and 0 <= reading.hub_time_ms <= MAX_TIME_MS):
        return "time out of range"
    if seq is not None and not 0 <= seq <= MAX_SEQ:
        return "seq out of range"
    if not _TYPES.issuperset(map(type, reading.values)):
        return "a value is no number, boolean or text"
    return None


class SampleTable:
    """The writer's side of the samples. Every method runs inside the caller's transaction."""

    def __init__(self) -> None:
        self.names = Names()
        self._late = _Late()

    def reset(self) -> None:
        """Trust nothing that was learnt in a transaction which was rolled back."""
        self.names.reset()
        self._late.reset()

    def append(self, connection: sqlite3.Connection, readings: Sequence[Reading], recent: Recent) -> Written:
        """Store readings, and how far their boots have come, together."""
        written = Written()
        groups: dict[tuple[str, tuple[str, ...]], list[Reading]] = {}
        fresh: dict[tuple[str, int], Set[str]] = {}
        for reading in readings:
            new = reading
            if reading.seq is None or reading.boot_id is None:
                new = self._news(connection, reading, recent, fresh)
                written.duplicates += not new.metrics
            rows = groups.get((new.device, new.metrics))
            if rows is None:
                rows = groups[new.device, new.metrics] = []
            rows.append(new)
        blocks = [self._block(connection, rows, written) for (_, names), rows in groups.items() if names]
        boots = [
            BootSeq(clean(boot[0]), clean(boot[1]), reading.seq or 0, reading.hub_time_ms)
            for boot, reading in last_of_boots(readings).items()
        ]
        if blocks or boots:
            written.hot = Hot(blocks, boots)
            connection.execute("INSERT INTO hot (data) VALUES (?)", (hotlog.encode(written.hot),))
        return written

    def _block(self, connection: sqlite3.Connection, rows: list[Reading], written: Written) -> Block:
        """Return readings of one shape as columns; note shape and samples in `written`."""
        shape = self.names.shape(connection, rows[0].device, rows[0].metrics)
        written.shapes[shape.id] = shape
        written.samples += len(shape.metrics) * len(rows)
        return _block(shape.id, rows)

    def _news(
        self,
        connection: sqlite3.Connection,
        reading: Reading,
        recent: Recent,
        fresh: dict[tuple[str, int], Set[str]],
    ) -> Reading:
        """Return what of a reading has an identity (device, metric, source time) that is not stored yet."""
        device, time = clean(reading.device), reading.source_time_ms
        names = [clean(name) for name in reading.metrics]
        unique = frozenset(names)
        known = recent.metrics_at(device, time) | fresh.get((device, time), frozenset())
        if time <= recent.newest.get(device, -1):
            known = known | self._late.metrics_at(connection, device, time, recent.generation)
        fresh[device, time] = known | unique
        if not known & unique and len(unique) == len(names):
            return reading
        # Of a name that is there twice the first value stands.
        kept = {name: place for place, name in reversed(list(enumerate(names))) if name not in known}
        places = sorted(kept.values())
        return msgspec.structs.replace(
            reading,
            metrics=tuple(reading.metrics[place] for place in places),
            values=tuple(reading.values[place] for place in places),
        )


class _Late:
    """Which times the sealed windows hold, for readings that come late. Good for one generation."""

    def __init__(self) -> None:
        self._generation = -1
        self._windows: dict[tuple[str, int], list[tuple[Set[str], Set[int]]]] = {}

    def reset(self) -> None:
        self._windows.clear()

    def metrics_at(self, connection: sqlite3.Connection, device: str, time: int, generation: int) -> Set[str]:
        if generation != self._generation or len(self._windows) > _WINDOWS_IN_MEMORY:
            self._windows.clear()
            self._generation = generation
        key = device, time // chunk.WINDOW_MS
        known = self._windows.get(key)
        if known is None:
            known = self._windows[key] = list(sealed_times(connection, *key))
        return frozenset(name for names, times in known if time in times for name in names)


def sealed_times(
    connection: sqlite3.Connection, device: str, window: int
) -> Iterable[tuple[Set[str], Set[int]]]:
    """Yield metrics and the times at which a window's chunks have them; what is damaged is left out."""
    source = source_of(connection, device)
    if source is None:
        return
    for (data,) in connection.execute(
        "SELECT data FROM chunk WHERE id BETWEEN ? AND ? OR id = ?",
        (*chunk.part_ids(window, source), chunk.day_id(window, source)),
    ).fetchall():
        try:
            for shape, times in chunk.shapes(data):
                yield shape_of_id(connection, shape).names, set(times.tolist())
        except chunk.ChunkDamaged:
            continue  # what is in it is lost; what comes again is better than nothing


def _block(shape: int, rows: list[Reading]) -> Block:
    qualities = [reading.quality for reading in rows]
    all_good = qualities.count(QUALITIES[0]) == len(qualities)
    return Block(
        shape,
        [reading.source_time_ms for reading in rows],
        [reading.hub_time_ms - reading.source_time_ms for reading in rows],
        [] if all_good else [QUALITIES.index(quality) for quality in qualities],
        [storable(column) for column in zip(*(reading.values for reading in rows), strict=True)],
    )


def committed_seqs(connection: sqlite3.Connection, recent: Recent) -> dict[Boot, int]:
    """How far each boot has come, as the file says: what is sealed, and the hot log after it."""
    rows = connection.execute("SELECT device, boot_id, seq FROM boot")
    found = {(device, boot_id): seq for device, boot_id, seq in rows}
    return found | {key: boot.seq for key, boot in recent.boots.items()}
