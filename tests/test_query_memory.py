"""No query takes more memory than docs/storage.md says, however wide it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.soak import times

PROMISED_MB = 64

CHILD = """
import asyncio, resource, sys, tempfile
from pathlib import Path
import numpy as np
from hub.health import Health
from hub.store.writing import seal
from hub.store.format.chunk import Group, WINDOW_MS
from hub.store.folder import prepare
from hub.store.format.names import Names
from hub.store.schema import connect, migrate
from hub.store.store import Store

METRICS, ROWS = 4, 900
DAY_MS = 86_400_000

def fill(folder, windows):
    "Windows of four metrics at 1 Hz, and no rollups: every question opens the chunks."
    file = prepare(folder)
    migrate(file)
    connection = connect(file)
    connection.execute("BEGIN")
    shape = Names().shape(connection, "d", tuple(f"m{n}" for n in range(METRICS))).id
    steps = np.random.default_rng(1).normal(0, 0.1, (METRICS, ROWS))
    values = np.round(np.cumsum(steps, axis=1), 2).tolist()
    for window in range(windows):
        moments = window * WINDOW_MS + np.arange(ROWS, dtype=np.int64) * 1000
        seal.add(connection, window, 1, [Group(shape, moments, None, values)])
    connection.execute("COMMIT")
    connection.close()

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def ask(folder, windows):
    store = Store.open(folder, health=Health(), now_ms=lambda: 0)
    await store.start()
    end = windows * WINDOW_MS
    metrics = [("d", f"m{n}") for n in range(METRICS)]
    await store.samples_raw("d", "m0", 0, end, 10)
    before = peak_mb()
    wide = [
        lambda: store.samples_buckets("d", "m0", 0, end, 10_000),
        lambda: store.samples_grid(metrics, 0, end, 10_000),
        lambda: store.samples_raw("d", "m1", 0, end, 10_000),
        lambda: store.samples_joined(metrics, 0, end, 10_000),
        lambda: store.samples_at(None, end, end),
        lambda: store.samples_raw("d", "m2", 0, end, 10_000, f"0-{10**17}"),
    ]
    found = await asyncio.gather(*(one() for one in wide for _ in range(3)))
    assert sum(bucket.count for bucket in found[0]) == windows * ROWS
    print(peak_mb() - before)
    await store.close()

with tempfile.TemporaryDirectory() as name:
    windows = int(sys.argv[1])
    fill(Path(name), windows)
    asyncio.run(ask(Path(name), windows))
"""


@pytest.mark.slow
def test_the_widest_queries_together_stay_within_the_memory_that_is_promised() -> None:
    windows = times(300, 5_600)  # a million samples; the whole: 20 million
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(windows)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < PROMISED_MB
