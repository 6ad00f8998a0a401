"""What is committed and not sealed yet, in memory: the hot log's content, for queries and for sealing."""

from __future__ import annotations

import logging
import zlib
from array import array
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.store.format import hotlog
from hub.store.format.chunk import Piece
from hub.store.format.columns import column_of
from hub.store.format.hotlog import BootSeq, clean
from hub.store.format.joining import joined, reordered
from hub.store.format.names import Shape, shape_of_id
from hub.store.format.packing import grown, settled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence, Set

    from hub.model import Reading, Value
    from hub.store.format.hotlog import Hot
    from hub.store.format.packing import Growing
    from hub.store.writing.intake import Boot


log = logging.getLogger(__name__)


class Rows:
    """The readings of one shape, as columns, in the order of their commits."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.times = array("q")
        self.delays = array("q")
        self.qualities = bytearray()
        self.columns: list[Growing] = [[] for _ in shape.metrics]

    def extend(
        self,
        times: Sequence[int],
        delays: Sequence[int],
        qualities: Sequence[int],
        columns: Sequence[Sequence[Value]],
    ) -> None:
        """Take in more readings; no qualities: all good."""
        self.times.extend(times)
        self.delays.extend(delays)
        self.qualities += bytes(qualities or len(times))
        self.columns = [grown(own, more) for own, more in zip(self.columns, columns, strict=True)]


class Part(msgspec.Struct, frozen=True):
    """Some samples of one metric, in the order in which they came."""

    times: array[int]
    qualities: bytes
    values: Growing


class Held(msgspec.Struct, frozen=True):
    """What memory holds of one metric, copied at one moment; it goes with the file's same `generation`."""

    generation: int
    parts: list[Part]

    def piece(self) -> Piece | None:
        """Return it in order of time."""
        parts = [part for part in self.parts if part.times]
        if not parts:
            return None
        times = np.concatenate([np.array(part.times) for part in parts])
        codes = b"".join(part.qualities for part in parts)
        qualities = np.frombuffer(codes, dtype=np.uint8) if any(codes) else None
        column = joined([column_of(settled(part.values)) for part in parts])
        if (times[1:] < times[:-1]).any():
            order = np.argsort(times, kind="stable")
            times = times[order]
            qualities = None if qualities is None else qualities[order]
            column = reordered(column, order)
        return Piece(times, qualities, column)


class Recent:
    """The readings since the last sealing. Not for two threads at once: the caller holds a lock."""

    def __init__(self, generation: int = 0, newest: dict[str, int] | None = None) -> None:
        self.generation = generation
        self.newest = newest or {}
        """The last source time of each device that is sealed."""
        self.rows: dict[int, Rows] = {}
        self.boots: dict[Boot, BootSeq] = {}
        self.samples = 0
        self._of_device: dict[str, list[Rows]] = {}
        self._seen: dict[str, dict[int, Set[str]]] = {}

    @classmethod
    def load(cls, connection: sqlite3.Connection) -> Recent:
        """Read the hot log of a file; a damaged row is left out. Raises sqlite3.Error."""
        recent = cls(generation(connection), dict(connection.execute("SELECT device, newest FROM source")))
        shapes: dict[int, Shape] = {}
        for identity, data in connection.execute("SELECT id, data FROM hot ORDER BY id"):
            try:
                hot = hotlog.decode(data)
                for block in hot.blocks:
                    if block.shape not in shapes:
                        shapes[block.shape] = shape_of_id(connection, block.shape)
            except (ValueError, zlib.error) as error:
                log.error("commit %d of the hot log is damaged and left out: %s", identity, error)
                continue
            recent.append(hot, shapes)
        return recent

    def append(self, hot: Hot, shapes: dict[int, Shape]) -> None:
        """Take in what was committed."""
        for block in hot.blocks:
            rows = self.rows.get(block.shape)
            if rows is None:
                shape = shapes[block.shape]
                rows = self.rows[block.shape] = Rows(shape)
                self._of_device.setdefault(shape.device, []).append(rows)
            rows.extend(block.times, block.delays, block.qualities, block.columns)
            self.samples += len(block.times) * len(block.columns)
            self._see(rows.shape, block.times)
        for boot in hot.boots:
            self.boots[boot.device, boot.boot_id] = boot

    def _see(self, shape: Shape, times: Sequence[int]) -> None:
        seen = self._seen.setdefault(shape.device, {})
        if seen.keys().isdisjoint(times):
            seen.update(dict.fromkeys(times, shape.names))
            return
        for time in times:
            before = seen.setdefault(time, shape.names)
            if before is not shape.names:
                seen[time] = before | shape.names

    def metrics_at(self, device: str, time: int) -> Set[str]:
        """Return the metrics of which there is a sample of that time."""
        return self._seen.get(device, {}).get(time, frozenset())

    def rows_of(self, device: str) -> list[Rows]:
        """Return what there is of a device."""
        return self._of_device.get(device, [])

    def held(self, device: str, metric: str, waiting: Iterable[Reading], *, surely: bool) -> Held | None:
        """Copy what there is of a metric, and what waits for its commit. None: commit that first.

        A late reading of a device without an outbox may be in a chunk already; only the commit tells. Where
        none can be had, `surely` gets an answer without such readings.
        """
        parts = [
            Part(rows.times[:], bytes(rows.qualities), rows.columns[place][:])
            for rows in self.rows_of(device)
            if (place := rows.shape.places.get(metric)) is not None
        ]
        times = array("q")
        qualities = bytearray()
        values: list[Value] = []
        taken: set[int] = set()
        for reading in waiting:
            if clean(reading.device) != device:
                continue
            names = [clean(name) for name in reading.metrics]
            if metric not in names:
                continue
            time = reading.source_time_ms
            if reading.seq is None or reading.boot_id is None:
                if time <= self.newest.get(device, -1):
                    if surely:
                        continue
                    return None
                if time in taken or metric in self.metrics_at(device, time):
                    continue
                taken.add(time)
            times.append(time)
            qualities.append(hotlog.QUALITIES.index(reading.quality))
            values += hotlog.storable([reading.values[names.index(metric)]])
        return Held(self.generation, [*parts, Part(times, bytes(qualities), values)])


def generation(connection: sqlite3.Connection) -> int:
    """Return how often the hot log was sealed."""
    return int(connection.execute("SELECT value FROM state WHERE key = 'generation'").fetchone()[0])
