"""History out of Home Assistant: states as samples, and statistics for the time before them."""

from __future__ import annotations

import csv
import math
import re
import sqlite3
from fnmatch import translate
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from hub.model import Kind
from hub.store.format.hotlog import QUALITIES
from hub.store.transfer.import_values import ImportFailed, Skipped, number_of
from hub.store.transfer.recorder import MISSING, PERIODS_MS, Recorder
from hub.store.writing.samples import MAX_TIME_MS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.model import Value
    from hub.store.transfer.bulk import Bulk
    from hub.store.transfer.recorder import State, Statistic

_BAD = len(QUALITIES) - 1


class Mapping(msgspec.Struct, frozen=True):
    """Where entities go: patterns with device and metric, the first that fits counts.

    `*` in a metric stands for the entity's own name. Without a pattern `sensor.kitchen` is the metric
    `kitchen` of the device `ha.sensor`. An empty device leaves the entity out.
    """

    rows: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def load(cls, file: Path) -> Mapping:
        """Read lines of ENTITY,DEVICE,METRIC (CSV). Raises ImportFailed."""
        try:
            with file.open(encoding="utf-8-sig", newline="") as opened:
                rows = [tuple(cell.strip() for cell in row) for row in csv.reader(opened) if row]
        except (OSError, csv.Error, UnicodeDecodeError) as error:
            raise ImportFailed(f"{file}: cannot be read: {error}") from error
        for number, row in enumerate(rows, 1):
            if len(row) != 3:
                raise ImportFailed(f"{file}, line {number}: write ENTITY,DEVICE,METRIC")
        return cls(tuple((row[0], row[1], row[2]) for row in rows))

    def of(self, entity: str) -> tuple[str, str] | None:
        """Return device and metric of an entity, or of a statistic by its id; None to leave it out."""
        domain, mark, own = entity.replace(":", ".").partition(".")
        for pattern, device, metric in self.rows:
            if re.match(translate(pattern), entity):
                return (device, metric.replace("*", own) or own) if device else None
        return f"ha.{domain}" if mark else "ha", own or domain


def name_of(file: Path, mapping: Mapping) -> str:
    """Return a name for this import, the same when it goes on."""
    return "ha " + blake2b(repr((str(file.resolve()), mapping)).encode(), digest_size=8).hexdigest()


def bring(file: Path, mapping: Mapping, bulk: Bulk, progress: Callable[[int, int], None]) -> Skipped:
    """Import a database; `progress` is told rows done and rows in all. Raises ImportFailed, StoreError."""
    recorder = Recorder(file)
    try:
        return _Bringer(recorder, mapping, bulk, progress).bring()
    except sqlite3.DatabaseError as error:
        raise ImportFailed(f"{file}: cannot be read: {error}") from error
    finally:
        recorder.close()


class _Bringer:
    def __init__(
        self, recorder: Recorder, mapping: Mapping, bulk: Bulk, progress: Callable[[int, int], None]
    ) -> None:
        self._recorder = recorder
        self._bulk = bulk
        self._progress = progress
        self._skipped = Skipped()
        self._tables = ("states", *PERIODS_MS)
        self._total = max(1, sum(map(recorder.last_id, self._tables)))
        self._before = 0
        self._entities = {entity.name: entity for entity in recorder.entities()}
        self._statistics = recorder.statistic_ids()
        names = {*self._entities, *(name for name, _ in self._statistics.values())}
        self._places = {name: mapping.of(name) for name in names}
        self._until = self._untils()

    def bring(self) -> Skipped:
        for table in self._tables:
            done = self._bulk.position(table)
            take = self._state if table == "states" else self._statistic
            for row in self._recorder.walk(table, done, self._skipped):
                done = row.id
                try:
                    take(table, row)  # type: ignore[arg-type] # rows of that table
                except ValueError as error:
                    self._skipped.add(f"{table} {row.id}", str(error))
                if self._bulk.full:
                    self._bulk.flush({table: done})
                    self._progress(self._before + done, self._total)
            self._bulk.flush({table: done})
            self._before += self._recorder.last_id(table)
            self._progress(self._before, self._total)
        self._bulk.finish()
        return self._skipped

    def _state(self, _: str, row: State) -> None:
        if row.entity is None or row.time_s is None:
            raise ValueError("a state without an entity or a time")
        place = self._places.get(row.entity)
        if place is None:
            return
        entity = self._entities[row.entity]
        value = _value(entity.kind, row.text)
        bad = value is None
        self._bulk.put(*place, _ms(row.time_s), value, _BAD if bad else 0, entity.unit)

    def _statistic(self, table: str, row: Statistic) -> None:
        name, unit = self._statistics.get(row.metadata_id, ("", ""))
        place = self._places.get(name)
        if place is None:
            if not name:
                raise ValueError("a statistic without a name")
            return
        if row.start_s is None:
            raise ValueError("a statistic without a time")
        start_ms = _ms(row.start_s)
        device, metric = place
        # A mean is of the period that begins then; a meter's reading is from its end.
        end_ms = start_ms + PERIODS_MS[table]
        main = (start_ms, row.mean) if row.mean is not None else (end_ms, row.state)
        more = (("min", start_ms, row.low), ("max", start_ms, row.high), ("sum", end_ms, row.sum))
        if main[1] is not None and main[0] < self._until[table].get(row.metadata_id, MAX_TIME_MS):
            self._bulk.put(device, metric, main[0], _finite(main[1]), 0, unit)
        if table == "statistics":
            for part, time, value in more:
                if value is not None:
                    self._bulk.put(device, f"{metric}.{part}", time, _finite(value), 0, unit)

    def _untils(self) -> dict[str, dict[int, int]]:
        """Until when statistics stand for a metric: where finer ones begin, and at last its states."""
        states = {
            number: self._entities[name].first_ms
            for number, (name, _) in self._statistics.items()
            if name in self._entities
        }
        finer = dict(states)
        for number, first_ms in self._recorder.first_of("statistics_short_term").items():
            finer[number] = min(first_ms, states.get(number, MAX_TIME_MS))
        return {"statistics_short_term": states, "statistics": finer}


def _value(kind: Kind, text: str | None) -> Value:
    if text is None or text in MISSING:
        return None
    if kind is Kind.BOOLEAN:
        return text == "on"
    if kind is Kind.TEXT:
        return text
    number = number_of(text)
    # What a number's entity says in words is no value of it.
    return None if number is None else _finite(float(number))


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _ms(seconds: float) -> int:
    time = round(seconds * 1000)
    if not 0 <= time <= MAX_TIME_MS:
        raise ValueError("a time before 1970 or past all calendars")
    return time
