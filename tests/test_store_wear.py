"""The store's own figures."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hub.health import Health
from hub.model import Reading
from hub.store.settings import StoreSettings
from hub.store.store import Store
from hub.store.wear import CYCLES, Wear

if TYPE_CHECKING:
    from pathlib import Path


def counted(folder: Path, written: int) -> Path:
    file = folder / "io"
    file.write_text(f"rchar: 5\nwrite_bytes: {written}\ncancelled_write_bytes: 0\n")
    return file


def test_a_rate_is_told_after_ten_minutes(tmp_path: Path) -> None:
    wear = Wear(tmp_path / "outpost.db", 100.0, counted(tmp_path, 1000))
    counted(tmp_path, 1000 + 600_000)
    assert wear.figures(699.0, 0).written_bytes_per_day is None
    assert wear.figures(700.0, 0).written_bytes_per_day == 86_400_000


def test_a_card_lasts_for_its_cycles(tmp_path: Path) -> None:
    wear = Wear(tmp_path / "outpost.db", 0.0, counted(tmp_path, 0))
    counted(tmp_path, 1_000_000)
    room = os.statvfs(tmp_path)
    wanted = room.f_blocks * room.f_frsize * CYCLES / 1_000_000 / 365.25
    assert wear.figures(86_400.0, 0).card_years == pytest.approx(wanted)


def test_where_nobody_counts_nothing_is_told(tmp_path: Path) -> None:
    wear = Wear(tmp_path / "outpost.db", 0.0, tmp_path / "none")
    assert wear.figures(86_400.0, 0).card_years is None


async def test_a_store_tells_its_size_its_queue_and_its_compression(tmp_path: Path) -> None:
    health = Health()
    settings = StoreSettings(idle_interval_s=60, read_interval_s=0.0, seal_samples=100)
    store = Store.open(tmp_path, health=health, now_ms=lambda: 0, settings=settings)
    await store.start()
    for time in range(200):
        store.put(Reading(device="d", metrics=("m",), values=(time,), source_time_ms=time, hub_time_ms=time))
    assert store.figures().queue_readings == 200
    await store.settle()
    await store.close()  # the writer has ended: what it had to seal is sealed
    figures = store.figures()
    assert figures.queue_readings == 0
    assert figures.file_bytes == (tmp_path / "outpost.db").stat().st_size
    assert figures.sealed_bytes_per_sample is not None
    assert 0 < figures.sealed_bytes_per_sample < 2
    assert health.registry.get_sample_value("outpost_store_sealed_samples_total") == 200
    assert health.registry.get_sample_value("outpost_store_file_bytes") == figures.file_bytes


def test_the_last_thousand_commits_tell_how_long_one_takes(tmp_path: Path) -> None:
    wear = Wear(tmp_path / "outpost.db", 0.0)
    assert (wear.figures(0.0, 0).commit_p50_ms, wear.figures(0.0, 0).commit_p99_ms) == (None, None)
    for duration_ms in (9_000, *range(1000)):
        wear.committed(duration_ms / 1000)
    assert (wear.figures(0.0, 0).commit_p50_ms, wear.figures(0.0, 0).commit_p99_ms) == (500, 990)


def test_compression_compares_with_a_float_and_its_time(tmp_path: Path) -> None:
    wear = Wear(tmp_path / "outpost.db", 0.0)
    wear.sealed(100, 80)
    assert wear.figures(0.0, 0).compression == 20
