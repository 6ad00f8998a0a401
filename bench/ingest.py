"""Ingest: samples a second from serial ports to the disk, with commits and acks, on one core."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING

import uvloop

from bench.disk import disk
from bench.figure import Figure
from bench.load_boards import boards
from bench.workload import METRICS
from hub.bus import Bus
from hub.config import SerialConfig
from hub.devices import Registry
from hub.health import Health
from hub.ingest import Ingest
from hub.links.ports import SerialPorts
from hub.model import LinkKind
from hub.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub.store.writing.intake import Acked

DURATION_S = 10.0
WARM_UP_S = 3.0
LINKS = 8
WINDOW = 16_000
"""Readings of all boards that may wait for their acks: less than the store's queue has room for.

With the time from a reading to its ack this bounds the rate where a core is not busy.
"""


def measure() -> list[Figure]:
    """Flood the hub's own rooms from one board and from eight; boards run on another core."""
    figures: list[Figure] = []
    with disk(2048) as place, _one_core() as others:
        for links in (1, LINKS):
            with boards(links, WINDOW // links, cores=others) as paths:
                rate, cpu_s, share = uvloop.run(_flood(place.folder_for(f"links-{links}"), paths))
            what = f"{links} serial link{'s' if links > 1 else ''}, committed"
            figures += [
                Figure(what=f"{what}: thousand samples a second", value=rate / 1000, unit="k/s"),
                # 100,000 samples a second on one core are 10 s per million.
                Figure(what=f"{what}: CPU s per million", value=cpu_s, unit="s", target=10),
                Figure(what=f"{what}: of the core's time", value=100 * share, unit="%"),
            ]
    return figures


async def _flood(folder: Path, paths: list[str]) -> tuple[float, float, float]:
    """Return samples committed a second, CPU seconds per million of them, and the share of a core used."""
    health = Health()
    store = Store.open(folder, health=health, now_ms=_wall_ms)
    await store.start()
    registry = Registry()
    bus = Bus(epoch="0badcafe", now_ms=_wall_ms)
    ingest = Ingest(registry=registry, store=store, bus=bus, health=health, now_ms=_wall_ms)
    ports = SerialPorts(
        SerialConfig(ports=tuple(paths)), last_seq=store.last_seq, now_ms=_wall_ms, frames_per_s=10**9
    )
    registry.attach(ports)
    committed: dict[str, int] = {}
    all_there = asyncio.Event()

    def acked(items: list[Acked]) -> None:
        committed.update((item.device, item.seq + 1) for item in items)
        if len(committed) == len(paths):
            all_there.set()
        ingest.acknowledge(items)

    store.on_commit(acked)
    task = asyncio.create_task(ports.run(ingest.sink_for(LinkKind.SERIAL)))
    try:
        async with asyncio.timeout(30):
            await all_there.wait()
        await asyncio.sleep(WARM_UP_S)
        before, began, busy = sum(committed.values()), time.perf_counter(), time.process_time()
        await asyncio.sleep(DURATION_S)
        elapsed, busy = time.perf_counter() - began, time.process_time() - busy
        samples = (sum(committed.values()) - before) * len(METRICS)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()
    return samples / elapsed, busy / samples * 1e6, busy / elapsed


@contextlib.contextmanager
def _one_core() -> Iterator[set[int]]:
    """Keep this process, and threads that it starts, on one core; yield the others."""
    cores = os.sched_getaffinity(0)
    others = cores - {max(cores)} or cores
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield others
    finally:
        os.sched_setaffinity(0, cores)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
