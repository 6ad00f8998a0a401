"""The store as other rooms see it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.health import Health
from hub.model import Birth, Kind, LinkKind, Metric, Quality, Reading, Value
from hub.store.folder import StoreError
from hub.store.format.hotlog import decode
from hub.store.identity.accounts import Accounts
from hub.store.schema import connect
from hub.store.settings import StoreSettings
from hub.store.store import Store
from hub.store.writing.intake import Acked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NOW_MS = 1_700_000_000_000
QUICK = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.02, read_interval_s=0.0, retry_s=(0.01, 0.05))


def open_store(folder: Path, health: Health | None = None, settings: StoreSettings = QUICK) -> Store:
    return Store.open(folder, health=health or Health(), now_ms=lambda: NOW_MS, settings=settings)


@contextlib.asynccontextmanager
async def running(
    folder: Path, health: Health | None = None, settings: StoreSettings = QUICK
) -> AsyncIterator[Store]:
    store = open_store(folder, health, settings)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


def board(seq: int, value: Value = 1.5, *, boot: str = "b1", device: str = "pico") -> Reading:
    return Reading(
        device=device,
        metrics=("t",),
        values=(value,),
        source_time_ms=NOW_MS + seq,
        hub_time_ms=NOW_MS + seq + 40,
        boot_id=boot,
        seq=seq,
    )


def node(time_ms: int, value: Value = 2.5, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(
        device="node",
        metrics=("t",),
        values=(value,),
        source_time_ms=time_ms,
        hub_time_ms=time_ms,
        quality=quality,
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


async def stored(store: Store, device: str = "pico", metric: str = "t") -> list[tuple[int, Value]]:
    page = await store.samples_raw(device, metric, 0, 2**53 - 1, 10_000)
    return [(row.time, row.value) for row in page.rows]


async def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as store:
        store.put(board(0, 1.0))
        store.put(board(1, 2.0))
    async with running(tmp_path) as store:
        assert await stored(store) == [(NOW_MS, 1.0), (NOW_MS + 1, 2.0)]
        assert store.last_seq("pico", "b1") == 1


async def test_a_query_sees_what_was_put_before_it_though_no_commit_was_due(tmp_path: Path) -> None:
    async with running(tmp_path, settings=StoreSettings(ack_interval_s=60, idle_interval_s=60)) as store:
        await until(lambda: store.progress > 0)
        store.put(node(NOW_MS, 7))
        assert await stored(store, "node") == [(NOW_MS, 7)]


async def test_acks_come_on_the_loop_with_the_highest_committed_seq(tmp_path: Path) -> None:
    acked: list[Acked] = []
    async with running(tmp_path) as store:
        loop = asyncio.get_running_loop()
        store.on_commit(lambda items: acked.extend(items) if asyncio.get_running_loop() is loop else None)
        for seq in range(5):
            store.put(board(seq))
        await until(lambda: Acked("pico", "b1", 4) in acked)
        assert store.last_seq("pico", "b1") == 4


async def test_a_reading_that_comes_again_is_stored_once_counted_and_acked_again(tmp_path: Path) -> None:
    health = Health()
    async with running(tmp_path) as store:
        for seq in range(3):
            store.put(board(seq))
    acked: list[Acked] = []
    async with running(tmp_path, health) as store:
        store.on_commit(acked.extend)
        store.put(board(1))
        await until(lambda: acked == [Acked("pico", "b1", 2)])
        assert len(await stored(store)) == 3
    assert health.registry.get_sample_value("outpost_readings_duplicate_total") == 1


async def test_the_same_seq_of_another_boot_is_another_reading(tmp_path: Path) -> None:
    async with running(tmp_path) as store:
        store.put(board(0, 1.0))
        store.put(board(0, 2.0, boot="b2"))
        assert [value for _, value in await stored(store)] == [1.0, 2.0]


async def test_without_seq_the_source_time_is_the_identity(tmp_path: Path) -> None:
    health = Health()
    async with running(tmp_path, health) as store:
        store.put(node(NOW_MS, 1))
        store.put(node(NOW_MS, 2))
        store.put(node(NOW_MS + 1, 3))
        assert await stored(store, "node") == [(NOW_MS, 1), (NOW_MS + 1, 3)]
    assert health.registry.get_sample_value("outpost_readings_duplicate_total") == 1


async def test_an_idle_writer_makes_progress(tmp_path: Path) -> None:
    async with running(tmp_path, settings=StoreSettings(heartbeat_s=0.01)) as store:
        await until(lambda: store.progress >= 3)


async def test_a_heartbeat_leaves_what_is_not_due(tmp_path: Path) -> None:
    health = Health()
    settings = StoreSettings(heartbeat_s=0.005, idle_interval_s=60)
    async with running(tmp_path, health, settings) as store:
        store.put(node(NOW_MS))
        before = store.progress
        await until(lambda: store.progress > before + 3)
        assert health.registry.get_sample_value("outpost_samples_committed_total") == 0


async def test_a_full_batch_commits_before_its_time(tmp_path: Path) -> None:
    acked: list[Acked] = []
    async with running(tmp_path, settings=StoreSettings(ack_interval_s=60, batch_samples=10)) as store:
        store.on_commit(acked.extend)
        for seq in range(10):
            store.put(board(seq))
        await until(lambda: acked == [Acked("pico", "b1", 9)])


async def test_a_flood_commits_up_to_eight_batches_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path, settings=StoreSettings(batch_samples=10))
    for seq in range(100):
        store.put(board(seq))
    await store.close()
    with contextlib.closing(connect(tmp_path / "outpost.db")) as connection:
        rows = [
            decode(data).blocks[0].times for (data,) in connection.execute("SELECT data FROM hot ORDER BY id")
        ]
    assert list(map(len, rows)) == [80, 20]


@pytest.mark.parametrize(
    "reading",
    [
        Reading(device="d", metrics=("a", "b"), values=(1,), source_time_ms=1, hub_time_ms=1),
        Reading(device="d", metrics=("a",), values=(1,), source_time_ms=-1, hub_time_ms=1),
        Reading(device="d", metrics=("a",), values=(1,), source_time_ms=2**60, hub_time_ms=1),
        Reading(
            device="d", metrics=("a",), values=(1,), source_time_ms=1, hub_time_ms=1, boot_id="b", seq=2**70
        ),
        Reading(device="d", metrics=("a",), values=([1],), source_time_ms=1, hub_time_ms=1),  # type: ignore[arg-type] # the type checker is right: that is what is tested
    ],
)
async def test_a_reading_that_cannot_be_stored_is_counted_and_harms_no_other(
    tmp_path: Path, reading: Reading
) -> None:
    health = Health()
    async with running(tmp_path, health) as store:
        store.put(reading)
        store.put(board(0))
        assert len(await stored(store)) == 1
    refused = health.registry.get_sample_value(
        "outpost_store_readings_refused_total", {"reason": "malformed"}
    )
    assert refused == 1


async def test_births_come_back_with_link_and_time(tmp_path: Path) -> None:
    birth = Birth(device="pico", name="Pico", metrics=(Metric(name="t", unit="°C", kind=Kind.NUMBER),))
    async with running(tmp_path) as store:
        store.put_birth(birth, LinkKind.SERIAL, 1)
        store.put_birth(birth, LinkKind.SERIAL, NOW_MS)
    async with running(tmp_path) as store:
        assert await store.births() == [(birth, LinkKind.SERIAL, NOW_MS)]


async def test_names_without_a_utf8_form_are_stored_all_the_same(tmp_path: Path) -> None:
    async with running(tmp_path) as store:
        store.put_birth(Birth(device="x", name="\ud800"), LinkKind.MQTT, 1)
        store.put(
            Reading(device="x", metrics=("\ud800",), values=("\udfff",), source_time_ms=1, hub_time_ms=1)
        )
        store.put(board(0))
        assert len(await stored(store)) == 1
        assert (await store.latest())["x"]["?"].value == "?"
        assert store.degraded is None


# --- the folder ---------------------------------------------------------------------------------------


async def test_a_missing_folder_is_made_for_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    async with running(folder) as store:
        store.put(board(0))
        await stored(store)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_store(tmp_path)._folder.release()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(StoreError, match="is not a folder"):
        open_store(tmp_path / "data")


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "outpost.db").write_text("my diary\n" * 100)
    with pytest.raises(StoreError, match="is not a database"):
        open_store(tmp_path)
    assert (tmp_path / "outpost.db").read_text().startswith("my diary")


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outpost.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(tmp_path)


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    import sqlite3

    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreError, match="another program"):
        open_store(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    import sqlite3

    Accounts.open(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(StoreError, match="newer Outpost"):
        open_store(tmp_path)


async def test_a_second_hub_on_the_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(StoreError, match=f"another hub \\(process {os.getpid()}\\)"):
            open_store(tmp_path)
    async with running(tmp_path):
        pass


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A child without root's rights tries, since root may write anywhere."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o500)
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    script = (
        "import os, sys, pathlib\n"
        "from hub.health import Health\n"
        "from hub.store.folder import StoreError\n"
        "from hub.store.store import Store\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: Store.open(pathlib.Path(sys.argv[1]), health=Health(), now_ms=lambda: 0)\n"
        "except StoreError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "data folder cannot be written" in done.stdout, done.stderr
    assert str(folder) in done.stdout
