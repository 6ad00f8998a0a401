"""What handles the whole store handles merged days as quarters of an hour: SQL, backup, export, erase."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest

from hub.store.format import chunk
from hub.store.schema import connect_reader
from hub.store.shell import connect_shell
from hub.store.transfer import archive
from hub.store.transfer.archive import Wanted
from hub.store.writing import daychunk
from tests.import_store import content, run
from tests.sample_file import DAY, HOUR, NOW, START, SampleFile

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model import Value

LATER = NOW + 10 * DAY
SECRET = "a text of the device that is erased"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two devices with a merged day each, late samples beside them, a day in quarters, and a hot log."""
    folder = tmp_path_factory.mktemp("merged") / "data"
    file = SampleFile(folder)
    for device in ("d", "e"):
        file.put(((START + number * HOUR // 2, number % 7) for number in range(48)), device)
        file.put([(START + 13 * HOUR, SECRET if device == "d" else "kept")], device, "note")
    file.put([(START + 3 * HOUR, 1.5), (START + 3 * HOUR, 2.5)], "d", "again")
    file.seal()
    while file.committer.work(lambda connection: daychunk.step(connection, LATER, lambda *_: None)):
        pass
    file.put([(START + 3 * HOUR + 1, 77), (START + DAY - 1, 78)])
    file.put(((START + DAY + number * HOUR, number) for number in range(30)), "d")
    file.seal()
    file.put([(START + 3 * DAY, 9)], "e")
    file.committer.close()
    return folder


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled, tmp_path / "data")


def keys(folder: Path) -> list[int]:
    with contextlib.closing(connect_reader(folder / "outpost.db")) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM chunk ORDER BY id")]


def days(folder: Path) -> int:
    return sum(len(chunk.windows_of(key)) > 1 for key in keys(folder))


def wanted_in(folder: Path, from_ms: int, to_ms: int) -> list[tuple[str, str, int, Value]]:
    """Return what lies in a span, by looking at all there is."""
    found = [
        (device, metric, row.time, row.value)
        for device, metric, rows in archive.samples(folder, Wanted())
        for row in rows
    ]
    return sorted((one for one in found if from_ms <= one[2] < to_ms), key=str)


SPANS = [
    (START, START + DAY),
    (START + 3 * HOUR, START + 3 * HOUR + 2),
    (START + 13 * HOUR, START + 13 * HOUR + 1),
    (START + DAY - 1, START + DAY + 1),
    (START - DAY, START + 1),
    (START + DAY, START + 4 * DAY),
]


@pytest.mark.parametrize("span", SPANS)
def test_sql_bounded_by_chunks_finds_all_of_a_span_that_lies_in_merged_days(
    data: Path, span: tuple[int, int]
) -> None:
    with contextlib.closing(connect_shell(data / "outpost.db")) as connection:
        rows = connection.execute(
            "SELECT device, metric, time, value FROM samples WHERE time >= ?1 AND time < ?2"
            " AND (chunk BETWEEN chunk_at(?1) AND chunk_until(?2 - 1) OR chunk = chunk_at('9999'))",
            span,
        ).fetchall()
    assert sorted(rows, key=str) == wanted_in(data, *span)


@pytest.mark.parametrize("time", [START, START + 13 * HOUR, START + DAY - 1])
def test_the_bounds_of_a_time_hold_its_quarter_and_its_day_and_no_other_day(data: Path, time: int) -> None:
    with contextlib.closing(connect_shell(data / "outpost.db")) as connection:
        low, high = connection.execute("SELECT chunk_at(?1), chunk_until(?1)", (time,)).fetchone()
    window = time // chunk.WINDOW_MS
    inside = [
        *chunk.part_ids(window, 0), *chunk.part_ids(window, chunk.SOURCES - 1), chunk.day_id(window, 0),
        chunk.day_id(window, chunk.SOURCES - 1),
    ]  # fmt: skip
    assert all(low <= key <= high for key in inside)
    assert chunk.part_ids(window - 1, chunk.SOURCES - 1)[1] < low
    assert high < chunk.chunk_id(window // 96 * 96 + 96, 0)


@pytest.mark.parametrize("span", SPANS)
def test_an_export_of_a_span_opens_merged_days(data: Path, span: tuple[int, int]) -> None:
    found = [
        (device, metric, row.time, row.value)
        for device, metric, rows in archive.samples(data, Wanted(from_ms=span[0], to_ms=span[1]))
        for row in rows
    ]
    assert sorted(found, key=str) == wanted_in(data, *span)


def test_a_backup_holds_merged_days_as_they_are(data: Path, tmp_path: Path) -> None:
    archive.backup(data, tmp_path / "copy", lambda *_: None)
    assert keys(tmp_path / "copy") == keys(data)
    assert days(tmp_path / "copy") == 2
    assert content(tmp_path / "copy") == content(data)


def test_a_backup_with_merged_days_comes_in_whole_and_once(data: Path, tmp_path: Path) -> None:
    before = content(data)
    SampleFile(tmp_path / "new").committer.close()
    for _ in range(2):
        done = run("import", data, "--data", tmp_path / "new")
        assert done.exit_code == 0, done.output
        assert content(tmp_path / "new") == before


def test_a_backup_comes_in_beside_merged_days(data: Path, tmp_path: Path) -> None:
    other = SampleFile(tmp_path / "other")
    other.put([(START + 3 * HOUR + 2, 5), (START + 3 * HOUR, 999)])
    other.committer.close()
    before = set(content(data))
    assert run("import", tmp_path / "other", "--data", data).exit_code == 0
    assert set(content(data)) - before == {("d", "m", START + 3 * HOUR + 2, "5", "good")}
    assert days(data) == 2


def test_erasing_a_device_takes_its_merged_days_and_leaves_those_of_others(data: Path) -> None:
    kept = [row for row in content(data) if row[0] == "e"]
    archive.erase(data, ("d",))
    assert content(data) == kept
    assert days(data) == 1
    assert [one.device for one in archive.stock(data)] == ["e"]
    assert SECRET.encode() not in (data / "outpost.db").read_bytes()


def test_erasing_all_leaves_no_merged_day(data: Path) -> None:
    archive.erase(data, ())
    assert keys(data) == []
    with contextlib.closing(connect_reader(data / "outpost.db")) as connection:
        for table in ("size", "roll", "pending", "last", "shape", "source"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
