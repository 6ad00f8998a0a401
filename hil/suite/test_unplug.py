"""A pulled cable is noticed at once, and what the board took meanwhile is not lost."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from hub.model import CommandState

if TYPE_CHECKING:
    from hil.board import Board


@pytest.fixture
def unpluggable(board: Board) -> Board:
    """Return the board, where the rig can take it off the bus."""
    if not board.bench.can_unplug:
        pytest.skip("this rig cannot unplug the board: name `power_off` and `power_on` in the rig file")
    return board


async def test_an_unplugged_board_is_offline_with_a_reason_and_comes_back(unpluggable: Board) -> None:
    board = unpluggable
    board.bench.unplug()
    try:
        view = await board.offline(timeout_s=10)
        assert view.reason
    finally:
        board.bench.replug()
    assert (await board.online()).reason is None


async def test_a_command_to_an_unplugged_board_fails_at_once(unpluggable: Board) -> None:
    board = unpluggable
    board.bench.unplug()
    try:
        await board.offline(timeout_s=10)
        start_s = time.monotonic()
        result = await board.send("led", state="on", ttl_ms=60_000)
        assert result.state is CommandState.FAILED
        assert result.error
        assert time.monotonic() - start_s < 30  # long before its time to live: nothing was waited for
    finally:
        board.bench.replug()
    await board.online()


async def test_samples_of_the_outage_come_after_it(unpluggable: Board) -> None:
    board = unpluggable
    if not board.bench.runs_unplugged:
        pytest.skip("this rig unplugs a board by cutting its power: it takes no samples meanwhile")
    before = (await board.metric("sequence")).last
    assert before is not None
    assert isinstance(before.value, int | float)
    board.bench.unplug()
    try:
        await board.offline(timeout_s=10)
        await asyncio.sleep(3)
    finally:
        board.bench.replug()
    await board.online()
    target = before.value + 6

    async def caught_up() -> list[float]:
        rows = await board.samples("sequence", before.source_time)
        values = [row.value for row in rows if isinstance(row.value, int | float)]
        return values if values and values[-1] >= target else []

    values = await board.until(caught_up, "the samples after the outage")
    assert values == list(range(int(values[0]), int(values[0]) + len(values)))
