"""What other programs read: Parquet by pyarrow, the store through Datasette and SQL."""

from __future__ import annotations

import asyncio
import builtins
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from datasette.app import Datasette
from pyarrow import parquet

from hub.cli.main import main
from hub.health import Health
from hub.model import Reading, Value
from hub.store.settings import StoreSettings
from hub.store.shell import connect_shell
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from pathlib import Path

DAY_MS = 86_400_000
SETTINGS = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.01, read_interval_s=0.0, seal_samples=8)
ROWS: list[tuple[int, Value]] = [(day * DAY_MS, day / 2) for day in range(20)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with chunks of twenty days and something in the hot log."""

    async def fill() -> None:
        store = open_fresh(tmp_path / "data", health=Health(), now_ms=lambda: 0, settings=SETTINGS)
        await store.start()

        def put(metric: str, time: int, value: Value) -> None:
            store.put(
                Reading(device="d", metrics=(metric,), values=(value,), source_time_ms=time, hub_time_ms=time)
            )

        for time, value in ROWS:
            put("m", time, value)
        await store.settle()
        await asyncio.sleep(0.05)
        for time, value in ((1, True), (2, 'say "é"'), (3, None), (4, 7)):
            put("mixed", time, value)
        await store.close()

    asyncio.run(fill())
    return tmp_path / "data"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_parquet_comes_back_with_its_types(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.cli.parquet.GROUP_ROWS", 8)
    done = run("export", "--format", "parquet", "--output", tmp_path / "all.parquet", "--data", data)
    assert done.exit_code == 0, done.output
    file = parquet.ParquetFile(tmp_path / "all.parquet")
    assert file.metadata.num_row_groups > 1
    table = file.read()
    assert table.schema.field("time").type == pa.timestamp("ms", tz="UTC")
    rows = table.set_column(2, "time", table.column("time").cast(pa.int64())).to_pylist()
    assert [(row["time"], row["value"]) for row in rows if row["metric"] == "m"] == ROWS
    mixed = [row for row in rows if row["metric"] == "mixed"]
    assert [(row["value"], row["state"], row["text"], row["quality"]) for row in mixed] == [
        (None, True, None, "good"),
        (None, None, 'say "é"', "good"),
        (None, None, None, "bad"),
        (7.0, None, None, "good"),
    ]


def test_parquet_without_its_library_says_what_to_install(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name == "hub.cli.parquet":
            raise ImportError("No module named 'pyarrow'")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    done = run("export", "--format", "parquet", "--output", tmp_path / "all.parquet", "--data", data)
    assert done.exit_code == 1
    assert "pip install 'outpost-hub[parquet]'" in done.output
    assert not (tmp_path / "all.parquet").exists()


def test_a_narrowed_question_opens_the_chunks_of_its_span_alone(data: Path) -> None:
    opened = 0

    def counted(blob: bytes) -> str:
        nonlocal opened
        opened += 1
        return "[]"

    with closing(connect_shell(data / "outpost.db")) as connection:
        sql = "SELECT value FROM samples WHERE metric = 'm' AND chunk >= chunk_at('1970-01-15') ORDER BY time"
        assert connection.execute(sql).fetchall() == [(day / 2,) for day in range(14, 20)]
        bounds = "SELECT chunk_at(0), chunk_until(0), chunk_at(86400000)"
        first, last, next_day = connection.execute(bounds).fetchone()
        assert first < last < next_day  # a slow device's day is a chunk by the last key of the day
        connection.create_function("outpost_chunk", 1, counted)
        connection.execute(sql).fetchall()
    assert opened == 6


@pytest.mark.parametrize("time", ["no time", None, b"x", 10**30, "99999999"])
def test_what_is_no_time_is_no_chunk_and_no_error(data: Path, time: object) -> None:
    with closing(connect_shell(data / "outpost.db")) as connection:
        found = connection.execute("SELECT chunk_at(?)", (str(time) if time == 10**30 else time,)).fetchone()
    assert found == (None,)


async def answered(datasette: Datasette, path: str) -> Any:
    response = await datasette.client.get(path)
    assert response.status_code == 200, response.text
    return response.json()


async def test_datasette_opens_the_store_with_its_view(data: Path) -> None:
    datasette = Datasette([data / "outpost.db"])
    sql = "select+value+from+samples+where+metric='mixed'+order+by+time"
    found = await answered(datasette, f"/outpost.json?sql={sql}&_shape=arrays")
    assert found["rows"] == [[1], ['say "é"'], [None], [7]]
    asked = "device=d&metric=m&since=1970-01-03&until=1970-01-05"
    found = await answered(datasette, f"/outpost/samples_of.json?{asked}&_shape=array")
    assert [row["value"] for row in found] == [1.0, 1.5]
    found = await answered(datasette, "/outpost/last_samples.json?_shape=array")
    assert [row["metric"] for row in found] == ["m"]


async def test_datasette_is_left_alone_with_other_databases(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE samples (a)")
    datasette = Datasette([tmp_path / "other.db"])
    assert (await answered(datasette, "/other/samples.json?_shape=array")) == []
    assert (await answered(datasette, "/other.json"))["queries"] == []
