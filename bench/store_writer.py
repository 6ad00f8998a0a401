"""The real writer: samples a second through it, and its commits beside readers."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from bench.fed_store import HOUR_MS, START_MS, commit, opened, put
from bench.figure import Figure, percentile
from bench.workload import METRICS, readings
from hub.store.settings import StoreSettings

if TYPE_CHECKING:
    from pathlib import Path

    from bench.disk import Disk
    from hub.store.store import Store

SECONDS, COMMITS = 3600, 300
QUEUED = 10_000
"""Readings that wait at most while the writer is fed."""


def measure(place: Disk) -> list[Figure]:
    """Feed the writer as fast as it takes samples, then ask for history without a pause while it commits."""
    return asyncio.run(_through_the_writer(place))


async def _through_the_writer(place: Disk) -> list[Figure]:
    batch = [reading for of_second in readings(SECONDS, START_MS, "b1") for reading in of_second]
    store = await opened(place.folder_for("flood"), StoreSettings(read_interval_s=0.0))
    room = asyncio.Event()
    store.on_commit(lambda _: room.set())
    count = 0
    began, busy = time.perf_counter(), time.process_time()
    for place_in, reading in enumerate(batch):
        store.put(reading)
        count += len(reading.values)
        if place_in % 400 == 0:
            await asyncio.sleep(0)
            while store.waiting_readings > QUEUED:
                room.clear()
                await room.wait()
    await commit(store)
    elapsed, busy = time.perf_counter() - began, time.process_time() - busy
    commits, bare, asked = await _commits_among_readers(store, place.folder)
    await store.close()
    return [
        # 600,000 samples a second on one core are 1.67 s per million.
        Figure(what="through the writer: CPU s per million", value=busy / count * 1e6, unit="s", target=1.67),
        Figure(
            what="through the writer: thousand samples a second", value=count / elapsed / 1000, unit="k/s"
        ),
        Figure(what="commit beside 4 readers, p50", value=percentile(commits, 0.5), unit="ms"),
        Figure(what="commit beside 4 readers, p99", value=percentile(commits, 0.99), unit="ms", target=50),
        Figure(
            what="the same in the writer alone, p99", value=store.figures().commit_p99_ms or 0.0, unit="ms"
        ),
        Figure(what="a bare sync of 4 KB in turn with them, p50", value=percentile(bare, 0.5), unit="ms"),
        Figure(
            what="a bare sync of 4 KB in turn with them, p99",
            value=percentile(bare, 0.99),
            unit="ms",
        ),
        Figure(
            what="an hour of a metric, as rows, while ingest runs",
            value=percentile(asked, 0.5),
            unit="ms",
        ),
    ]


async def _commits_among_readers(store: Store, folder: Path) -> tuple[list[float], list[float], list[float]]:
    """Return how long commits, bare syncs in turn with them, and queries take, in ms, while four clients ask.

    A commit is measured from asking for it to knowing of it, which is more than what a board's ack waits for.
    """
    asked: list[float] = []

    async def read(number: int) -> None:
        device = f"device-{number:02d}"
        while True:
            began = time.perf_counter()
            await store.samples_raw(device, METRICS[number], START_MS, START_MS + HOUR_MS, 10_000)
            asked.append((time.perf_counter() - began) * 1000)
            await store.samples_buckets(device, METRICS[number], START_MS, START_MS + 2 * HOUR_MS, 500)

    readers = [asyncio.create_task(read(number)) for number in range(4)]
    commits, bare = [], []
    file = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
    os.pwrite(file, bytes(4096 * COMMITS), 0)
    os.fsync(file)
    for place, of_second in enumerate(readings(COMMITS, START_MS + HOUR_MS, "b2")):
        put(store, of_second)
        began = time.perf_counter()
        await commit(store)
        commits.append((time.perf_counter() - began) * 1000)
        os.pwrite(file, os.urandom(4096), 4096 * place)
        began = time.perf_counter()
        await asyncio.to_thread(os.fdatasync, file)
        bare.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.01)
    os.close(file)
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return commits, bare, asked
