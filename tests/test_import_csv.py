"""`outpost import` of CSV: everything once, in any order, after kills and with damaged rows."""

from __future__ import annotations

import asyncio
import csv
import io
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store.folder import StoreError
from hub.store.transfer import import_csv
from hub.store.transfer.bulk import Bulk
from hub.store.transfer.import_values import IMPORTED_TIMES, Skipped, value_of
from tests.import_store import NOTED, born, content, data, fill, open_store, run
from tests.soak import times

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model import Value

__all__ = ["data"]  # a fixture

DAY = 86_400_000


def bring(file: Path, data: Path, columns: import_csv.Columns | None = None) -> Skipped:
    wanted = columns or import_csv.Columns()
    with Bulk(data, import_csv.name_of(file, wanted)) as bulk:
        return import_csv.bring(file, wanted, bulk, lambda *_: None)


# --- CSV ----------------------------------------------------------------------------------------------


def test_what_was_exported_comes_back_as_it_was(data: Path, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "old"))
    assert run("export", "--data", tmp_path / "old", "--output", tmp_path / "all.csv").exit_code == 0
    asyncio.run(born(data, NOTED))
    assert run("import", tmp_path / "all.csv", "--data", data).exit_code == 0
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in content(tmp_path / "old"):
        # CSV has one value of a time; of a board's two it is the first.
        first.setdefault(row[:3], row)
    assert content(data) == list(first.values())


@pytest.mark.parametrize(
    ("head", "row", "columns", "wanted"),
    [
        (
            "ts;temp;hum",
            "2024-05-01T12:00:00+02:00;21.5;",
            import_csv.Columns(time="ts", values=("temp", "hum"), for_device="shed"),
            [("shed", "hum", 1714557600000, "None", "bad"), ("shed", "temp", 1714557600000, "21.5", "good")],
        ),
        (
            "when,v,who,what,unit",
            "1714557600,7,pi,load,%",
            import_csv.Columns(time="when", values=("v",), device="who", metric="what"),
            [("pi", "load", 1714557600000, "7", "good")],
        ),
        (
            "time,value",
            "1714557600.25,true",
            import_csv.Columns(for_device="a", for_metric="b"),
            [("a", "b", 1714557600250, "True", "good")],
        ),
    ],
)
def test_columns_of_other_programs_are_named(
    data: Path, tmp_path: Path, head: str, row: str, columns: import_csv.Columns, wanted: list[Any]
) -> None:
    (tmp_path / "in.csv").write_text(f"\ufeff{head}\r\n{row}\r\n", encoding="utf-8")
    assert bring(tmp_path / "in.csv", data, columns).count == 0
    assert content(data) == wanted


def test_a_decimal_comma_is_one_where_it_is_asked_for(data: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time;temp;note\n1;21,5;a,5\n2;-,25;1.234,5\n3;22.5;7\n4;1,5e3;\n")
    values = ("--value", "temp", "--value", "note", "--device", "shed", "--time-form", "ms")
    done = run("import", tmp_path / "log.csv", "--decimal", ",", *values, "--data", data)
    assert done.exit_code == 0, done.output
    kept = {
        metric: [value for _, one, _, value, *_ in content(data) if one == metric]
        for metric in ("temp", "note")
    }
    assert kept["temp"] == ["21.5", "-0.25", "22.5", "1500.0"]
    assert kept["note"] == ["'a,5'", "'1.234,5'", "7", "None"]


def test_bad_rows_are_left_out_and_told(data: Path, tmp_path: Path) -> None:
    rows = [
        b"device,metric,time,value,quality",
        b"d,m,1,1,good",
        b"d,m,2",
        b"d,m,soon,3,good",
        b"d,m,-5,4,good",
        b"d,m,5,5,splendid",
        b",m,6,6,good",
        b"d,m,7,\x00\xff\xfe,good",
        b'd,m,8,"un"closed,good',
        b"",
        b"d,m,9,9,good",
    ]
    (tmp_path / "in.csv").write_bytes(b"\n".join(rows) + b"\n")
    done = run("import", tmp_path / "in.csv", "--data", data)
    assert done.exit_code == 0, done.output
    times = [row[2] for row in content(data)]
    assert (times[0], times[-1]) == (1, 9)
    assert not {2, 5, 6} & set(times)
    for reason in (
        "not the 5 columns",
        "a time that is no number",
        "a time before 1970",
        "a quality that is none",
    ):
        assert f"1 left out: {reason}" in done.output, done.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'time'"),
        ("a,b\n1,2\n", "no column 'time', only a, b; say with --time which it is"),
        ("time,value\n1,2\n", "--device or --device-column"),
        ("time,value,device\n1,2,d\n", "--metric or --metric-column"),
    ],
)
def test_a_file_without_the_columns_is_refused_with_the_option_that_helps(
    data: Path, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "in.csv").write_text(text)
    done = run("import", tmp_path / "in.csv", "--data", data)
    assert (done.exit_code, message in done.output) == (2, True), done.output
    assert content(data) == []


@pytest.mark.parametrize("begin", [b"PAR1\x15", b"PK\x03\x04\x14", "time,value\n".encode("utf-16")])
def test_what_is_no_csv_is_told_to_be_saved_as_it(data: Path, tmp_path: Path, begin: bytes) -> None:
    (tmp_path / "in.csv").write_bytes(begin)
    done = run("import", tmp_path / "in.csv", "--data", data)
    assert (done.exit_code, "save it as CSV first" in done.output) == (1, True), done.output


def test_who_has_no_store_yet_is_told_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("device,metric,time,value\n")
    done = run("import", tmp_path / "in.csv", "--data", tmp_path / "new")
    assert (done.exit_code, "outpost run --data" in done.output) == (2, True), done.output
    assert not (tmp_path / "new").exists()


def test_a_dry_run_tells_and_changes_nothing(data: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        "device,metric,time,value,quality\nd,m,1,1,good\nd,m,1,2,good\nd,m,2,2,\n"
    )
    before = (data / "outpost.db").read_bytes()
    done = run("import", tmp_path / "in.csv", "--data", data, "--dry-run")
    assert done.exit_code == 0, done.output
    line = next(line for line in done.output.splitlines() if line.startswith("d "))
    assert line.split()[:4] == ["d", "m", "2", "1"]
    assert content(data) == []
    assert (data / "outpost.db").read_bytes() == before


async def test_a_store_that_a_hub_uses_is_left_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(StoreError, match="another hub"):
        Bulk(tmp_path, "x")
    await store.close()


def test_an_import_that_was_killed_goes_on_where_it_was(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.transfer.bulk.FLUSH_SAMPLES", 10)
    rows = "".join(f'd,m,{time},"{time}\n!",good\n' for time in range(95))
    file = tmp_path / "in.csv"
    file.write_text("device,metric,time,value,quality\n" + rows)
    columns = import_csv.Columns()
    name = import_csv.name_of(file, columns)

    class Killed(Exception):
        pass

    def kill(done: int, total: int) -> None:
        if done > total / 2:
            raise Killed

    with pytest.raises(Killed), Bulk(data, name) as bulk:
        import_csv.bring(file, columns, bulk, kill)
    half = len(content(data))
    assert 40 < half < 95
    with Bulk(data, name) as bulk:
        assert bulk.position("bytes") > 0
        import_csv.bring(file, columns, bulk, lambda *_: None)
        # What was stored before is not even read again.
        assert bulk.tallies["d", "m"].new == 95 - half
        assert bulk.position("bytes") == 0
    assert [row[2] for row in content(data)] == list(range(95))
    assert content(data)[7][3] == repr("7\n!")


def test_ctrl_c_tells_that_the_same_command_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.csv").write_text("device,metric,time,value,quality\nd,m,1,1,good\n")

    def pressed(*_: object) -> Skipped:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(import_csv, "bring", pressed)
        done = run("import", tmp_path / "in.csv", "--data", data)
    assert (done.exit_code, "the same command goes on" in done.output) == (1, True)
    assert run("import", tmp_path / "in.csv", "--data", data).exit_code == 0
    assert len(content(data)) == 1


KILLED = """
import os, sys, threading
from hub.store.transfer import bulk
bulk.FLUSH_SAMPLES = 300
flush, after_s = bulk.Bulk.flush, float(sys.argv.pop(1))

def killed(*given):
    bulk.Bulk.flush = flush
    threading.Timer(after_s, os.kill, (os.getpid(), 9)).start()
    flush(*given)

if after_s:
    bulk.Bulk.flush = killed
from hub.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_kill_9_at_any_moment_costs_no_sample_and_doubles_none(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    rows = "".join(f"d,m{row % 3},{row // 3 * 1000},{row},good\n" for row in range(30_000))
    file.write_text("device,metric,time,value,quality\n" + rows)

    def go_on(after_s: float) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", KILLED, str(after_s), "import", str(file), "--data", str(data)]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    chance = random.Random(4)
    kills = sum(go_on(0.001 + chance.random() / 20).returncode == -9 for _ in range(times(3, 40)))
    done = go_on(0)
    assert done.returncode == 0, done.stderr
    assert kills > 0
    assert [int(row[3]) for row in sorted(content(data), key=lambda row: (row[2], row[1]))] == list(
        range(30_000)
    )


Cells = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)
Names = st.sampled_from(["a", "b", "c d", 'é"', "ha/x"])
Rows = st.lists(st.tuples(Names, Names, st.integers(0, 3 * DAY), Cells), max_size=40)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=Rows, again=Rows, flush=st.integers(1, 30), order=st.randoms(use_true_random=False))
def test_any_rows_in_any_order_are_stored_once(
    rows: list[tuple[str, str, int, Value]],
    again: list[tuple[str, str, int, Value]],
    flush: int,
    order: random.Random,
) -> None:
    model: dict[tuple[str, str, int], Value] = {}
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.store.transfer.bulk.FLUSH_SAMPLES", flush)
        folder = Path(name)
        asyncio.run(open_store(folder / "data").close())
        for number, part in enumerate((rows, again, rows)):
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(import_csv.OWN)
            shuffled = list(part)
            order.shuffle(shuffled)
            for device, metric, time, value in shuffled:
                writer.writerow((device, metric, time, value, "" if value is not None else "bad"))
                model.setdefault((device, metric, time), value)
            file = folder / f"{number}.csv"
            file.write_text(text.getvalue(), encoding="utf-8", newline="")
            assert bring(file, folder / "data").count == 0
        assert [row[:4] for row in content(folder / "data")] == [
            (*key, repr(value)) for key, value in sorted(model.items(), key=lambda one: one[0])
        ]


@given(st.text(max_size=30), st.sampled_from(sorted(IMPORTED_TIMES)))
def test_any_text_is_a_time_or_says_why_not(text: str, form: Any) -> None:
    from datetime import UTC

    take: Callable[..., int] = IMPORTED_TIMES[form]
    try:
        assert isinstance(take(text, UTC), int)
    except ValueError as error:
        assert str(error).startswith("a time that is n")


@given(st.text(max_size=20))
def test_any_text_is_a_value(text: str) -> None:
    value = value_of(text)
    assert value is None or isinstance(value, bool | int | float) or value == text


@given(Cells)
def test_a_value_comes_back_from_its_text(value: Value) -> None:
    assert repr(value_of("" if value is None else str(value))) == repr(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_after_a_head_are_imported_or_left_out(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "in.csv"
    file.write_bytes(b"device,metric,time,value,quality\n" + body)
    columns = import_csv.Columns()
    asyncio.run(open_store(tmp_path / "data").close())
    with Bulk(tmp_path / "data", "x", dry=True) as bulk:
        skipped = import_csv.bring(file, columns, bulk, lambda *_: None)
        taken = sum(one.new + one.known for one in bulk.tallies.values())
    rows = body.count(b"\n") + body.count(b"\r") + 1
    assert bool(body.strip(b"\r\n")) <= taken + skipped.count <= rows
