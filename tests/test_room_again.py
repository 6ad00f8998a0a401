"""A store without room refuses what boards send; once there is room, the session has them say it again."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from hub.bus import Bus
from hub.config import SerialConfig
from hub.devices import Registry
from hub.health import Health
from hub.ingest import Ingest
from hub.links.ports import SerialPorts
from hub.model import LinkKind
from hub.store.settings import StoreSettings
from hub.store.store import Store
from tests.fakes import until
from tests.pty_board import PtyBoard

if TYPE_CHECKING:
    from pathlib import Path

READINGS = 30
ROOM = StoreSettings(
    ack_interval_s=3600, idle_interval_s=3600, heartbeat_s=3600, read_interval_s=0, queue_samples=40
)
"""Ten readings of the board's four metrics, until the test has them committed."""


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.slow
async def test_what_found_no_room_comes_again_in_the_same_session_and_is_stored_once(tmp_path: Path) -> None:
    health, registry = Health(), Registry()
    store = Store.open(tmp_path / "store", health=health, now_ms=wall_ms, settings=ROOM)
    await store.start()
    bus = Bus(epoch="0badcafe", now_ms=wall_ms)
    ingest = Ingest(registry=registry, store=store, bus=bus, health=health, now_ms=wall_ms)
    board = PtyBoard(tmp_path / "board")
    board.take(READINGS)
    board.plug()
    ports = SerialPorts(
        SerialConfig(ports=(str(board.link),)), last_seq=store.last_seq, now_ms=wall_ms, frames_per_s=10**6
    )
    registry.attach(ports)
    task = asyncio.create_task(ports.run(ingest.sink_for(LinkKind.SERIAL)))
    try:
        await until(lambda: _refused(health) >= READINGS - 10)
        assert store.waiting_readings == 10

        async def committed() -> None:
            while board.outbox.first_seq < READINGS:
                await store.settle()
                await asyncio.sleep(0.01)

        await asyncio.wait_for(committed(), 60)
        page = await store.samples_raw(board.uid, "sequence", 0, wall_ms() + 60_000, 1000)
        assert len(page.rows) == READINGS
        assert {row.value for row in page.rows} == set(range(READINGS))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await board.unplug()
        await store.close()


def _refused(health: Health) -> float:
    found = health.registry.get_sample_value("outpost_store_readings_refused_total", {"reason": "full"})
    return found or 0.0
