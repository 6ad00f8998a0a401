"""The writer through faults: a full disk, expiry, and the end of its process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from hub.health import Health
from hub.model import Reading
from hub.store.identity.accounts import Accounts
from hub.store.lifetime.policy import everything
from hub.store.settings import StoreSettings
from hub.store.shell import connect_shell
from hub.store.store import Store
from hub.store.writing import committer
from hub.store.writing.intake import Acked, Batch
from hub.store.writing.recent import Recent
from hub.store.writing.samples import committed_seqs

if TYPE_CHECKING:
    from collections.abc import Callable

NOW_MS = 1_700_000_000_000
END = 2**53 - 1
QUICK = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.02, read_interval_s=0.0, retry_s=(0.01, 0.05))
CHILD = Path(__file__).with_name("store_child.py")


def board(seq: int, size: int = 0) -> Reading:
    return Reading(
        device="pico",
        metrics=("sequence", "text"),
        values=(seq, random.Random(seq).randbytes(size // 2).hex()),
        source_time_ms=NOW_MS + seq,
        hub_time_ms=NOW_MS + seq,
        boot_id="b",
        seq=seq,
    )


def reading_at(time_ms: int, value: int) -> Reading:
    return Reading(device="n", metrics=("m",), values=(value,), source_time_ms=time_ms, hub_time_ms=time_ms)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def health_value(health: Health, name: str, **labels: str) -> float | None:
    return health.registry.get_sample_value(f"outpost_{name}", labels)


@pytest.fixture
def max_pages(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A limit on the database's pages: the same SQLITE_FULL as a full disk gives, set and lifted at will."""
    limit = {"pages": 2**30}

    class Limited(sqlite3.Connection):
        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
            if sql == "BEGIN IMMEDIATE":
                super().execute(f"PRAGMA max_page_count = {limit['pages']}")
            return super().execute(sql, *parameters)  # type: ignore[arg-type] # handed through as they came

    def connect(database: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(database, factory=Limited, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        return connection

    monkeypatch.setattr(committer, "connect", connect)
    return limit


async def test_a_full_disk_degrades_acks_nothing_and_heals_by_itself(
    tmp_path: Path, max_pages: dict[str, int]
) -> None:
    health = Health()
    acked: list[Acked] = []
    store = Store.open(tmp_path, health=health, now_ms=lambda: NOW_MS, settings=QUICK)
    store.on_commit(acked.extend)
    await store.start()
    store.put(board(0))
    await until(lambda: acked == [Acked("pico", "b", 0)])

    max_pages["pages"] = 1
    store.put(board(1, 100_000))
    await until(lambda: store.degraded is not None)
    assert "disk is full" in (store.degraded or "")
    assert health_value(health, "store_degraded") == 1
    progress, attempts = store.progress, store.attempts
    await until(lambda: store.attempts > attempts + 3)
    assert store.progress == progress
    assert store.last_seq("pico", "b") == 0
    with contextlib.closing(connect_shell(tmp_path / "outpost.db")) as connection:
        stored = connection.execute("SELECT value FROM samples WHERE metric = 'sequence'").fetchall()
    assert stored == [(0,)]

    max_pages["pages"] = 2**30
    await until(lambda: Acked("pico", "b", 1) in acked)
    assert store.degraded is None
    assert health_value(health, "store_degraded") == 0
    page = await store.samples_raw("pico", "sequence", 0, END, 10)
    assert [row.value for row in page.rows] == [0, 1]
    await store.close()


async def test_a_full_queue_counts_what_is_lost_and_what_boards_will_send_again(
    tmp_path: Path, max_pages: dict[str, int]
) -> None:
    health = Health()
    settings = StoreSettings(queue_samples=10, retry_s=(0.01, 0.01), ack_interval_s=0.0)
    store = Store.open(tmp_path, health=health, now_ms=lambda: NOW_MS, settings=settings)
    await store.start()
    max_pages["pages"] = 1
    store.put(board(0, 100_000))
    await until(lambda: store.degraded is not None)
    for number in range(10):
        store.put(Reading(device="n", metrics=("m",), values=(number,), source_time_ms=number, hub_time_ms=0))
    for seq in range(1, 8):
        store.put(board(seq))
    assert health_value(health, "store_readings_refused_total", reason="lost") == 10
    assert health_value(health, "store_readings_refused_total", reason="full") == 3
    assert health_value(health, "store_queue_readings") == 5
    max_pages["pages"] = 2**30
    for seq in range(1, 8):
        await until(lambda: store.degraded is None)
        await until(lambda wanted=seq: _sent_again(store, wanted))  # type: ignore[misc] # the default binds the loop's value
    page = await store.samples_raw("pico", "sequence", 0, END, 100)
    assert [row.value for row in page.rows] == list(range(8))
    await store.close()


def _sent_again(store: Store, seq: int) -> bool:
    store.put(board(seq))
    return store.last_seq("pico", "b") >= seq


async def test_a_table_that_vanishes_degrades_with_a_reason(tmp_path: Path) -> None:
    store = Store.open(tmp_path, health=Health(), now_ms=lambda: NOW_MS, settings=QUICK)
    await store.start()
    await until(lambda: store.progress > 0)
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        connection.execute("DROP TABLE hot")
    store.put(board(0))
    await until(lambda: store.degraded is not None)
    assert "samples cannot be saved" in (store.degraded or "")
    await store.close()


def test_a_transaction_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    Accounts.open(tmp_path)
    file = tmp_path / "outpost.db"
    device = ("INSERT INTO device (device, link, birth, last_seen) VALUES ('a', 'mqtt', '{}', 1)", ())
    writing = committer.Committer(file)
    with pytest.raises(sqlite3.Error):
        writing.commit(Batch([], [device, ("INSERT INTO nowhere VALUES (1)", ())]), Recent())
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM device").fetchone() == (0,)
        writing.commit(Batch([board(0)], [device]), Recent())
        assert connection.execute("SELECT count(*) FROM device").fetchone() == (1,)
    writing.close()


async def test_old_windows_go_and_young_ones_stay(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(
        QUICK, policy=everything(86_400), expiry_chunks=2, expiry_interval_s=0.01, seal_interval_s=0.02
    )
    now = [NOW_MS]
    store = Store.open(tmp_path, health=Health(), now_ms=lambda: now[0], settings=settings)
    await store.start()
    for hour in range(8):
        store.put(reading_at(NOW_MS + hour * 3_600_000, hour))
    now[0] = NOW_MS + 86_400_000 + 4 * 3_600_000 + 1_000_000

    async def remaining() -> list[object]:
        return [row.value for row in (await store.samples_raw("n", "m", 0, END, 100)).rows]

    async with asyncio.timeout(60):
        while len(await remaining()) > 3:
            await asyncio.sleep(0.01)
    assert await remaining() == [5, 6, 7]
    await store.close()


async def test_reads_are_consistent_while_writing(tmp_path: Path) -> None:
    store = Store.open(tmp_path, health=Health(), now_ms=lambda: NOW_MS, settings=QUICK)
    await store.start()
    for seq in range(400):
        store.put(board(seq))
        if seq % 20 == 0:
            page = await store.samples_raw("pico", "sequence", 0, END, 10_000)
            assert [row.value for row in page.rows] == list(range(seq + 1))
            await asyncio.sleep(0.001)
    await store.close()


@pytest.mark.slow
def test_kill_9_loses_nothing_acked_and_doubles_nothing(tmp_path: Path) -> None:
    """A child is killed at random moments; the next resends the last that it knows to be acked."""
    rng = random.Random(20261121)
    acked = -1
    kills_after_an_ack = 0
    for _ in range(20):
        child = subprocess.Popen(
            [sys.executable, str(CHILD), "flood", str(tmp_path), str(max(0, acked - 3))],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.0, 0.25))
        child.send_signal(signal.SIGKILL)
        told = [int(line) for line in child.stdout.read().split("\n")[:-1]]
        assert child.wait() == -signal.SIGKILL
        kills_after_an_ack += bool(told)
        acked = max([acked, *told])
        with contextlib.closing(connect_shell(tmp_path / "outpost.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = [row[0] for row in connection.execute("SELECT value FROM samples ORDER BY time")]
            committed = committed_seqs(connection, Recent.load(connection)).get(("pico", "b"))
        assert stored == list(range(len(stored))), "a hole, a double or a wrong order"
        if stored:
            assert committed == stored[-1] >= acked
    assert kills_after_an_ack >= 5, "the kills came too early to prove anything"


def in_a_mount_namespace(mode: str, folder: Path) -> str:
    """Run `store_child.py` where it may mount, and return what it prints."""
    command = ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode != 0:
        pytest.skip("this machine permits no mount namespaces")
    done = subprocess.run(
        [*command, sys.executable, str(CHILD), mode, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_read_only_disk_is_refused_at_start(tmp_path: Path) -> None:
    said = in_a_mount_namespace("readonly", tmp_path)
    assert said == (
        f"{tmp_path}: the data folder cannot be written: Read-only file system; "
        "copy the folder to where it can be written, and name the copy"
    )


@pytest.mark.slow
def test_a_really_full_disk_loses_nothing_acked_and_heals_within_10_s(tmp_path: Path) -> None:
    """A tmpfs of 1 MB in a mount namespace of its own; the kernel says ENOSPC."""
    report = json.loads(in_a_mount_namespace("full", tmp_path))
    assert "disk is full" in report["degraded"]
    assert report["degraded_after_s"] <= 5
    assert report["progress_while_full"] == 0
    assert report["acked_while_full"] == 0
    assert report["acked_before"] > 0
    assert report["healed_after_s"] <= 10
    assert report["stored"] == list(range(report["sent"]))
