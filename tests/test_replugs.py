"""A board whose cable is pulled and put back, each time at another path: it is itself, and soon back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble
from hub.config import SerialConfig
from hub.links.ports import SerialPorts
from hub.links.usb import UsbPort
from tests.background_task import beside
from tests.descriptors import open_descriptors
from tests.e2e.four_boards import configuration
from tests.hub_rooms import rooms
from tests.soak import SOAK, times

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hub_rooms import Rooms

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

REPLUGS = times(10, 100)
BACK_S = 3.0 if SOAK else 20.0
"""What is promised on a machine that has time, and what a test waits on one that has none."""


class Bus:
    """The USB bus as the hub sees it: the board's pty appears under a new name whenever it is plugged in."""

    def __init__(self, board: VirtualBoard, folder: Path) -> None:
        self._board, self._folder = board, folder
        self._plugs = 0
        self._name: Path | None = None

    def plug(self) -> None:
        self._board.replug()
        self._plugs += 1
        name = self._folder / f"ttyACM{self._plugs % 7}"
        name.symlink_to(self._board.path)
        self._name = name

    def unplug(self) -> None:
        if self._name is not None:
            self._name.unlink()
        self._name = None
        self._board.unplug()

    def ports(self) -> list[UsbPort]:
        name = self._name
        return [] if name is None else [UsbPort(device=str(name))]


async def test_replugs_at_other_paths_keep_identity_descriptors_and_tasks(tmp_path: Path) -> None:
    assemble(tmp_path, configuration("Loose", 100))
    board = VirtualBoard(tmp_path)
    board.start()
    board.unplug()
    bus = Bus(board, tmp_path)
    try:
        async with rooms(tmp_path / "data", wall_ms) as parts:
            link = SerialPorts(
                SerialConfig(ports=("auto",)), last_seq=parts.store.last_seq, now_ms=wall_ms, find=bus.ports
            )
            parts.attach(link)
            async with beside(link.run(parts.sink)):
                # The first opens what stays open: threads' sockets and such.
                await replug(parts, bus, board.uid)
                before = await unplugged(parts, bus, board.uid)
                took_s = [await replug(parts, bus, board.uid, pulled=True) for _ in range(REPLUGS)]
                # The least of some counts: the store's chores hold a file for a moment now and then.
                after = min([await unplugged(parts, bus, board.uid) for _ in range(3)])
            rows = await parts.rows(board.uid, "sequence")
            ids = [state.id for state in parts.registry.all()]
    finally:
        board.stop()
    assert all(now <= then for now, then in zip(after, before, strict=True)), (after, before)
    assert ids == [board.uid]
    assert [row.value for row in rows] == list(range(len(rows))), "a hole or a double"
    assert board.boots == 1
    assert max(took_s) < BACK_S, f"back after {max(took_s):.1f} s at worst"


async def replug(parts: Rooms, bus: Bus, uid: str, *, pulled: bool = False) -> float:
    """Plug the board in at the next path, and with `pulled` pull it again. Return the s until it was back."""
    began = time.monotonic()
    bus.plug()
    await until(lambda: online(parts, uid))
    took_s = time.monotonic() - began
    if pulled:
        bus.unplug()
        await until(lambda: not online(parts, uid))
    return took_s


async def unplugged(parts: Rooms, bus: Bus, uid: str) -> tuple[int, int]:
    """Pull the board; return how many descriptors and tasks there are once the hub has let go of it."""
    bus.unplug()
    await until(lambda: not online(parts, uid))
    await asyncio.sleep(2.5)  # a scan or two, which end the link of a path that is gone
    return open_descriptors(), len(asyncio.all_tasks())


def online(parts: Rooms, uid: str) -> bool:
    state = parts.registry.get(uid)
    return state is not None and state.online


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BACK_S + 20):
        while not condition():
            await asyncio.sleep(0.01)
