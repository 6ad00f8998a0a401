"""A damaged file that SQLite cannot open: the hub goes on, and an import finds every intact sample in it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hub.cli.main import main
from hub.store.folder import StoreError
from hub.store.format.pages import Pages, holds_samples
from hub.store.schema import PAGE_BYTES
from hub.store.transfer import archive
from tests.damaged_store import WINDOWS, board, fill, open_store, salvaged, set_aside, values

if TYPE_CHECKING:
    from pathlib import Path

SEQS = range(10 * WINDOWS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("filled")
    asyncio.run(fill(folder))
    return (folder / "outpost.db").read_bytes()


@pytest.fixture
def data(tmp_path: Path, filled: bytes) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "outpost.db").write_bytes(filled)
    return tmp_path / "data"


def overwrite(folder: Path, pages: range, content: bytes) -> None:
    with (folder / "outpost.db").open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_BYTES)
            file.write(content)


def schema_pages(folder: Path) -> list[int]:
    """Return the pages of the schema but the first, which holds the header too."""
    with contextlib.closing(sqlite3.connect(folder / "outpost.db")) as connection:
        sql = "SELECT pageno FROM dbstat WHERE name = 'sqlite_schema' AND pageno > 1"
        return [page for (page,) in connection.execute(sql)]


async def goes_on(folder: Path) -> Path:
    """Run a hub's store on it for a reading; return the file that was set aside."""
    store = open_store(folder)
    await store.start()
    store.put(board(SEQS.stop))
    await store.settle()
    assert await values(store) == [SEQS.stop]
    await salvaged(folder)
    await store.close()
    (aside,) = set_aside(folder)
    return aside


def rescued(folder: Path, aside: Path) -> dict[tuple[str, str], list[object]]:
    done = CliRunner().invoke(main, ["import", str(aside), "--data", str(folder)])
    assert done.exit_code == 0, done.output
    found: dict[tuple[str, str], list[object]] = {}
    for device, metric, rows in archive.samples(folder, archive.Wanted()):
        found.setdefault((device, metric), []).extend(row.value for row in rows)
    return found


async def test_samples_of_a_file_without_its_schema_come_back_once(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for page in schema_pages(data):
        overwrite(data, range(page, page + 1), bytes(PAGE_BYTES))
    aside = await goes_on(data)
    assert "keep the file" in caplog.text
    assert "can be deleted" not in caplog.text
    for _ in range(2):
        found = await asyncio.to_thread(rescued, data, aside)
        assert found["pico", "m"] == [*SEQS, SEQS.stop]
    assert [path.name for path in data.iterdir() if path.name.startswith(".")] == []  # noqa: ASYNC240 - a temporary folder of three files


async def test_samples_come_back_that_only_a_damaged_page_led_to(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.closing(sqlite3.connect(data / "outpost.db")) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk'").fetchone()
    overwrite(data, range(root, root + 1), bytes(PAGE_BYTES))
    aside = await comes_upon_it(data)
    assert "keep the file" in caplog.text
    found = await asyncio.to_thread(rescued, data, aside)
    assert found["pico", "m"] == [*SEQS, SEQS.stop]


async def comes_upon_it(folder: Path) -> Path:
    """Run a store until a query finds the damage; return the file that was set aside."""
    store = open_store(folder)
    await store.start()
    async with asyncio.timeout(60):
        while not set_aside(folder):
            with contextlib.suppress(StoreError):
                await values(store)
    store.put(board(SEQS.stop))
    await store.settle()
    await salvaged(folder)
    await store.close()
    (aside,) = set_aside(folder)
    return aside


async def test_a_file_without_its_first_pages_is_known_by_its_chunks(data: Path) -> None:
    # With them go the header, the schema, and the tables that have the names of devices and metrics.
    overwrite(data, range(1, 46), random.Random(1).randbytes(PAGE_BYTES))
    aside = await goes_on(data)
    found = await asyncio.to_thread(rescued, data, aside)
    (lost,) = {device for device, _ in found} - {"pico"}
    assert lost.startswith("lost-")
    (numbers,) = (
        kept
        for (device, _), kept in found.items()
        if device == lost and all(type(one) is int for one in kept)
    )
    assert len(numbers) > 0.9 * len(SEQS)
    assert sorted(set(numbers)) == numbers  # type: ignore[type-var] # integers, by the line above


def test_what_lies_in_the_wal_is_found_too(tmp_path: Path, filled: bytes) -> None:
    (tmp_path / "outpost.db").write_bytes(filled)
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO shape (id, device, metrics) VALUES (99, 'late', '[\"m\"]')")
        connection.execute("BEGIN")
        connection.execute("PRAGMA cache_size = 1")
        for number in range(100, 300):
            row = (number, "rolled back", f'["{number:0500}"]')
            connection.execute("INSERT INTO shape VALUES (?, ?, ?)", row)
        assert b"rolled back" in (tmp_path / "outpost.db-wal").read_bytes()
        pages = Pages(tmp_path / "outpost.db")
        rows = [cells for _, _, found in pages.rows(PAGE_BYTES) for _, cells in found]
        pages.close()
    assert [None, "late", '["m"]'] in rows
    assert not any("rolled back" in cells for cells in rows)


@given(st.binary(max_size=5 * PAGE_BYTES), st.integers(0, 40), st.randoms())
def test_any_bytes_are_looked_through(
    tmp_path_factory: pytest.TempPathFactory, filled: bytes, body: bytes, first: int, order: random.Random
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.db"
    start = first * PAGE_BYTES
    mixed = bytearray(filled[start : start + 4 * PAGE_BYTES] + body)
    for _ in range(20):
        mixed[order.randrange(len(mixed))] = order.randrange(256)
    file.write_bytes(mixed)
    assert holds_samples(file) in (True, False)


def test_what_holds_no_samples_is_nobodys_store(tmp_path: Path) -> None:
    file = tmp_path / "outpost.db.damaged-1"
    file.write_bytes(random.Random(2).randbytes(50 * PAGE_BYTES))
    assert not holds_samples(file)
    (tmp_path / "empty").touch()
    assert not holds_samples(tmp_path / "empty")
