"""What was stored is what the board sent: no hole and no double in `sequence`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.model import Quality

if TYPE_CHECKING:
    from hil.board import Board
    from hil.client import StoredSample

SAMPLES = 8


@pytest.fixture
async def rows(board: Board) -> list[StoredSample]:
    """Return a run of stored samples, some of them asked for, in the order of their times."""
    earlier = (await board.metric("sequence")).last
    assert earlier is not None
    first = (await board.send("read")).result["sequence"]
    for _ in range(3):
        await board.send("read")

    async def enough() -> list[StoredSample]:
        found = await board.samples("sequence", earlier.source_time)
        # The test before may have restarted the board: the run begins in the boot that answered.
        starts = [at for at, row in enumerate(found) if row.value == first]
        run = found[starts[-1] :] if starts else []
        return run if len(run) >= SAMPLES else []

    found: list[StoredSample] = await board.until(enough, f"{SAMPLES} stored samples")
    return found


async def test_the_sequence_has_no_hole_and_no_double(rows: list[StoredSample]) -> None:
    values = [row.value for row in rows]
    first = values[0]
    assert isinstance(first, int | float)
    assert values == [first + step for step in range(len(values))]


async def test_times_go_forward(rows: list[StoredSample]) -> None:
    times = [row.time for row in rows]
    assert times == sorted(times)


async def test_samples_of_a_settled_link_are_good(rows: list[StoredSample]) -> None:
    assert {row.quality for row in rows[-3:]} == {Quality.GOOD}


async def test_metrics_of_one_reading_share_its_time(board: Board, rows: list[StoredSample]) -> None:
    memory = {row.time for row in await board.samples("memory", rows[0].time)}
    assert {row.time for row in rows} <= memory
