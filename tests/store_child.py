"""A process of its own around a store, for tests that kill it or fill its disk. Not a test.

store_child.py flood FOLDER SEQ     puts readings from SEQ on for ever, prints each acked seq
store_child.py cut FOLDER SYNC      puts 1,500 readings by small commits, seals, checkpoints; prints as flood.
                                    SYNC: FULL, or another way to commit, to see that it loses
store_child.py full FOLDER          mounts a small tmpfs there, fills it, makes room; prints a report (JSON)
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub.health import Health
from hub.model import Reading
from hub.store import schema
from hub.store.folder import StoreError
from hub.store.settings import StoreSettings
from hub.store.store import Store
from hub.store.writing import committer

if TYPE_CHECKING:
    import sqlite3

    from hub.store.writing.intake import Acked


def reading(seq: int, metric: str = "sequence") -> Reading:
    return Reading(
        device="pico",
        metrics=(metric,),
        values=(seq,),
        source_time_ms=seq,
        hub_time_ms=seq,
        boot_id="b",
        seq=seq,
    )


async def flood(folder: Path, seq: int) -> None:
    store = Store.open(
        folder,
        health=Health(),
        now_ms=lambda: 0,
        settings=StoreSettings(ack_interval_s=0.003, batch_samples=16, seal_samples=256),
    )

    def tell(acked: list[Acked]) -> None:
        for item in acked:
            sys.stdout.write(f"{item.seq}\n")
        sys.stdout.flush()

    store.on_commit(tell)
    await store.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        for _ in range(20):
            store.put(reading(seq))
            seq += 1
        await asyncio.sleep(0.001)


async def cut(folder: Path, synchronous: str) -> None:
    """Write as a hub does in hours, within a second: small commits, sealings, checkpoints."""
    schema.CHECKPOINT_BYTES = 48 << 10

    def connect(database: Path) -> sqlite3.Connection:
        connection = schema.connect(database)
        if synchronous != "FULL":
            connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    vars(committer)["connect"] = connect
    settings = StoreSettings(
        ack_interval_s=0.002, batch_samples=4, seal_samples=100, wal_bytes=64 << 10, read_interval_s=0
    )
    store = Store.open(folder, health=Health(), now_ms=lambda: 0, settings=settings)

    def tell(acked: list[Acked]) -> None:
        for item in acked:
            os.write(1, f"{item.seq}\n".encode())

    store.on_commit(tell)
    await store.start()
    for seq in range(1500):
        store.put(reading(seq))
        if seq % 5 == 0:
            await asyncio.sleep(0.001)
    while store.waiting_readings:
        await asyncio.sleep(0.01)
    await store.close()


class FullDisk:
    """Fills the disk under a store and makes room again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mount(folder, "size=1m")
        settings = StoreSettings(ack_interval_s=0.05)
        self.store = Store.open(folder, health=Health(), now_ms=lambda: 0, settings=settings)
        self.acked = -1
        self.sent = 0

    def tell(self, acked: list[Acked]) -> None:
        self.acked = max(self.acked, *(item.seq for item in acked))

    async def run(self) -> dict[str, object]:
        store = self.store
        store.on_commit(self.tell)
        await store.start()
        self.send(100)
        while self.acked < self.sent - 1:
            await asyncio.sleep(0.01)
        acked_before = self.acked + 1
        (self.folder / "ballast").write_bytes(b"")
        full_at = self.fill()
        while store.degraded is None:
            self.send(20)
            await asyncio.sleep(0.02)
        degraded, degraded_after_s = store.degraded, time.monotonic() - full_at
        acked, progress = self.acked, store.progress
        await asyncio.sleep(2)
        acked_while_full, progress_while_full = self.acked - acked, store.progress - progress
        mount(self.folder, "remount,size=64m")
        room_at = time.monotonic()
        while self.acked < self.sent - 1:
            await asyncio.sleep(0.01)
        healed_after_s = time.monotonic() - room_at
        page = await store.samples_raw("pico", "sequence", 0, 2**53 - 1, 10_000)
        await store.close()
        return {
            "acked_before": acked_before,
            "acked_while_full": acked_while_full,
            "progress_while_full": progress_while_full,
            "degraded": degraded,
            "degraded_after_s": degraded_after_s,
            "healed_after_s": healed_after_s,
            "sent": self.sent,
            "stored": [row.value for row in page.rows],
        }

    def send(self, count: int) -> None:
        for _ in range(count):
            self.store.put(reading(self.sent))
            self.sent += 1

    def fill(self) -> float:
        try:
            with (self.folder / "ballast").open("ab", buffering=0) as file:
                while file.write(b"\0" * 4096) == 4096:
                    pass
        except OSError:
            pass
        return time.monotonic()


def mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def readonly(folder: Path) -> str:
    mount(folder, "ro")
    try:
        Store.open(folder, health=Health(), now_ms=lambda: 0)
    except StoreError as error:
        return str(error)
    return "it opened"


def main(mode: str, folder: Path) -> None:
    if mode == "flood":
        asyncio.run(flood(folder, int(sys.argv[3])))
    elif mode == "cut":
        asyncio.run(cut(folder, sys.argv[3]))
    elif mode == "readonly":
        sys.stdout.write(readonly(folder))
    else:
        sys.stdout.write(json.dumps(asyncio.run(FullDisk(folder).run())))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
