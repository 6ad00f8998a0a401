"""History from elsewhere, many samples at once, into a store that no hub uses: each (metric, time) once."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from hub.model import Birth, LinkKind, Metric
from hub.store import births
from hub.store.folder import Folder, StoreError
from hub.store.format.chunk import Group
from hub.store.format.hotlog import clean
from hub.store.format.names import Names, every_metric, source_of
from hub.store.schema import connect
from hub.store.transfer.archive import existing
from hub.store.transfer.lots import Lot, Tally, both, ordered, without
from hub.store.writing import rollup, seal
from hub.store.writing.recent import Recent
from hub.store.writing.samples import sealed_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hub.model import Value
    from hub.store.format.rollrow import Buckets
    from hub.store.format.tiers import Tier

FLUSH_SAMPLES = 500_000
"""So many are in memory (some 100 bytes each) before they are written, in one transaction."""
_SHAPES = 64
"""Metrics that share their times lie together; beyond so many such groups of a device each lies alone."""
STATE = "import "
"""How the keys of `state` begin that say how far an import has come."""


class Bulk:
    """Takes samples in any order and writes them by the half million; with `dry` it only counts.

    Where a run was killed the next goes on: `position` says how far what was written reaches.
    Raises StoreError where the folder holds no store or a hub uses it.
    """

    def __init__(self, folder: Path, name: str, *, dry: bool = False) -> None:
        existing(folder)
        self._key = f"{STATE}{name} "
        self._dry = dry
        self._lots: dict[tuple[str, str], Lot] = {}
        self._waiting = 0
        self._names = Names()
        self._together: dict[str, set[tuple[str, ...]]] = {}
        self._folder = Folder(folder)
        self.tallies: dict[tuple[str, str], Tally] = {}
        try:
            self._connection = connect(self._folder.database)
            self.births: dict[str, tuple[Birth, LinkKind, int]] = {
                birth.device: (birth, link, seen) for birth, link, seen in births.births(self._connection)
            }
            if not dry:
                self._seal()
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"{self._folder.database}: cannot be imported into: {error}") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Bulk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder free. What was not flushed is not stored."""
        with contextlib.suppress(sqlite3.Error, AttributeError):
            self._connection.close()
        self._folder.release()

    def position(self, part: str) -> int:
        """Return how far an earlier run that did not end has come with a part of the input; 0 at first."""
        row = self._connection.execute(
            "SELECT value FROM state WHERE key = ?", (self._key + part,)
        ).fetchone()
        return 0 if row is None or self._dry else int(row[0])

    def put(
        self, device: str, metric: str, time: int, value: Value, quality: int = 0, unit: str = ""
    ) -> None:
        """Take one sample; of one time of a metric the first stands. `flush` now and then."""
        key = device, metric
        lot = self._lots.get(key)
        if lot is None:
            lot = self._lots[key] = Lot([], [], [])
            self.tallies.setdefault(key, Tally(unit))
        lot.times.append(time)
        lot.values.append(value)
        lot.qualities.append(quality)
        self._waiting += 1

    def extend(
        self,
        device: str,
        metric: str,
        times: Sequence[int],
        values: Sequence[Value],
        qualities: Sequence[int],
        *,
        twins: bool = True,
    ) -> None:
        """Take samples as another store has them: with `twins` all of one time count."""
        key = device, metric
        lot = self._lots.get(key)
        if lot is None:
            lot = self._lots[key] = Lot([], [], [], twins=twins)
            self.tallies.setdefault(key, Tally())
        lot.times += times
        lot.values += values
        lot.qualities += qualities
        self._waiting += len(times)

    def adopt(self, birth: Birth, link: LinkKind, last_seen_ms: int) -> None:
        """Take over who a device is, where nothing is known of it; else its metrics that are not known."""
        before = self.births.get(birth.device)
        if before is not None:
            names = {metric.name for metric in before[0].metrics}
            more = tuple(metric for metric in birth.metrics if metric.name not in names)
            birth = msgspec.structs.replace(before[0], metrics=(*before[0].metrics, *more))
            link, last_seen_ms = before[1], max(before[2], last_seen_ms)
        self.births[birth.device] = birth, link, last_seen_ms
        if not self._dry:
            with self._transaction():
                self._connection.execute(*births.statement(birth, link, last_seen_ms))

    def lay_over(self, tier: Tier, device: str, start_ms: int, found: dict[str, Buckets]) -> None:
        """Take rollups; where there are such, of each bucket that which knows more samples stands."""
        if self._dry:
            return
        with self._transaction():
            there = {name for _, name in every_metric(self._connection, device)}
            for metric in found.keys() - there:
                self._names.shape(self._connection, device, (metric,))
            source = source_of(self._connection, device)
            assert source is not None  # noqa: S101 - made with the first shape
            rollup.lay_over(self._connection, tier, source, start_ms, found)

    @property
    def full(self) -> bool:
        """Tell that it is time to flush."""
        return self._waiting >= FLUSH_SAMPLES

    def flush(self, positions: Mapping[str, int]) -> None:
        """Write what was taken and how far that reaches, in one transaction. Raises StoreError."""
        try:
            with self._transaction():
                for device in {device for device, _ in self._lots}:
                    self._write(device)
                for part, position in positions.items():
                    if not self._dry:
                        self._connection.execute(
                            "INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)",
                            (self._key + part, position),
                        )
        except sqlite3.Error as error:
            raise StoreError(f"{self._folder.database}: cannot be written: {error}") from error
        self._lots.clear()
        self._waiting = 0

    def finish(self) -> None:
        """Write the rest, and forget how far this import has come: all of it is in. Raises StoreError."""
        self.flush({})
        if not self._dry:
            with self._transaction():
                self._connection.execute(
                    "DELETE FROM state WHERE substr(key, 1, ?) = ?", (len(self._key), self._key)
                )

    # --- one flush ----------------------------------------------------------------------------------

    def _seal(self) -> None:
        """Have nothing in the hot log, so that chunks tell what is there."""
        with self._transaction():
            recent = Recent.load(self._connection)
            if recent.rows or recent.boots:
                seal.seal(self._connection, recent)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN" if self._dry else "BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _write(self, device: str) -> None:
        lots = {metric: lot for (owner, metric), lot in self._lots.items() if owner == device}
        windows: dict[int, dict[str, Group]] = {}
        for metric, lot in lots.items():
            group = ordered(lot)
            self.tallies[device, metric].known += len(lot.times) - len(group.times)
            self.tallies[device, metric].saw(group.columns[0])
            for window, part in seal.split(group):
                windows.setdefault(window, {})[metric] = part
        source = source_of(self._connection, clean(device))
        for window, found in sorted(windows.items()):
            fresh = dict(self._fresh(device, source, window, found))
            if fresh and not self._dry:
                # The first shape of a device makes its source.
                groups = list(self._grouped(device, fresh))
                source = source_of(self._connection, clean(device))
                assert source is not None  # noqa: S101 - made with the shape
                seal.add(self._connection, window, source, groups)
        if not self._dry and source is not None:
            self._note(device, source, lots)

    def _fresh(
        self, device: str, source: int | None, window: int, found: Mapping[str, Group]
    ) -> Iterator[tuple[str, Group]]:
        """Yield what of a window is not stored yet, and count."""
        there = [] if source is None else list(sealed_times(self._connection, clean(device), window))
        for metric, whole in found.items():
            tally = self.tallies[device, metric]
            name = clean(metric)
            known: set[int] = set().union(*(times for names, times in there if name in names))
            group = without(whole, known)
            tally.known += len(whole.times) - len(group.times)
            if len(group.times):
                tally.new += len(group.times)
                tally.first_ms = min(tally.first_ms, int(group.times[0]))
                tally.last_ms = max(tally.last_ms, int(group.times[-1]))
                yield metric, group

    def _grouped(self, device: str, fresh: Mapping[str, Group]) -> Iterator[Group]:
        """Yield the groups of a window: metrics whose times are the same share them."""
        alike: dict[tuple[bytes, bytes], list[str]] = {}
        for metric, group in fresh.items():
            quality = b"" if group.qualities is None else group.qualities.tobytes()
            alike.setdefault((group.times.tobytes(), quality), []).append(metric)
        known = self._together.setdefault(device, set())
        for metrics in alike.values():
            together = tuple(sorted(metrics))
            if len(known) < _SHAPES:
                known.add(together)
            for names in [together] if together in known else [(metric,) for metric in together]:
                shape = self._names.shape(self._connection, device, names)
                first = fresh[names[0]]
                columns = [fresh[name].columns[0] for name in names]
                yield Group(shape.id, first.times, first.qualities, columns)

    def _note(self, device: str, source: int, lots: Mapping[str, Lot]) -> None:
        """Keep each metric's last sample and the device's birth."""
        last_ms = 0
        for metric, lot in lots.items():
            place = max(range(len(lot.times)), key=lot.times.__getitem__)
            last_ms = max(last_ms, lot.times[place])
            self._connection.execute(
                "INSERT INTO last (source, metric, time, delay, quality, value) VALUES (?, ?, ?, 0, ?, ?)"
                " ON CONFLICT DO UPDATE SET time = excluded.time, delay = 0, quality = excluded.quality,"
                " value = excluded.value WHERE excluded.time > time",
                (
                    source,
                    clean(metric),
                    lot.times[place],
                    lot.qualities[place],
                    json.dumps(lot.values[place]),
                ),
            )
        self._connection.execute("UPDATE source SET newest = max(newest, ?) WHERE id = ?", (last_ms, source))
        before = self.births.get(device)
        birth, link, seen = before or (
            Birth(device=device, name=device, model="imported"),
            LinkKind.IMPORT,
            0,
        )
        birth = self._named(birth, link, lots)
        self.births[device] = birth, link, max(seen, last_ms)
        self._connection.execute(*births.statement(birth, link, max(seen, last_ms)))

    def _named(self, birth: Birth, link: LinkKind, metrics: Iterable[str]) -> Birth:
        known = {metric.name: metric for metric in birth.metrics}
        for name in metrics:
            tally = self.tallies[birth.device, name]
            before = known.get(name)
            if before is None:
                known[name] = Metric(name=name, unit=tally.unit, kind=tally.kind)
            elif link is LinkKind.IMPORT and tally.kinds:
                known[name] = msgspec.structs.replace(before, kind=both(before.kind, tally.kind))
        return msgspec.structs.replace(birth, metrics=tuple(known.values()))
