"""Files of earlier formats, and how sealed samples lie in today's."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import sqlite_utils

from hub.health import Health
from hub.model import Quality, Reading
from hub.store.folder import prepare
from hub.store.history import Row
from hub.store.schema import APPLICATION_ID, MIGRATIONS, connect
from hub.store.settings import StoreSettings
from hub.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

END = 2**53 - 1
SEALING = StoreSettings(idle_interval_s=0.01, read_interval_s=0.0, seal_samples=1, wal_bytes=0)


def open_store(folder: Path) -> Store:
    return Store.open(folder, health=Health(), now_ms=lambda: 0, settings=SEALING)


def reading(time: int, value: float, metric: str = "m") -> Reading:
    return Reading(device="d", metrics=(metric,), values=(value,), source_time_ms=time, hub_time_ms=time)


def chunks(folder: Path) -> list[tuple[int, int]]:
    with contextlib.closing(connect(folder / "outpost.db")) as connection:
        return connection.execute("SELECT id >> 28, n FROM chunk ORDER BY id").fetchall()


async def sealed(store: Store, folder: Path, samples: int) -> None:
    async with asyncio.timeout(30):
        while sum(count for _, count in chunks(folder)) < samples:
            await asyncio.sleep(0.005)


async def test_a_file_of_the_first_format_keeps_its_history(tmp_path: Path) -> None:
    with contextlib.closing(connect(prepare(tmp_path))) as connection:
        MIGRATIONS[0](sqlite_utils.Database(connection))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("""INSERT INTO shape VALUES (1, 'd', '["a","m"]'), (2, 'd', '["m"]')""")
        connection.execute(
            "INSERT INTO reading (shape, time, delay, quality, data) VALUES (1, 5, 7, 0, '[true,1.5]'),"
            " (2, 900001, 0, 1, '[\"x\"]'), (2, 4, 0, 0, '[null]')"
        )
        connection.execute("INSERT INTO boot VALUES ('d', 'b', 41, 9)")
    store = open_store(tmp_path)
    await store.start()
    page = await store.samples_raw("d", "m", 0, END, 10)
    assert page.rows == [
        Row(4, None, Quality.BAD),
        Row(5, 1.5, Quality.GOOD),
        Row(900_001, "x", Quality.UNCERTAIN),
    ]
    latest = await store.latest()
    assert (latest["d"]["a"].value, latest["d"]["a"].hub_time, latest["d"]["m"].value) == (True, 12, "x")
    assert store.last_seq("d", "b") == 41
    await store.close()


async def test_what_comes_after_sealing_and_again_is_stored_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.start()
    store.put(reading(10, 1.0))
    await sealed(store, tmp_path, 1)
    store.put(reading(10, 2.0))
    store.put(reading(10, 3.0, "other"))
    store.put(reading(5, 4.0))
    await sealed(store, tmp_path, 3)
    assert [row.value for row in (await store.samples_raw("d", "m", 0, END, 10)).rows] == [4.0, 1.0]
    assert [row.value for row in (await store.samples_raw("d", "other", 0, END, 10)).rows] == [3.0]
    await store.close()


async def test_late_samples_make_few_parts_of_a_window(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.start()
    for count in range(1, 41):
        store.put(reading(1000 - count, float(count)))
        await sealed(store, tmp_path, count)
    assert len(chunks(tmp_path)) <= 7
    assert [row.time for row in (await store.samples_raw("d", "m", 0, END, 100)).rows] == list(
        range(960, 1000)
    )
    await store.close()


async def test_a_running_store_makes_rollups_of_what_it_sealed(tmp_path: Path) -> None:
    week_ms = 7 * 86_400_000
    store = Store.open(tmp_path, health=Health(), now_ms=lambda: week_ms, settings=SEALING)
    await store.start()
    for hour in range(48):
        store.put(reading(hour * 3_600_000, float(hour)))

    def levels() -> set[int]:
        with contextlib.closing(connect(tmp_path / "outpost.db")) as connection:
            if connection.execute("SELECT count(*) FROM pending").fetchone() == (0,):
                return {level for (level,) in connection.execute("SELECT DISTINCT id >> 58 FROM roll")}
            return set()

    await sealed(store, tmp_path, 48)
    async with asyncio.timeout(60):
        while levels() != {1, 2, 3}:
            await asyncio.sleep(0.01)
    days = await store.samples_buckets("d", "m", 0, 2 * 86_400_000, 2)
    assert [(day.min, day.max, day.mean, day.count) for day in days] == [
        (0, 23, 11.5, 24),
        (24, 47, 35.5, 24),
    ]
    await store.close()
