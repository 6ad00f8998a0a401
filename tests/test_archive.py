"""Backup, export, erasing and the SQL shell, through the command line, beside a real store."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import errno
import io
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from hub.health import Health
from hub.model import Birth, LinkKind, Reading, Role, Value
from hub.store.folder import StoreError
from hub.store.settings import StoreSettings
from hub.store.transfer import archive
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from hub.store.store import Store

END = 2**53 - 1
SETTINGS = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.01, read_interval_s=0.0, seal_samples=20)


def open_store(folder: Path) -> Store:
    return open_fresh(folder, health=Health(), now_ms=lambda: 0, settings=SETTINGS)


def reading(device: str, time: int, *values: Value) -> Reading:
    return Reading(
        device=device,
        metrics=("a", "b c")[: len(values)],
        values=values,
        source_time_ms=time,
        hub_time_ms=time,
    )


async def fill(folder: Path) -> None:
    """Some in chunks, some in the hot log."""
    store = open_store(folder)
    await store.start()
    for time in range(30):
        store.put(reading("x", time, time / 2, f'say "{time}"'))
        if time == 15:
            await store.settle()
    store.put(reading("y,1", 5, True, None))
    store.put_birth(Birth(device="x", name="X"), LinkKind.MQTT, 1)
    store.accounts.tokens.create("t", Role.VIEWER, 1)
    await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    asyncio.run(fill(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: object, text: str = "") -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], input=text)


async def all_of(folder: Path) -> dict[tuple[str, str], list[tuple[int, Value]]]:
    store = open_store(folder)
    await store.start()
    found = {}
    for device in ("x", "y,1"):
        for metric in ("a", "b c"):
            page = await store.samples_raw(device, metric, 0, END, 10_000)
            found[device, metric] = [(row.time, row.value) for row in page.rows]
    await store.close()
    return found


async def test_a_backup_beside_a_busy_writer_is_a_store_of_one_moment(folder: Path, tmp_path: Path) -> None:
    store = open_store(folder)
    await store.start()
    writing = True

    async def write() -> int:
        count = 0
        while writing:
            store.put(reading("z", count, count, "x" * 50))
            count += 1
            await asyncio.sleep(0.001)
        return count

    task = asyncio.create_task(write())
    await asyncio.sleep(0.01)
    await store.settle()
    pages: list[tuple[int, int]] = []
    await asyncio.to_thread(
        archive.backup, folder, tmp_path / "copy", lambda done, total: pages.append((done, total))
    )
    writing = False
    count = await task
    await store.close()
    assert pages[-1][0] == pages[-1][1] > 0
    copied = open_store(tmp_path / "copy")
    await copied.start()
    values = [row.value for row in (await copied.samples_raw("z", "a", 0, END, 10_000)).rows]
    assert values == list(range(len(values)))
    assert 0 < len(values) <= count
    assert [token.name for token in copied.accounts.tokens.all()] == ["t"]
    await copied.close()


def test_backup_says_where_and_how_much(folder: Path, tmp_path: Path) -> None:
    done = run("backup", tmp_path / "copy", "--data", folder)
    assert done.exit_code == 0, done.output
    assert f"{tmp_path / 'copy' / 'outpost.db'}:" in done.output
    assert asyncio.run(all_of(tmp_path / "copy")) == asyncio.run(all_of(folder))


def test_a_backup_overwrites_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary").write_text("x")
    done = run("backup", tmp_path / "mine", "--data", folder)
    assert done.exit_code == 2
    assert "is there already" in done.output


@pytest.mark.parametrize(
    "command", [("backup", "copy"), ("export",), ("erase", "--yes"), ("sql", "SELECT 1")]
)
def test_a_folder_without_a_store_is_refused_and_left_alone(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(*command, "--data", tmp_path / "nothing")
    assert done.exit_code == 2
    assert "there is no store" in done.output
    assert not (tmp_path / "nothing").exists()


def test_csv_holds_every_sample_of_chunks_and_hot_log(folder: Path) -> None:
    done = run("export", "--data", folder)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["device", "metric", "time", "value", "quality"]
    assert len(rows) == 1 + 62
    assert rows[1:3] == [["x", "a", "0", "0.0", "good"], ["x", "a", "1", "0.5", "good"]]
    assert ["y,1", "b c", "5", "", "bad"] in rows


def test_an_export_can_be_narrowed(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    wanted = ("--device", "x", "--metric", "a", "--from", "10", "--to", "1970-01-01T00:00:00.012Z")
    done = run("export", "--data", folder, *wanted, "--output", file)
    assert done.exit_code == 0, done.output
    assert file.read_text().splitlines()[1:] == ["x,a,10,5.0,good", "x,a,11,5.5,good"]


@pytest.mark.slow
def test_an_export_whose_reader_has_enough_ends_without_a_word_of_it(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "export", "--data", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, "outpost:" in said, "Traceback" in said) == (1, False, False), said


def test_line_protocol_escapes_names_and_texts(folder: Path) -> None:
    lines = run("export", "--data", folder, "--format", "lines").stdout.splitlines()
    assert "outpost,device=x,metric=a,quality=good value=0.5 1000000" in lines
    assert r'outpost,device=x,metric=b\ c,quality=good text="say \"3\"" 3000000' in lines
    assert r"outpost,device=y\,1,metric=a,quality=good state=t 5000000" in lines
    assert len(lines) == 61  # a null has no line


def test_a_time_that_is_none_is_a_usage_error(folder: Path) -> None:
    done = run("export", "--data", folder, "--from", "yesterday")
    assert (done.exit_code, "is no time" in done.output) == (2, True)


def test_erase_asks_and_does_nothing_without_a_yes(folder: Path) -> None:
    done = run("erase", "--data", folder, text="n\n")
    assert done.exit_code == 1
    assert "Erase this" in done.output
    assert len(asyncio.run(all_of(folder))["x", "a"]) == 30


def test_erasing_a_device_leaves_the_others_and_no_trace_in_the_file(folder: Path) -> None:
    assert run("erase", "--data", folder, "--device", "x", "--yes").exit_code == 0
    found = asyncio.run(all_of(folder))
    assert (found["x", "a"], found["y,1", "a"]) == ([], [(5, True)])
    with contextlib.closing(sqlite3.connect(folder / "outpost.db")) as connection:
        assert connection.execute("SELECT count(*) FROM chunk").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM device").fetchone() == (0,)


def test_erasing_all_keeps_tokens(folder: Path) -> None:
    assert run("erase", "--data", folder, "--yes").exit_code == 0
    assert set(map(len, asyncio.run(all_of(folder)).values())) == {0}
    assert "t" in run("token", "list", "--data", folder).output


async def test_what_a_running_hub_uses_is_not_erased(folder: Path) -> None:
    store = open_store(folder)
    with pytest.raises(StoreError, match="another hub"):
        archive.erase(folder, ())
    await store.close()


async def test_erase_says_that_a_hub_runs_before_it_asks(folder: Path) -> None:
    store = open_store(folder)
    done = run("erase", "--data", folder)
    await store.close()
    assert done.exit_code == 2
    assert "another hub" in done.output
    assert "Erase this" not in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--metric", "temprature"), "holds no metric temprature; it has: a, b c"),
        (("--device", "y,1", "--device", "nobody"), "holds nothing of nobody"),
        (("--device", "y.1"), "holds nothing of y.1; did you mean y,1?"),
        (("--from", "2026-02-30"), "'2026-02-30' does not exist: day is out of range for month"),
        (("--from", "2026-11-21", "--to", "2026-11-20"), "is not before --to"),
    ],
)
def test_an_export_of_what_cannot_be_writes_no_file(
    folder: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = run("export", "--data", folder, "--output", tmp_path / "out.csv", *options)
    assert done.exit_code in (1, 2)
    assert message in done.output
    assert not (tmp_path / "out.csv").exists()


def test_erase_names_a_device_it_does_not_know(folder: Path) -> None:
    done = run("erase", "--data", folder, "--device", "nobody", "--yes")
    assert (done.exit_code, "nothing of nobody" in done.output) == (1, True)


def test_a_backup_on_a_read_only_medium_is_looked_at_as_it_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mount is a fake, since root, whom no mode stops, can write any folder: what it says of `folder`."""
    # Where it could be written it was looked at once, which leaves an empty WAL beside it.
    assert run("sql", "SELECT 1", "--data", folder).exit_code == 0
    assert (folder / "outpost.db-wal").stat().st_size == 0
    asyncio.run(open_store(tmp_path / "other").close())
    (tmp_path / "rules.toml").touch()
    truly = os.access
    monkeypatch.setattr(
        "os.access", lambda path, mode: truly(path, mode) and not (mode == os.W_OK and Path(path) == folder)
    )
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    for command in (
        ("sql", "SELECT count(*) FROM samples", "--data", folder),
        ("export", "--device", "x", "--output", tmp_path / "x.csv", "--data", folder),
        ("retention", "--config", tmp_path / "rules.toml", "--data", folder),
        ("backup", tmp_path / "copy", "--data", folder),
        ("import", folder, "--data", tmp_path / "other"),
    ):
        done = run(*command)
        assert done.exit_code == 0, done.output
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    imported = asyncio.run(all_of(tmp_path / "other"))
    assert imported == asyncio.run(all_of(tmp_path / "copy"))
    assert len(imported["x", "a"]) == 30


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EROFS, "name the copy"), (errno.EACCES, "by sudo"), (errno.ENOSPC, "free some space")],
)
def test_a_folder_that_cannot_be_written_is_told_with_a_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    def refuse(path: object, *_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("hub.store.folder.os.open", refuse)
    done = run("sql", "SELECT 1", "--data", folder)
    assert done.exit_code == 2
    assert f"outpost.db: the data folder cannot be written: {os.strerror(number)}; " in done.output
    assert remedy in done.output


@pytest.mark.parametrize("there", [True, False])
def test_a_backup_that_fails_leaves_its_name_free(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    target = tmp_path / "copy"
    if there:
        target.mkdir()

    def full(_: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("hub.store.transfer.archive.connect_reader", full)
        done = run("backup", target, "--data", folder)
    assert done.exit_code == 2
    assert "cannot be written: database or disk is full" in done.output
    assert (list(target.iterdir()) if there else target.exists()) in ([], False)
    assert run("backup", target, "--data", folder).exit_code == 0


def test_sql_answers_a_statement_with_a_head(folder: Path) -> None:
    done = run(
        "sql", "SELECT metric, time, value FROM samples WHERE device = 'x' AND time < 2", "--data", folder
    )
    assert done.output.splitlines()[:2] == ["metric\ttime\tvalue", "a\t0\t0.0"]


def test_the_sql_shell_goes_on_after_an_error(folder: Path) -> None:
    done = run("sql", "--data", folder, text="SELEC 1;\nSELECT\n count(*) FROM samples;\n")
    assert "SQL: near" in done.output
    assert done.stdout.splitlines()[-1] == "62"


def test_ctrl_c_is_how_datasette_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hub.cli.archive.subprocess.run", pressed)
    done = run("sql", "--datasette", "--data", folder)
    assert (done.exit_code, done.output) == (0, "")


def test_sql_writes_nothing(folder: Path) -> None:
    done = run("sql", "DELETE FROM chunk", "--data", folder)
    assert done.exit_code == 2
    assert "readonly" in done.output
