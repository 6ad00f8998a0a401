"""Import from Home Assistant: databases that its own recorder wrote, older layouts, and damaged ones."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from hub.model import Kind
from hub.store import births
from hub.store.schema import connect_reader
from hub.store.transfer import archive, import_recorder
from hub.store.transfer.import_recorder import Mapping
from hub.store.transfer.import_values import ImportFailed
from tests.import_store import data

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["data"]  # a fixture

ROOT = Path(__file__).parent.parent
HOME_ASSISTANT = ROOT / "build" / "homeassistant" / "bin" / "python"
BEGIN_MS = 1_709_294_400_000
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Any]]]:
    """A database of Home Assistant's own recorder, and the history that it shows itself."""
    if not HOME_ASSISTANT.exists():
        pytest.skip("Home Assistant is not installed here: make .setup/homeassistant")
    folder = tmp_path_factory.mktemp("ha")
    shown = subprocess.run(
        [HOME_ASSISTANT, ROOT / "tests" / "ha_recorder.py", folder],
        capture_output=True, check=True, text=True, timeout=100,
    ).stdout  # fmt: skip
    return folder / "home-assistant_v2.db", json.loads(shown.splitlines()[-1])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def content(data: Path) -> dict[tuple[str, str], list[tuple[int, Any, str]]]:
    found: dict[tuple[str, str], list[tuple[int, Any, str]]] = {}
    for device, metric, rows in archive.samples(data, archive.Wanted()):
        found.setdefault((device, metric), []).extend((row.time, row.value, str(row.quality)) for row in rows)
    return found


def samples_of(states: list[Any], convert: Any) -> list[tuple[int, Any, str]]:
    return [(time, value, "good" if value is not None else "bad") for time, value in (
        (time, convert(state)) for time, state in states
    )]  # fmt: skip


@pytest.mark.slow
def test_what_home_assistant_shows_of_its_states_is_stored(data: Path, recorded: Any) -> None:
    file, shown = recorded
    done = run("import", file, "--data", data)
    assert done.exit_code == 0, done.output
    found = content(data)
    assert found["ha.binary_sensor", "door"] == samples_of(
        shown["binary_sensor.door"], lambda state: state == "on"
    )
    number = {"unavailable": None, "charging": None}
    for entity in ("raw_count", "phone"):
        assert found["ha.sensor", entity] == samples_of(
            shown[f"sensor.{entity}"], lambda state: number[state] if state in number else float(state)
        )
    assert found["ha.weather", "home"] == samples_of(shown["weather.home"], str)
    # Every state of the light that is a value is `on`.
    assert [value for _, value, _ in found["ha.light", "hall"]] == [None, *[True] * 11]
    states = [row for row in found["ha.sensor", "kitchen"] if row[0] >= BEGIN_MS]
    assert states == samples_of(shown["sensor.kitchen"], float)


@pytest.mark.slow
def test_statistics_stand_for_the_time_before_the_states(data: Path, recorded: Any) -> None:
    file, _ = recorded
    assert run("import", file, "--data", data).exit_code == 0
    found = content(data)
    means = [row for row in found["ha.sensor", "kitchen"] if row[0] < BEGIN_MS]
    assert means == [(BEGIN_MS - (48 - hour) * HOUR_MS, 10 + hour / 10, "good") for hour in range(48)]
    assert found["ha.sensor", "kitchen.max"][0] == (BEGIN_MS - 48 * HOUR_MS, 30.5, "good")
    assert len(found["ha.sensor", "kitchen.min"]) == 49
    # A meter's reading is from the end of its hour.
    assert found["ha.energy", "grid"][0] == (BEGIN_MS - 47 * HOUR_MS, 100.0, "good")
    assert found["ha.energy", "grid.sum"][-1] == (BEGIN_MS, 47.0, "good")


@pytest.mark.slow
def test_an_import_from_home_assistant_is_stored_once_and_may_be_rehearsed(data: Path, recorded: Any) -> None:
    file, _ = recorded
    rehearsed = run("import", file, "--data", data, "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "would come" in rehearsed.output
    assert content(data) == {}
    first = run("import", file, "--data", data)
    once = content(data)
    again = run("import", file, "--data", data)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert content(data) == once
    with closing(connect_reader(data / "outpost.db")) as connection:
        known = {birth.device: birth for birth, _, _ in births.births(connection)}
    metrics = {metric.name: metric for metric in known["ha.sensor"].metrics}
    assert (metrics["kitchen"].unit, metrics["kitchen"].kind) == ("°C", Kind.NUMBER)
    assert known["ha.binary_sensor"].metrics[0].kind is Kind.BOOLEAN
    assert known["ha.weather"].metrics[0].kind is Kind.TEXT


@pytest.mark.slow
def test_home_assistants_folder_stands_for_its_database(data: Path, recorded: Any) -> None:
    done = run("import", recorded[0].parent, "--data", data, "--dry-run")
    assert (done.exit_code, "ha.sensor" in done.output) == (0, True), done.output


@pytest.mark.slow
def test_a_damaged_database_gives_what_can_be_read(data: Path, recorded: Any, tmp_path: Path) -> None:
    file, shown = recorded
    broken = tmp_path / "broken.db"
    shutil.copy(file, broken)
    with closing(sqlite3.connect(broken)) as connection:
        pages = [row[0] for row in connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'states' AND pagetype = 'leaf' ORDER BY pageno"
        )]  # fmt: skip
    with broken.open("r+b") as opened:
        opened.seek((pages[1] - 1) * 4096)
        opened.write(bytes(4096))
    done = run("import", broken, "--data", data)
    whole = sum(map(len, shown.values()))
    assert done.exit_code == 0, done.output
    stored = sum(
        1 for (_, metric), rows in content(data).items() for row in rows
        if row[0] >= BEGIN_MS and not metric.endswith((".min", ".max", ".sum"))
    )  # fmt: skip
    assert 0 < stored < whole
    assert "left out: database disk image is malformed" in done.output


# --- layouts that the installed version does not write --------------------------------------------------


def old_database(file: Path, states: Iterable[tuple[str, str | None, str | None]]) -> Path:
    """Write the tables of schema 28 (2022.8), from its db_schema.py: names and times of states as text."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("""
            CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, hash BIGINT, shared_attrs TEXT);
            CREATE TABLE states (state_id INTEGER PRIMARY KEY, entity_id VARCHAR(255), state VARCHAR(255),
              attributes TEXT, event_id INTEGER, last_changed DATETIME, last_updated DATETIME,
              old_state_id INTEGER, attributes_id INTEGER, context_id VARCHAR(36), origin_idx SMALLINT);
            CREATE TABLE statistics_meta (id INTEGER PRIMARY KEY, statistic_id VARCHAR(255),
              source VARCHAR(32), unit_of_measurement VARCHAR(255),
              has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255));
            CREATE TABLE statistics (id INTEGER PRIMARY KEY, created DATETIME, start DATETIME, mean DOUBLE,
              min DOUBLE, max DOUBLE, last_reset DATETIME, state DOUBLE, sum DOUBLE, metadata_id INTEGER);
            INSERT INTO statistics_meta VALUES (1, 'sensor.old', 'recorder', 'V', 1, 0, NULL);
            INSERT INTO statistics VALUES
              (1, NULL, '2022-07-31 22:00:00.000000', 3.5, 3, 4, NULL, NULL, NULL, 1);
            INSERT INTO state_attributes VALUES (1, 0, '{"unit_of_measurement": "V"}'), (2, 0, '{broken');
        """)
        connection.executemany(
            "INSERT INTO states (entity_id, state, last_updated, attributes_id) VALUES (?, ?, ?, 1)", states
        )
        connection.commit()
    return file


def test_the_layout_of_2022_is_read(data: Path, tmp_path: Path) -> None:
    file = old_database(
        tmp_path / "old.db",
        [
            ("sensor.old", "4.5", "2022-08-01 00:00:00.250000"),
            ("sensor.old", None, "2022-08-01 00:01:00.000000"),
            ("sensor.old", "5", None),
            (None, "5", "2022-08-01 00:02:00.000000"),  # type: ignore[list-item] # as a damaged row may have it
        ],
    )
    done = run("import", file, "--data", data)
    assert done.exit_code == 0, done.output
    begin_ms = 1_659_312_000_000
    assert content(data)["ha.sensor", "old"] == [
        (begin_ms - 2 * HOUR_MS, 3.5, "good"),
        (begin_ms + 250, 4.5, "good"),
        (begin_ms + 60_000, None, "bad"),
    ]
    assert "2 left out: a state without an entity or a time" in done.output


def test_entities_go_where_the_map_says(tmp_path: Path) -> None:
    file = tmp_path / "map.csv"
    file.write_text("sensor.kitchen_*,kitchen,*\nsensor.secret,,\nsensor.*,all,x\n\n", encoding="utf-8")
    mapping = Mapping.load(file)
    assert mapping.of("sensor.kitchen_t") == ("kitchen", "kitchen_t")
    assert mapping.of("sensor.secret") is None
    assert mapping.of("sensor.other") == ("all", "x")
    assert mapping.of("light.hall") == ("ha.light", "hall")
    assert mapping.of("energy:grid") == ("ha.energy", "grid")
    assert mapping.of("odd") == ("ha", "odd")


def test_a_map_that_cannot_be_read_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("a,b,c\na,b\n")
    with pytest.raises(ImportFailed, match="line 2: write ENTITY,DEVICE,METRIC"):
        Mapping.load(tmp_path / "map.csv")


@pytest.mark.parametrize("kind", ["other program's", "no database"])
def test_what_is_no_recorder_is_refused(data: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "x.db"
    if kind == "no database":
        file.write_bytes(b"SQLite format 3\0" + bytes(3000))
    else:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE states (a)")
    done = run("import", file, "--data", data)
    assert done.exit_code == 2
    assert "home-assistant_v2.db" in done.output or "cannot be read" in done.output


def test_a_killed_import_goes_on_with_the_next_state(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.store.transfer.bulk import Bulk

    monkeypatch.setattr("hub.store.transfer.bulk.FLUSH_SAMPLES", 4)
    times = [f"2022-08-01 00:{minute:02}:00.000000" for minute in range(20)]
    file = old_database(tmp_path / "old.db", [("sensor.old", str(n), time) for n, time in enumerate(times)])
    mapping = Mapping()
    name = import_recorder.name_of(file, mapping)
    seen: Counter[int] = Counter()

    class Killed(Exception):
        pass

    def kill(done: int, _: int) -> None:
        seen[done] += 1
        if done > 10:
            raise Killed

    with pytest.raises(Killed), Bulk(data, name) as bulk:
        import_recorder.bring(file, mapping, bulk, kill)
    with Bulk(data, name) as bulk:
        assert bulk.position("states") == 12
        import_recorder.bring(file, mapping, bulk, lambda *_: None)
        assert bulk.tallies["ha.sensor", "old"].new == 9  # eight states, and the hour before them
    assert [value for _, value, _ in content(data)["ha.sensor", "old"]] == [3.5, *map(float, range(20))]
