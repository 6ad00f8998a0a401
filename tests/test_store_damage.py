"""A file that is damaged: the hub goes on in a new one, and what is intact is carried over."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from typing import TYPE_CHECKING

from hub.store.folder import StoreError
from hub.store.schema import PAGE_BYTES
from hub.store.writing.intake import Acked
from tests.damaged_store import WINDOWS, board, fill, open_store, salvaged, set_aside, values

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def damage_chunks(folder: Path, share: float) -> int:
    """Overwrite leaves of the table `chunk`, a few in a row, with random bytes; return how many."""
    file = folder / "outpost.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chunk'").fetchone()
    rng = random.Random(1)
    with file.open("r+b") as opened:
        leaves = _leaves(opened.read(), root)
        hit = leaves[len(leaves) // 3 :][: max(2, int(len(leaves) * share))]
        for page in hit:
            opened.seek((page - 1) * PAGE_BYTES)
            opened.write(rng.randbytes(PAGE_BYTES))
    return len(hit)


def _leaves(data: bytes, page: int) -> list[int]:
    """Return the leaves under a page of a table's B-tree (SQLite's file format, 1.6)."""
    start = (page - 1) * PAGE_BYTES
    if data[start] == 0x0D:
        return [page]
    count = int.from_bytes(data[start + 3 : start + 5], "big")
    cells = [
        start + int.from_bytes(data[start + 12 + 2 * n : start + 14 + 2 * n], "big") for n in range(count)
    ]
    children = [int.from_bytes(data[at : at + 4], "big") for at in cells]
    children.append(int.from_bytes(data[start + 8 : start + 12], "big"))
    return [leaf for child in children for leaf in _leaves(data, child)]


async def test_pages_that_are_garbage_cost_their_chunks_and_nothing_else(tmp_path: Path) -> None:
    await fill(tmp_path)
    damage_chunks(tmp_path, 0.1)
    acked: list[Acked] = []
    store = open_store(tmp_path)
    store.on_commit(acked.extend)
    await store.start()
    async with asyncio.timeout(60):
        while not set_aside(tmp_path):  # a query or the writer comes upon it
            with contextlib.suppress(StoreError):
                await values(store)
    first = 10 * WINDOWS
    for seq in range(first, first + 50):
        store.put(board(seq))
    async with asyncio.timeout(10):
        while Acked("pico", "b", first + 49) not in acked:
            await asyncio.sleep(0.01)
    await salvaged(tmp_path)
    found = await values(store)
    assert found == sorted(set(found)), "twice, or out of order"
    assert found[-50:] == list(range(first, first + 50))
    assert first * 0.8 < len(found) - 50 < first, "more is missing than the leaves that were damaged"
    assert store.accounts.tokens.all()[0].name == "t"
    assert [birth.name for birth, _, _ in await store.births()] == ["Pico"]
    assert store.degraded is None
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    await store.close()


async def test_a_file_whose_tables_are_gone_is_kept_and_the_hub_starts(tmp_path: Path) -> None:
    await fill(tmp_path)
    with (tmp_path / "outpost.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (PAGE_BYTES - 100))
    store = open_store(tmp_path)
    await store.start()
    (kept,) = set_aside(tmp_path)
    assert kept.stat().st_size > 50 * PAGE_BYTES
    store.put(board(7))
    await store.settle()
    assert await values(store) == [7]
    await store.close()


async def test_salvage_goes_on_after_a_restart(tmp_path: Path) -> None:
    await fill(tmp_path)
    whole = tmp_path / "outpost.db.damaged-5"
    (tmp_path / "outpost.db").rename(whole)
    store = open_store(tmp_path)
    await store.start()
    await store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        connection.execute("ATTACH ? AS old", (str(whole),))
        for table in ("source", "shape", "boot"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM old.{table}")
        connection.execute("INSERT INTO state VALUES ('salvage outpost.db.damaged-5', 0)")
        connection.execute("INSERT INTO chunk SELECT * FROM old.chunk LIMIT 3")
        connection.commit()
    store = open_store(tmp_path)
    await store.start()
    await salvaged(tmp_path)
    found = await values(store)
    assert found == sorted(set(found))
    with contextlib.closing(sqlite3.connect(whole)) as connection:
        (count,) = connection.execute("SELECT sum(n) / 2 FROM chunk").fetchone()
    assert len(found) == count > 0
    await store.close()


async def test_a_chunk_with_a_wrong_checksum_is_left_out_and_the_others_are_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        connection.execute(
            "UPDATE chunk SET data = zeroblob(length(data)) WHERE id = (SELECT min(id) FROM chunk)"
        )
        connection.commit()
    store = open_store(tmp_path)
    await store.start()
    assert await values(store) == list(range(10, 10 * WINDOWS))
    assert "checksum" in caplog.text
    await store.close()


async def test_a_damaged_commit_of_the_hot_log_costs_itself_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.start()
    for seq in range(3):
        store.put(board(seq))
        await store.settle()
    await store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        connection.execute("UPDATE hot SET data = x'00' WHERE id = 2")
        connection.commit()
    store = open_store(tmp_path)
    await store.start()
    assert await values(store) == [0, 2]
    await store.close()


async def test_a_file_that_is_damaged_again_at_once_is_not_replaced_for_ever(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.start()
    for wanted in (1, 1):
        store._writer.damaged()
        attempts = store.attempts
        async with asyncio.timeout(30):
            while store.attempts < attempts + 2:
                await asyncio.sleep(0.01)
        assert len(set_aside(tmp_path)) == wanted
    assert "replace the disk or card" in (store.degraded or "")
    await store.close()
