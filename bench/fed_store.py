"""A store that a bench feeds by hand, faster than real time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.figure import percentile
from bench.workload import DEVICES, METRICS, SAMPLES_PER_S
from hub.health import Health
from hub.model import Birth, Kind, LinkKind, Metric
from hub.store.settings import StoreSettings
from hub.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.model import Reading

START_MS = 20_000 * 86_400_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SOAK_S, SOAKED = 7200, "soak-10"
"""How long the workload is, and the folder in which the store of commits every 10 s is left."""
YEAR_DAYS = 365
BY_HAND = StoreSettings(
    ack_interval_s=3600,
    idle_interval_s=3600,
    heartbeat_s=3600,
    read_interval_s=0,
    seal_samples=900 * SAMPLES_PER_S,
)
"""Commits come when the bench asks for them, sealing as often as at 1 Hz in real time."""
SETTLE_S = 20.0
"""How long whoever answers over HTTP is let alone after it was filled, or fed before it is asked meanwhile:
for our rollups, and for the servers' merges and compactions, whose delays are set shorter than this."""
ASKS = 200
"""How often each is asked over HTTP what it answers in some ms."""


async def opened(folder: Path, settings: StoreSettings = BY_HAND) -> Store:
    """Open a store and start it."""
    store = Store.open(folder, health=Health(), now_ms=lambda: START_MS, settings=settings)
    await store.start()
    return store


def put(store: Store, batch: list[Reading]) -> int:
    """Put readings; return how many samples they are."""
    for reading in batch:
        store.put(reading)
    return sum(len(reading.values) for reading in batch)


async def commit(store: Store) -> None:
    """Return when nothing waits."""
    while store.waiting_readings:
        await store.settle()


def put_births(store: Store) -> None:
    """Tell the store who the workload's devices are, as their links would: the API answers for those."""
    metrics = tuple(Metric(name=name, kind=Kind.NUMBER) for name in METRICS)
    for number in range(DEVICES):
        name = f"device-{number:02d}"
        store.put_birth(Birth(device=name, name=name, metrics=metrics), LinkKind.MQTT, START_MS)


def median_ms(ask: Callable[[], object], times: int = 15) -> float:
    """Return how long a question takes, warm."""
    ask()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        found.append((time.perf_counter() - began) * 1000)
    return percentile(found, 0.5)
