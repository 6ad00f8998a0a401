"""A host whose wall clock jumps: every reading is stored once, in order, whatever time it bears."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from hub.links.serial import SerialLink
from hub.links.session import Shared
from hub.model import Reading
from tests.background_task import beside
from tests.hub_rooms import rooms
from tests.pty_board import PtyBoard

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model import LinkEvent
    from tests.hub_rooms import Rooms

HOUR_MS = 3_600_000
NOW_MS = 1_763_700_000_000
JUMPS = {
    "a host without a battery hears the time": (0, NOW_MS),
    "an hour ahead": (NOW_MS, NOW_MS + HOUR_MS),
    "an hour back": (NOW_MS, NOW_MS - HOUR_MS),
    "to and fro": (NOW_MS, NOW_MS + HOUR_MS, NOW_MS, NOW_MS - HOUR_MS, NOW_MS),
}
EACH = 40


class Wall:
    """A wall clock that a test sets; between settings it goes on."""

    def __init__(self) -> None:
        self.set(0)

    def set(self, now_ms: int) -> None:
        self._offset_ms = now_ms - self._monotonic_ms()

    def now_ms(self) -> int:
        return self._offset_ms + self._monotonic_ms()

    def _monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


@pytest.mark.parametrize("stations", JUMPS.values(), ids=JUMPS.keys())
async def test_a_wall_clock_that_jumps_loses_and_reorders_nothing(
    tmp_path: Path, stations: tuple[int, ...]
) -> None:
    wall, board = Wall(), PtyBoard(tmp_path / "tty")
    board.plug()
    async with rooms(tmp_path / "data", wall.now_ms) as parts:
        shared = Shared(last_seq=parts.store.last_seq, now_ms=wall.now_ms)
        link = SerialLink(str(board.link), shared)
        parts.attach(link)
        seen: list[int | None] = []

        def sink(event: LinkEvent) -> None:
            if isinstance(event, Reading):
                seen.append(event.seq)
            parts.sink(event)

        async with beside(link.run(sink)):
            for station_ms in stations:
                wall.set(station_ms)
                board.take(EACH)
                await until_acked(board)
                await check_times(parts, board, station_ms)
        rows = await parts.rows(board.uid, "sequence")
    await board.unplug()
    assert seen == list(range(EACH * len(stations)))
    assert sorted(row.value for row in rows) == seen


def nothing(_device: str, _boot_id: str) -> int:
    return -1


async def until_acked(board: PtyBoard) -> None:
    async with asyncio.timeout(40):
        while board.outbox.first_seq != board.outbox.next_seq:
            await asyncio.sleep(0.01)


async def check_times(parts: Rooms, board: PtyBoard, station_ms: int) -> None:
    """Hold the readings of this station against the time that the wall clock showed."""
    last = board.outbox.next_seq
    times = [row.time for row in await parts.rows(board.uid, "sequence") if last - EACH <= row.value < last]
    assert len(times) == EACH
    assert all(abs(time_ms - station_ms) < HOUR_MS / 2 for time_ms in times)


async def test_a_reading_that_waits_over_a_jump_is_stored_once(tmp_path: Path) -> None:
    wall, board = Wall(), PtyBoard(tmp_path / "tty")
    wall.set(NOW_MS)
    board.plug()
    async with rooms(tmp_path / "data", wall.now_ms) as parts:
        for shift_ms in (0, HOUR_MS, -HOUR_MS):
            board.take(EACH)
            wall.set(NOW_MS + shift_ms)
            # A hub that takes nothing for committed has all of it sent again; and acks reach nobody.
            link = SerialLink(str(board.link), Shared(last_seq=nothing, now_ms=wall.now_ms))
            async with beside(link.run(parts.sink)), asyncio.timeout(40):
                while parts.store.last_seq(board.uid, "0000b001") < board.outbox.next_seq - 1:
                    await asyncio.sleep(0.01)
        rows = await parts.rows(board.uid, "sequence")
    await board.unplug()
    assert board.outbox.first_seq == 0
    assert sorted(row.value for row in rows) == list(range(3 * EACH))
