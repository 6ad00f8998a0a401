"""The store: bytes at rest and to the card, CPU, and how long queries take, beside stores by the book."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from bench import rivals
from bench.disk import disk
from bench.figure import Figure, percentile
from bench.workload import METRICS, SAMPLES_PER_S, readings
from hub.health import Health
from hub.store import history, seal, summary
from hub.store.chunk import WINDOW_MS, Group
from hub.store.committer import Committer
from hub.store.folder import prepare
from hub.store.names import Names
from hub.store.schema import connect_reader, migrate
from hub.store.series import Series
from hub.store.settings import StoreSettings
from hub.store.store import Store
from hub.store.tiers import DAILY, QUARTERLY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from bench.disk import Disk
    from hub.model import Reading

START_MS = 20_000 * 86_400_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SOAK_S = 7200
SHORT_S = 1800
YEAR_DAYS = 365
_BY_HAND = StoreSettings(
    ack_interval_s=3600,
    idle_interval_s=3600,
    heartbeat_s=3600,
    read_interval_s=0,
    seal_samples=900 * SAMPLES_PER_S,
)
"""Commits come when the bench asks for them, sealing as often as at 1 Hz in real time."""


def measure() -> list[Figure]:
    """Run the workload (20 devices of 10 metrics at 1 Hz) faster than real time, with real commits."""
    figures: list[Figure] = []
    for name in rivals.missing():
        print(f"  {name} is not installed here and not measured")
    with disk(4096) as place:
        print(f"  device bytes: {place.what}; commits at their number of samples, faster than real time")
        figures += asyncio.run(_soaks(place))
        figures += _rivals(place)
        figures += asyncio.run(_through_the_writer(place))
        figures += _year(place)
    return figures


# --- bytes --------------------------------------------------------------------------------------------


async def _soaks(place: Disk) -> list[Figure]:
    figures = []
    for every_s, seconds, target in ((30, SOAK_S, None), (10, SOAK_S, 20.0), (1, SHORT_S, 75.0)):
        folder = place.folder_for(f"soak-{every_s}")
        store = await _store(folder)
        before = place.written()
        count = 0
        for second, of_second in enumerate(readings(seconds, START_MS, "b1"), 1):
            count += _put(store, of_second)
            if second % every_s == 0:
                await _commit(store)
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
            figures += await _recent_queries(folder, seconds)
    figures.append(await _late(place))
    return figures


async def _late(place: Disk) -> Figure:
    """Half of the devices are away for half an hour and then send all they kept."""
    store = await _store(place.folder_for("late"))
    kept: list[Reading] = []
    before = place.written()
    late = 0
    for second, of_second in enumerate(readings(SHORT_S, START_MS), 1):
        _put(store, of_second[::2])
        kept += of_second[1::2]
        if second % 10 == 0:
            await _commit(store)
    punctual = (place.written() - before) / (SHORT_S * SAMPLES_PER_S / 2)
    before = place.written()
    for start in range(0, len(kept), 200):
        late += _put(store, kept[start : start + 200])
        await _commit(store)
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

    return Figure(what="rowid table: half an hour of 4 metrics", value=_median_ms(ask), unit="ms")


# --- the writer ---------------------------------------------------------------------------------------


async def _through_the_writer(place: Disk) -> list[Figure]:
    batch = [reading for of_second in readings(3600, START_MS, "b1") for reading in of_second]
    store = await _store(place.folder_for("flood"), StoreSettings(read_interval_s=0.0))
    count = 0
    began, busy = time.perf_counter(), time.process_time()
    for place_in, reading in enumerate(batch):
        store.put(reading)
        count += len(reading.values)
        if place_in % 400 == 0:
            await asyncio.sleep(0)
            if store.waiting_readings > 10_000:
                await store.settle()
    await _commit(store)
    elapsed, busy = time.perf_counter() - began, time.process_time() - busy
    commits = await _commits_among_readers(store)
    await store.close()
    return [
        # 600,000 samples a second on one core are 1.67 s per million.
        Figure(what="through the writer: CPU s per million", value=busy / count * 1e6, unit="s", target=1.67),
        Figure(
            what="through the writer: thousand samples a second", value=count / elapsed / 1000, unit="k/s"
        ),
        Figure(what="commit beside 4 readers, p50", value=percentile(commits, 0.5), unit="ms"),
        Figure(what="commit beside 4 readers, p99", value=percentile(commits, 0.99), unit="ms", target=50),
    ]


async def _commits_among_readers(store: Store) -> list[float]:
    """Return how long commits take while four clients ask for history without a pause, in ms."""

    async def read(number: int) -> None:
        device = f"device-{number:02d}"
        while True:
            await store.samples_raw(device, METRICS[number], START_MS, START_MS + HOUR_MS, 1000)
            await store.samples_buckets(device, METRICS[number], START_MS, START_MS + 2 * HOUR_MS, 500)

    readers = [asyncio.create_task(read(number)) for number in range(4)]
    found = []
    for of_second in readings(300, START_MS + HOUR_MS, "b2"):
        _put(store, of_second)
        began = time.perf_counter()
        await _commit(store)
        found.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.01)
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return found


# --- queries ------------------------------------------------------------------------------------------


async def _recent_queries(folder: Path, seconds: int) -> list[Figure]:
    end_ms = START_MS + seconds * 1000
    with contextlib.closing(connect_reader(folder / "outpost.db")) as connection:

        def columns() -> None:
            for metric in METRICS[:4]:
                for _, pieces in Series(connection, "device-03", metric, None).pieces(
                    end_ms - HOUR_MS, end_ms
                ):
                    summary.of_pieces(pieces)

        def rows() -> None:
            for metric in METRICS[:4]:
                series = Series(connection, "device-03", metric, None)
                msgspec.json.encode(history.raw(series, end_ms - HOUR_MS, end_ms, limit=10_000, after=None))

        what = "last hour of 4 metrics at 1 s"
        found = [
            Figure(what=f"{what}, as arrays", value=_median_ms(columns), unit="ms", target=1),
            Figure(what=f"{what}, as rows in JSON", value=_median_ms(rows), unit="ms", target=6),
        ]
    store = await _store(folder)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        latest = await store.latest()
        times.append((time.perf_counter() - began) * 1000)
    assert sum(map(len, latest.values())) == SAMPLES_PER_S
    await store.close()
    return [*found, Figure(what="last known of 200 metrics", value=percentile(times, 0.5), unit="ms")]


def _year(place: Disk) -> list[Figure]:
    """Ask for a year of one metric at 1 Hz, 31.5 M samples, which are put into chunks directly."""
    file = prepare(place.folder / "year")
    migrate(file)
    committer = Committer(file)
    rng = np.random.default_rng(1)
    with committer._transaction() as connection:
        shape = Names().shape(connection, "year", ("temperature",)).id
    per_window = WINDOW_MS // 1000
    for day in range(YEAR_DAYS):
        values = np.round(20 + np.cumsum(rng.normal(0, 0.01, 96 * per_window)), 2)
        with committer._transaction() as connection:
            for part in range(96):
                window = (START_MS + day * DAY_MS) // WINDOW_MS + part
                times = window * WINDOW_MS + np.arange(per_window, dtype=np.int64) * 1000
                own = values[part * per_window : (part + 1) * per_window].tolist()
                seal.add(connection, window, 1, [Group(shape, times, None, [own])])
    began = time.perf_counter()
    for job in (QUARTERLY, DAILY):
        while committer.roll(job, START_MS + (YEAR_DAYS + 1) * DAY_MS):
            pass
    rolled_s = time.perf_counter() - began
    committer.close()
    end_ms = START_MS + YEAR_DAYS * DAY_MS
    with contextlib.closing(connect_reader(file)) as connection:
        ask = partial(_ask_year, connection, end_ms)
        figures = [
            Figure(
                what=f"{what} to 1,000 buckets",
                value=_median_ms(partial(ask, days)),
                unit="ms",
                target=target,
            )
            for what, days, target in (
                ("a year (31.5 M)", 365, 5.0),
                ("a month", 30, None),
                ("a day", 1, None),
            )
        ]
        (size,) = connection.execute("SELECT sum(length(data)) FROM roll").fetchone()
    figures.append(Figure(what="rollups' bytes a sample", value=size / (YEAR_DAYS * 86_400), unit="B"))
    figures.append(Figure(what="rollups of a year, made", value=rolled_s, unit="s"))
    return figures


def _ask_year(connection: sqlite3.Connection, end_ms: int, days: int) -> None:
    series = Series(connection, "year", "temperature", None)
    found = history.buckets(series, end_ms - days * DAY_MS, end_ms, 1000)
    assert sum(bucket.count for bucket in found) == days * 86_400


# --- parts --------------------------------------------------------------------------------------------


async def _store(folder: Path, settings: StoreSettings = _BY_HAND) -> Store:
    store = Store.open(folder, health=Health(), now_ms=lambda: START_MS, settings=settings)
    await store.start()
    return store


def _put(store: Store, batch: list[Reading]) -> int:
    for reading in batch:
        store.put(reading)
    return sum(len(reading.values) for reading in batch)


async def _commit(store: Store) -> None:
    while store.waiting_readings:
        await store.settle()


def _median_ms(ask: Callable[[], object]) -> float:
    ask()
    times = []
    for _ in range(15):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return percentile(times, 0.5)
