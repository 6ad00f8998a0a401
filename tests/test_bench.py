"""Benches in small: whoever renames what they measure learns it here, not when figures are wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from bench import __main__ as runner
from bench import fed_store, store_bytes, store_queries, store_writer
from bench.disk import Disk
from bench.fed_store import START_MS, commit, opened, put, put_births
from bench.figure import Figure, Incomplete, of_parts
from bench.workload import SAMPLES_PER_S, readings

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30
END_MS = START_MS + SECONDS * 1000
MEASURED = Figure(what="something", value=1.0, unit="s")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with half a minute of the workload, sealed."""
    folder: Path = tmp_path_factory.mktemp("bench") / "store"

    async def fill() -> None:
        settings = msgspec.structs.replace(fed_store.BY_HAND, seal_samples=SECONDS * SAMPLES_PER_S)
        store = await opened(folder, settings)
        put_births(store)
        for of_second in readings(SECONDS, START_MS):
            put(store, of_second)
        await commit(store)
        await store.close()

    asyncio.run(fill())
    return folder


def _named(figures: list[Figure]) -> dict[str, float]:
    return {figure.what: figure.value for figure in figures}


def _fails() -> list[Figure]:
    raise ValueError("not today")


def test_the_last_hour_is_asked_in_the_store(filled: Path) -> None:
    found = _named(store_queries.in_the_store(filled, END_MS))
    assert found.keys() == {f"{store_queries.HOUR}, as arrays", f"{store_queries.HOUR}, as rows in JSON"}
    assert all(ms > 0 for ms in found.values())


@pytest.mark.slow
def test_the_last_hour_is_asked_over_http(filled: Path) -> None:
    found = store_queries.over_http(filled, END_MS, settle_s=0, times=3)
    assert [figure.value > 0 for figure in found] == [True, True, True]


@pytest.mark.slow
def test_the_writer_is_fed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_writer, "SECONDS", SECONDS)
    monkeypatch.setattr(store_writer, "COMMITS", 5)
    monkeypatch.setattr(store_writer, "QUEUED", 400)
    found = _named(store_writer.measure(Disk(tmp_path, None)))
    assert found["through the writer: thousand samples a second"] > 0
    assert found["commit beside 4 readers, p50"] > 0


@pytest.mark.slow
def test_bytes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_bytes, "SOAK_S", SECONDS)
    monkeypatch.setattr(store_bytes, "SHORT_S", SECONDS)
    found = _named(store_bytes.measure(Disk(tmp_path, None)))
    assert found["file bytes a sample, 0 h"] > 0
    assert (tmp_path / fed_store.SOAKED / "outpost.db").exists()


def test_a_part_that_fails_leaves_the_others_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Incomplete, match="failed: second") as caught:
        of_parts({"first": lambda: [MEASURED], "second": _fails, "third": lambda: [MEASURED]})
    assert caught.value.figures == [MEASURED, MEASURED]
    assert "ValueError: not today" in capsys.readouterr().err


def test_a_bench_that_fails_leaves_the_others_figures(capsys: pytest.CaptureFixture[str]) -> None:
    def parts() -> list[Figure]:
        return of_parts({"good": lambda: [MEASURED], "bad": _fails})

    results, failed = runner.measured({"torn": parts, "broken": _fails, "whole": lambda: [MEASURED]})
    assert results == {"torn": [MEASURED], "broken": [], "whole": [MEASURED]}
    assert failed == ["torn: failed: bad", "broken: not today"]
    assert capsys.readouterr().out.count("something") == 2


def test_the_command_fails_where_a_bench_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "BENCHES", {"broken": _fails, "store": _fails})
    monkeypatch.setattr("sys.argv", ["bench", "broken", "--json"])
    with pytest.raises(SystemExit) as caught:
        runner.main()
    assert str(caught.value.code).startswith("not all was measured")  # text: the exit code is 1
    assert '{"broken":[]}' in capsys.readouterr().out
