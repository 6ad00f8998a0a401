"""A Home Assistant recorder's database (SQLite), read as its versions since 2022.4 (schema 25) lay it out.

Source: homeassistant/components/recorder/db_schema.py. Names of entities moved to `states_meta` with schema
38, times from text to seconds (`…_ts`) with 31; a database that was migrated may hold both forms.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from hub.model import Kind
from hub.store.transfer.import_values import ImportFailed, Skipped, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MISSING = ("unavailable", "unknown", "")
"""States that say there is no value."""
PERIODS_MS = {"statistics_short_term": 300_000, "statistics": 3_600_000}

_FORMS = 1000
"""So many states of an entity decide on its kind where the file is damaged."""
_NUMBER = "(state GLOB '*[0-9]*' AND state NOT GLOB '*[^0-9.eE+-]*')"


class Entity(msgspec.Struct, frozen=True):
    """What the recorder holds of an entity's states."""

    name: str
    states: int
    first_ms: int
    last_ms: int
    kind: Kind
    unit: str


class State(msgspec.Struct, frozen=True, gc=False):
    """One state as it was recorded."""

    id: int
    entity: str | None
    text: str | None
    time_s: float | None


class Statistic(msgspec.Struct, frozen=True, gc=False):
    """One period's statistics; a meter has `state` and `sum` at its end, another the rest."""

    id: int
    metadata_id: int
    start_s: float | None
    mean: float | None
    low: float | None
    high: float | None
    state: float | None
    sum: float | None


class Recorder:
    """Reads a database. Raises ImportFailed where it is none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._connection = sqlite3.connect(
                f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
            # A state is text; what is no UTF-8 shall not end the whole.
            self._connection.text_factory = lambda data: data.decode("utf-8", "replace")
            self._tables = {
                name: self._columns(name)
                for name in ("states", "states_meta", "state_attributes", "statistics_meta", *PERIODS_MS)
            }
        except sqlite3.Error as error:
            raise ImportFailed(f"{file}: cannot be read: {error}") from error
        if not {"state_id", "state"} <= self._tables["states"]:
            self.close()
            raise ImportFailed(
                f"{file}: is no database of Home Assistant's recorder, which is home-assistant_v2.db"
            )
        self._entity, self._join, self._time = self._forms()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def last_id(self, table: str) -> int:
        """Return the highest id of `states` or of a table of statistics; 0 where there is none."""
        column = "state_id" if table == "states" else "id"
        if not self._tables[table]:
            return 0
        try:
            (found,) = self._connection.execute(f"SELECT max({column}) FROM {table}").fetchone()  # noqa: S608 - names of this module
        except sqlite3.DatabaseError as error:
            raise ImportFailed(f"{self._file}: {table} cannot be read: {error}") from error
        return found or 0

    def entities(self) -> list[Entity]:
        """Return every entity with states, by name; of a damaged file as far as it can be read."""
        marks = ", ".join("?" * len(MISSING))
        sql = (
            f"SELECT {self._entity} AS name, count(*), min({self._time}), max({self._time}),"  # noqa: S608 - names of this module
            f" sum(state IS NULL OR state IN ({marks})), sum(state IN ('on', 'off')), sum({_NUMBER}),"
            f" max(CASE WHEN attributes_id IS NOT NULL THEN state_id END) FROM states s {self._join}"
            " WHERE name IS NOT NULL GROUP BY name ORDER BY name"
        )
        try:
            return [self._survey(*row) for row in self._connection.execute(sql, MISSING).fetchall()]
        except sqlite3.DatabaseError:
            return self._walked()

    def walk(self, table: str, after: int, skipped: Skipped) -> Iterator[State | Statistic]:
        """Yield a table's rows by id; past what is damaged go on with the next that can be read."""
        last, gap = self.last_id(table), 1
        while after <= last:
            try:
                for row in self.states(after) if table == "states" else self.statistics(table, after):
                    yield row
                    after, gap = row.id, 1
            except sqlite3.DatabaseError as error:
                skipped.add(f"{table} after {after}", str(error))
                after, gap = after + gap, gap * 2
            else:
                return

    def _walked(self) -> list[Entity]:
        found: dict[str, list[State]] = {}
        for row in self.walk("states", 0, Skipped()):
            if isinstance(row, State) and row.entity is not None:
                # Its first and last and how many of which form decide; a state more says no more.
                rows = found.setdefault(row.entity, [])
                rows.append(row)
                if len(rows) > _FORMS:
                    del rows[_FORMS // 2]
        return [self._surveyed(name, rows) for name, rows in sorted(found.items())]

    def _surveyed(self, name: str, rows: list[State]) -> Entity:
        texts = [row.text for row in rows]
        times = [row.time_s for row in rows if row.time_s is not None]
        return self._survey(
            name,
            len(rows),
            min(times, default=None),
            max(times, default=None),
            sum(text is None or text in MISSING for text in texts),
            sum(text in ("on", "off") for text in texts),
            sum(text is not None and number_of(text) is not None for text in texts),
            rows[-1].id,
        )

    def states(self, after: int) -> Iterator[State]:
        """Yield states by id. Raises sqlite3.DatabaseError where the file is damaged."""
        sql = (
            f"SELECT s.state_id, {self._entity}, s.state, {self._time} FROM states s {self._join}"  # noqa: S608 - see above
            " WHERE s.state_id > ? ORDER BY s.state_id"
        )
        for row in self._connection.execute(sql, (after,)):
            yield State(*row)

    def statistic_ids(self) -> dict[int, tuple[str, str]]:
        """Return each statistic's id and unit by its number."""
        if not self._tables["statistics_meta"]:
            return {}
        rows = self._connection.execute("SELECT id, statistic_id, unit_of_measurement FROM statistics_meta")
        return {number: (name, unit or "") for number, name, unit in rows if name}

    def first_of(self, table: str) -> dict[int, int]:
        """Return when each statistic of a table begins, UTC ms."""
        if not self._tables[table]:
            return {}
        sql = f"SELECT metadata_id, min({self._start(table)}) FROM {table} GROUP BY metadata_id"  # noqa: S608 - see above
        with contextlib.suppress(sqlite3.DatabaseError):
            return {number: round(start * 1000) for number, start in self._connection.execute(sql) if start}
        return {}

    def statistics(self, table: str, after: int) -> Iterator[Statistic]:
        """Yield a table's rows by id. Raises sqlite3.DatabaseError where the file is damaged."""
        if not self._tables[table]:
            return
        sql = (
            f"SELECT id, metadata_id, {self._start(table)}, mean, min, max, state, sum FROM {table}"  # noqa: S608 - see above
            " WHERE id > ? ORDER BY id"
        )
        for row in self._connection.execute(sql, (after,)):
            yield Statistic(*row)

    def _columns(self, table: str) -> frozenset[str]:
        return frozenset(row[1] for row in self._connection.execute(f"PRAGMA table_info({table})"))

    def _forms(self) -> tuple[str, str, str]:
        """Return SQL for a state's entity, the join it needs, and its time in seconds."""
        there = self._tables["states"]
        names = ["s.entity_id"] if "entity_id" in there else []
        join = ""
        if "metadata_id" in there and self._tables["states_meta"]:
            names.insert(0, "m.entity_id")
            join = "LEFT JOIN states_meta m ON m.metadata_id = s.metadata_id"
        times = ["s.last_updated_ts"] if "last_updated_ts" in there else []
        if "last_updated" in there:
            times.append(_seconds("s.last_updated"))
        return _first(names), join, _first(times)

    def _start(self, table: str) -> str:
        there = self._tables[table]
        found = ["start_ts"] if "start_ts" in there else []
        return _first([*found, _seconds("start")] if "start" in there else found)

    def _survey(
        self,
        name: str,
        states: int,
        first_s: float | None,
        last_s: float | None,
        missing: int,
        switched: int,
        numbers: int,
        last_id: int | None,
    ) -> Entity:
        said = self._attributes(last_id)
        unit = said.get("unit_of_measurement")
        values = states - missing
        if isinstance(unit, str) or "state_class" in said or (values and numbers == values):
            kind = Kind.NUMBER
        else:
            kind = Kind.BOOLEAN if values and switched == values else Kind.TEXT
        ends = [0 if time is None else round(time * 1000) for time in (first_s, last_s)]
        return Entity(name, states, ends[0], ends[1], kind, unit if isinstance(unit, str) else "")

    def _attributes(self, state_id: int | None) -> dict[str, object]:
        if state_id is None or not self._tables["state_attributes"]:
            return {}
        with contextlib.suppress(ValueError, TypeError, sqlite3.DatabaseError):
            row = self._connection.execute(
                "SELECT shared_attrs FROM states JOIN state_attributes USING (attributes_id)"
                " WHERE state_id = ?",
                (state_id,),
            ).fetchone()
            found = json.loads(row[0]) if row is not None else {}
            return found if isinstance(found, dict) else {}
        return {}


def _seconds(column: str) -> str:
    return f"(julianday({column}) - 2440587.5) * 86400.0"


def _first(forms: Sequence[str]) -> str:
    if not forms:
        return "NULL"
    return forms[0] if len(forms) == 1 else f"coalesce({', '.join(forms)})"
