"""A store for tests of the import: made, asked and filled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from hub.health import Health
from hub.model import Birth, Kind, LinkKind, Metric, Quality, Reading, Value
from hub.store.settings import StoreSettings
from hub.store.transfer import archive
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from pathlib import Path

    from hub.store.store import Store

SETTINGS = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.01, read_interval_s=0.0, seal_samples=20)
NOTED = Birth(device="n", name="N", metrics=(Metric(name="note", kind=Kind.TEXT),))
"""A device whose text looks like a number."""


def open_store(folder: Path) -> Store:
    """Open a store that seals soon."""
    return open_fresh(folder, health=Health(), now_ms=lambda: 0, settings=SETTINGS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty store."""
    asyncio.run(open_store(tmp_path / "data").close())
    return tmp_path / "data"


def run(*arguments: object) -> Result:
    """Run `outpost`."""
    return CliRunner().invoke(main, [str(one) for one in arguments])


def content(folder: Path) -> list[tuple[Any, ...]]:
    """Return all that a store holds."""
    return [
        (device, metric, row.time, repr(row.value), str(row.quality))
        for device, metric, rows in archive.samples(folder, archive.Wanted())
        for row in rows
    ]


async def put(folder: Path, device: str, metric: str, values: dict[int, Value]) -> None:
    """Store values by their times."""
    store = open_store(folder)
    await store.start()
    for time, value in values.items():
        store.put(
            Reading(device=device, metrics=(metric,), values=(value,), source_time_ms=time, hub_time_ms=time)
        )
    await store.close()


async def fill(folder: Path) -> None:
    """Store what a board and another device sent, two of each millisecond."""
    store = open_store(folder)
    await store.start()
    for seq in range(60):
        store.put(
            Reading(
                device="board",
                metrics=("t", "on"),
                values=(seq / 4, seq % 3 == 0),
                source_time_ms=seq // 2 * 1000,  # two of each millisecond, as a board may send
                hub_time_ms=seq,
                quality=Quality.UNCERTAIN if seq == 7 else Quality.GOOD,
                boot_id="b",
                seq=seq,
            )
        )
        if seq == 40:
            await store.settle()
    store.put(Reading(device="n", metrics=("note",), values=("5",), source_time_ms=9, hub_time_ms=9))
    store.put_birth(NOTED, LinkKind.MQTT, 7)
    await store.close()


async def born(folder: Path, birth: Birth) -> None:
    """Have a store know a device."""
    store = open_store(folder)
    await store.start()
    store.put_birth(birth, LinkKind.MQTT, 7)
    await store.close()
