"""A hub that is away for ten minutes: the board's outbox holds what fits, and counts what does not."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from hil.virtual.board import HEAP_KIB, VirtualBoard
from hil.virtual.image import assemble
from hub.links.serial import SerialLink
from hub.links.session import Shared
from tests.background_task import beside
from tests.e2e.four_boards import Acks, configuration
from tests.hub_rooms import Rooms, rooms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

OUTAGE_S = 600
IN_FLIGHT = 32
"""What a board drops while its ack is on the way is counted, though the hub has it: so much at most."""
START_MS = 1_763_700_000_000


class Rig:
    """A board whose time can be made to fly, and a hub on the same time that can be away."""

    def __init__(self, folder: Path, interval_ms: int, heap_kib: int = HEAP_KIB) -> None:
        flash = folder / "flash"
        flash.mkdir()
        assemble(flash, configuration("Far", interval_ms))
        self.board = VirtualBoard(flash, link=folder / "tty", heap_kib=heap_kib)
        self.data = folder / "data"
        self.rows: list[tuple[int, int]] = []
        """What is stored of `sequence`: (time, value), by time."""
        self.dropped = 0
        """What the board says that it dropped."""
        self.outbox_bytes = 0
        """What the board's birth declares of its outbox."""
        self.gaps = 0
        """What the last hub says that it missed."""
        self.acks = Acks(self.board.console)

    def clock_ms(self) -> float:
        """The one time of this rig, which both ends count on their own."""
        return self.board.clock.now_s() * 1000

    def now_ms(self) -> int:
        return START_MS + int(self.clock_ms())

    @contextlib.asynccontextmanager
    async def hub(self) -> AsyncIterator[Rooms]:
        """Run a hub that knows only what is on its disk."""
        async with rooms(self.data, self.now_ms) as parts:
            shared = Shared(last_seq=parts.store.last_seq, now_ms=self.now_ms, clock_ms=self.clock_ms)
            link = SerialLink(self.board.path, shared)
            parts.attach(link)
            async with beside(link.run(parts.sink)):
                yield parts

    async def work_until(self, count: int) -> None:
        """Let a hub run until it stored `count` more readings, up to the board's present."""
        async with self.hub() as parts:
            before, due_ms = len(self.rows), self.now_ms()
            async with asyncio.timeout(90):
                while len(self.rows) < before + count or self.rows[-1][0] < due_ms:
                    await asyncio.sleep(0.2)
                    rows = await parts.rows(self.board.uid, "sequence")
                    self.rows = [(row.time, row.value) for row in rows]
            dropped = await parts.rows(self.board.uid, "outbox_dropped")
            self.dropped = dropped[-1].value
            state = parts.registry.get(self.board.uid)
            assert state is not None
            self.outbox_bytes = state.birth.outbox_bytes or 0
            self.gaps = int(parts.registry.figures(self.board.uid)["gaps"])

    async def be_away(self, seconds: float) -> None:
        """Let so much of the board's time pass without a hub, as fast as its processor works."""
        until_s = self.board.clock.now_s() + seconds
        self.board.clock.virtual = True
        async with asyncio.timeout(90):
            while self.board.clock.now_s() < until_s:
                await asyncio.sleep(0.001)
        self.board.clock.virtual = False

    @property
    def sequence(self) -> list[int]:
        return [value for _, value in self.rows]


LONGEST = 80
"""Bytes of this board's longest reading in the outbox: its payload, and one for its length."""


def declared(rig: Rig) -> int:
    """How many readings the outbox holds at least that the board's birth declares; its end may be lost."""
    return (rig.outbox_bytes - 256) // LONGEST


@contextlib.contextmanager
def powered(rig: Rig) -> Iterator[None]:
    """Give the board power; it must not crash in all that."""
    rig.board.start()
    try:
        yield
    finally:
        rig.board.stop()
    assert rig.board.crashes == []


async def test_ten_minutes_at_one_hertz_leave_no_gap(tmp_path: Path) -> None:
    rig = Rig(tmp_path, interval_ms=1000)
    with powered(rig):
        await rig.work_until(2)
        await rig.be_away(OUTAGE_S)
        await rig.work_until(OUTAGE_S)
    assert rig.sequence == list(range(len(rig.rows)))
    assert rig.dropped == 0
    # The board's own words: what it declared would have held at least so many of its longest readings.
    assert declared(rig) >= OUTAGE_S
    steps = [after - before for (before, _), (after, _) in pairwise(rig.rows)]
    assert max(steps) < 1500, "a reading has not the time at which it was taken"
    assert min(steps) > 500


async def test_what_no_longer_fits_is_dropped_oldest_first_and_counted(tmp_path: Path) -> None:
    rig = Rig(tmp_path, interval_ms=200, heap_kib=HEAP_KIB * 5 // 6)
    with powered(rig):
        await rig.work_until(10)
        (acked,) = rig.acks.upto.values()
        await rig.be_away(OUTAGE_S)
        await rig.work_until(50)
    holes = [(before + 1, after) for before, after in pairwise(rig.sequence) if after != before + 1]
    ((gone_from, kept_from),) = holes
    lost = kept_from - gone_from
    assert rig.gaps == lost, "the hub's count of the gap is wrong"
    assert lost <= rig.dropped <= lost + IN_FLIGHT, "what the board counted is not what it dropped"
    assert gone_from > acked, "an acked reading is missing"
    held = rig.sequence[-1] - kept_from
    assert held >= declared(rig), "the outbox held less than the board declared"
