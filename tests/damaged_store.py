"""A store to be damaged: it is filled, asked for its values, and looked at for what was set aside."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from typing import TYPE_CHECKING

from hub.health import Health
from hub.model import Birth, LinkKind, Reading, Role
from hub.store.format.chunk import WINDOW_MS
from hub.store.settings import StoreSettings
from hub.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

END = 2**53 - 1
WINDOWS = 300
SETTINGS = StoreSettings(
    ack_interval_s=0.01, idle_interval_s=0.01, read_interval_s=0.0, retry_s=(0.01, 0.1), seal_samples=200
)


def open_store(folder: Path) -> Store:
    return Store.open(folder, health=Health(), now_ms=lambda: 77, settings=SETTINGS)


def board(seq: int) -> Reading:
    """Ten of them fill a window."""
    return Reading(
        device="pico",
        metrics=("m", "noise"),
        values=(seq, random.Random(seq).random()),
        source_time_ms=seq * (WINDOW_MS // 10),
        hub_time_ms=0,
        boot_id="b",
        seq=seq,
    )


async def fill(folder: Path) -> None:
    store = open_store(folder)
    await store.start()
    store.put_birth(Birth(device="pico", name="Pico"), LinkKind.SERIAL, 1)
    store.accounts.tokens.create("t", Role.ADMIN, 1)
    for seq in range(10 * WINDOWS):
        store.put(board(seq))
        if seq % 500 == 0:
            await store.settle()
    await store.settle()
    await store.close()


async def values(store: Store) -> list[int]:
    rows: list[int] = []
    cursor = None
    while True:
        page = await store.samples_raw("pico", "m", 0, END, 10_000, cursor)
        rows += [row.value for row in page.rows if isinstance(row.value, int)]
        cursor = page.next
        if cursor is None:
            return rows


def set_aside(folder: Path) -> list[Path]:
    return [path for path in folder.glob("outpost.db.damaged-*") if not path.name.endswith(("-wal", "-shm"))]


async def salvaged(folder: Path) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.closing(sqlite3.connect(folder / "outpost.db")) as connection:
                if not connection.execute("SELECT 1 FROM state WHERE key LIKE 'salvage %'").fetchall():
                    return
            await asyncio.sleep(0.01)
