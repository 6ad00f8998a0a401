"""Files of earlier formats, and how sealed samples lie in today's."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import TYPE_CHECKING

import sqlite_utils

from hub.health import Health
from hub.model import Quality, Reading
from hub.store.folder import prepare
from hub.store.format import chunk
from hub.store.queries.history import Row
from hub.store.schema import APPLICATION_ID, MIGRATIONS, connect
from hub.store.settings import StoreSettings
from hub.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model import Value

END = 2**53 - 1
SEALING = StoreSettings(idle_interval_s=0.01, read_interval_s=0.0, seal_samples=1, wal_bytes=0)


def open_store(folder: Path, settings: StoreSettings = SEALING) -> Store:
    return Store.open(folder, health=Health(), now_ms=lambda: 0, settings=settings)


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


FORMAT_8 = """
    0dw142oC@N0Fjdc44NAZ9v3Ju3ovsF0RjMk(^QfH004NLyK?0e5P}JI1ONb<ED1t*oMT{s14aM<4FCcG0Rj8}|NsC0|NnTLV`Agt6B3h>
    Q&Q6c00aL3^8x|^0ni5k000000C=2ZVuAwz0FM9{0)Ywu004NL3k?7O0Q>-^0096100000004NLW8h+7V1Qr%0KWhq0{;OARaI40RaMnL
    c${Nc!w|y2z_1308CEfbf=SYt4pIWV92^{MEG#Sl&FKo819+U9<NyExW&qO!6aWAKc$|w?%1=vE(oxFKQ;G!u7bydU00961000000
    04NLV`5-nf+7F_KL7~@1pom80|XEN004NLV_;-rW?^IilK=pW02crN000#L000010RR9100000c${NmU;+RD3jhTR000000RRC20000
    0000R9004NLI{*Lx!2rP<0000D0001ZoQqbfP>KZr1YH4j0RR91000000003200#g70000000"""
"""A chunk that format 8 wrote, in base 85: 12 readings of 8 metrics."""
BEGIN_8 = 1_728_000_000_000
HELD_8: dict[str, list[Value]] = {
    "integers": [place * place - 5 for place in range(12)],
    "decimals": [round(20 + place * 0.01, 2) for place in range(12)],
    "signed zeros": [0.0, -0.0, 0.5, -0.0] * 3,
    "floats": [1 / 3 + place for place in range(12)],
    "booleans": [place % 3 == 0 for place in range(12)],
    "texts": ["off", "on", "off"] * 4,
    "mixed": [None, 1, 1.0, True, "x", 2] * 2,
    "same": [7] * 12,
}


def file_of_format_8(folder: Path) -> None:
    data = base64.b85decode("".join(FORMAT_8.split()))
    with contextlib.closing(connect(prepare(folder))) as connection:
        for step in MIGRATIONS[:8]:
            step(sqlite_utils.Database(connection))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 8")
        connection.execute("INSERT INTO shape VALUES (1, 'd', ?)", (json.dumps(list(HELD_8)),))
        connection.execute("INSERT INTO source VALUES (1, 'd', ?)", (BEGIN_8 + 11_999,))
        identity = chunk.chunk_id(BEGIN_8 // chunk.WINDOW_MS, 1)
        connection.execute("INSERT INTO chunk VALUES (?, 96, ?)", (identity, data))


async def shown(store: Store, name: str) -> list[Row]:
    return (await store.samples_raw("d", name, 0, END, 100)).rows


async def test_chunks_of_format_8_are_read_as_they_were(tmp_path: Path) -> None:
    file_of_format_8(tmp_path)
    store = open_store(tmp_path)
    for name, values in HELD_8.items():
        rows = await shown(store, name)
        assert list(map(repr, (row.value for row in rows))) == list(map(repr, values))
        assert [row.time - BEGIN_8 for row in rows[:5]] == [0, 1002, 2004, 3001, 4003]
        good = [Quality.BAD if value is None else Quality.GOOD for value in values]
        assert [row.quality for row in rows] == [*good[:11], Quality.UNCERTAIN]
    await store.close()


async def test_late_samples_join_a_chunk_of_format_8(tmp_path: Path) -> None:
    file_of_format_8(tmp_path)
    store = open_store(tmp_path, StoreSettings(idle_interval_s=3600, read_interval_s=0.0, seal_samples=1))
    await store.start()
    names = tuple(HELD_8)
    for place, row in enumerate(zip(*HELD_8.values(), strict=True)):
        time = BEGIN_8 + 20_000 + place
        store.put(Reading(device="d", metrics=names, values=row, source_time_ms=time, hub_time_ms=time))
    await store.settle()
    await sealed(store, tmp_path, 2 * 12 * 8)
    assert chunks(tmp_path) == [(BEGIN_8 // chunk.WINDOW_MS, 192)]
    for name, values in HELD_8.items():
        assert list(map(repr, (row.value for row in await shown(store, name)))) == list(map(repr, 2 * values))
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
