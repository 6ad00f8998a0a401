"""What a sample costs in the file and on the device: the store's, and that of SQLite by the book."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bench import rivals
from bench.fed_store import SOAK_S, START_MS, commit, median_ms, opened, put, put_births
from bench.figure import Figure
from bench.workload import METRICS, SAMPLES_PER_S, readings

if TYPE_CHECKING:
    import sqlite3

    from bench.disk import Disk
    from hub.model import Reading

SHORT_S = 1800


def measure(place: Disk) -> list[Figure]:
    """Return the figures of the store; its soak of 10 s stays, as SOAKED."""
    return asyncio.run(_soaks(place))


def by_the_book(place: Disk) -> list[Figure]:
    """Return those of a rowid table and of sqlite-utils."""
    return _rivals(place)


async def _soaks(place: Disk) -> list[Figure]:
    figures = []
    for every_s, seconds, target in ((30, SOAK_S, None), (10, SOAK_S, 20.0), (1, SHORT_S, 75.0)):
        folder = place.folder_for(f"soak-{every_s}")
        store = await opened(folder)
        put_births(store)
        before = place.written()
        count = 0
        for second, of_second in enumerate(readings(seconds, START_MS, "b1"), 1):
            count += put(store, of_second)
            if second % every_s == 0:
                await commit(store)
        device = (place.written() - before) / count
        await store.close()
        figures.append(
            Figure(
                what=f"device bytes a sample, commits every {every_s} s",
                value=device,
                unit="B",
                target=target,
            )
        )
        if every_s == 10:
            size = (folder / "outpost.db").stat().st_size / count
            figures.append(
                Figure(what=f"file bytes a sample, {seconds // 3600} h", value=size, unit="B", target=0.8)
            )
    figures.append(await _late(place))
    return figures


async def _late(place: Disk) -> Figure:
    """Half of the devices are away for half an hour and then send all they kept."""
    store = await opened(place.folder_for("late"))
    kept: list[Reading] = []
    before = place.written()
    late = 0
    for second, of_second in enumerate(readings(SHORT_S, START_MS), 1):
        put(store, of_second[::2])
        kept += of_second[1::2]
        if second % 10 == 0:
            await commit(store)
    punctual = (place.written() - before) / (SHORT_S * SAMPLES_PER_S / 2)
    before = place.written()
    for start in range(0, len(kept), 200):
        late += put(store, kept[start : start + 200])
        await commit(store)
    share = (place.written() - before) / late / punctual
    await store.close()
    return Figure(
        what="device bytes of a late sample, over a punctual one's", value=share, unit="x", target=2
    )


def _rivals(place: Disk) -> list[Figure]:
    figures = []
    for every_s in (10, 1):
        device, size, cpu, connection = rivals.rowid_table(place, SHORT_S, START_MS, every_s)
        what = f"rowid table and index, every {every_s} s"
        figures.append(Figure(what=f"{what}: device bytes a sample", value=device, unit="B"))
        if every_s == 10:
            figures.append(Figure(what=f"{what}: file bytes a sample", value=size, unit="B"))
            figures.append(Figure(what=f"{what}: CPU s per million", value=cpu, unit="s"))
            figures.append(_rowid_query(connection))
        connection.close()
    device, size, cpu = rivals.sqlite_utils_table(place, 300, START_MS, 10)
    what = "sqlite-utils insert_all, every 10 s"
    figures.append(Figure(what=f"{what}: device bytes a sample", value=device, unit="B"))
    figures.append(Figure(what=f"{what}: file bytes a sample", value=size, unit="B"))
    figures.append(Figure(what=f"{what}: CPU s per million", value=cpu, unit="s"))
    return figures


def _rowid_query(connection: sqlite3.Connection) -> Figure:
    def ask() -> None:
        for metric in METRICS[:4]:
            connection.execute(
                "SELECT time, value FROM sample WHERE device = 'device-03' AND metric = ? AND time >= ?",
                (metric, START_MS),
            ).fetchall()

    return Figure(what="rowid table: half an hour of 4 metrics", value=median_ms(ask), unit="ms")
