"""Commands go to the board and come back with an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hil.client import HubRefused
from hub.model import CommandState

if TYPE_CHECKING:
    from hil.board import Board

INVALID_PARAMS = -32602
UNKNOWN_COMMAND = -32003


@pytest.mark.parametrize("state", ["on", "off", "blink"])
async def test_the_led_takes_a_state(board: Board, state: str) -> None:
    result = await board.send("led", state=state)
    assert (result.state, result.result) == (CommandState.SUCCEEDED, {"state": state})


async def test_the_led_is_really_lit(board: Board) -> None:
    if board.bench.led() is None:
        pytest.skip("nothing on this rig looks at the LED")
    await board.send("led", state="on")
    assert board.bench.led() is True
    await board.send("led", state="off")
    assert board.bench.led() is False


async def test_identify_is_answered(board: Board) -> None:
    assert (await board.send("identify")).state is CommandState.SUCCEEDED


async def test_read_answers_with_every_metric_and_stores_a_sample(board: Board) -> None:
    view = await board.view()
    before = (await board.metric("sequence")).last
    assert before is not None
    result = await board.send("read")
    assert result.state is CommandState.SUCCEEDED
    assert set(result.result) == {metric.name for metric in view.metrics}
    wanted = result.result["sequence"]

    async def stored() -> bool:
        rows = await board.samples("sequence", before.source_time)
        return wanted in [row.value for row in rows]

    await board.until(stored, "the sample that was read to be stored")


async def test_set_interval_changes_how_often_samples_come(board: Board) -> None:
    metric = await board.metric("sequence")
    try:
        result = await board.send("set_interval", metric="sequence", interval_ms=100)
        assert result.state is CommandState.SUCCEEDED

        async def told() -> bool:
            return (await board.metric("sequence")).interval_ms == 100

        await board.until(told, "the new interval in the board's birth")
        start = (await board.metric("sequence")).last
        assert start is not None

        async def many() -> list[int]:
            rows = await board.samples("sequence", start.source_time)
            return [row.time for row in rows] if len(rows) > 20 else []

        times = await board.until(many, "twenty samples at the new interval")
        assert (times[-1] - times[0]) / (len(times) - 1) == pytest.approx(100, rel=0.5)
    finally:
        await board.send("set_interval", metric="sequence", interval_ms=metric.interval_ms or 1000)


@pytest.mark.parametrize(
    ("command", "params", "code"),
    [
        ("led", {"state": "purple"}, INVALID_PARAMS),
        ("led", {}, INVALID_PARAMS),
        ("set_interval", {"metric": "sequence", "interval_ms": 1}, INVALID_PARAMS),
        ("set_interval", {"metric": "none", "interval_ms": 1000}, INVALID_PARAMS),
        ("fly", {}, UNKNOWN_COMMAND),
    ],
)
async def test_a_bad_command_is_refused_before_it_is_sent(
    board: Board, command: str, params: dict[str, object], code: int
) -> None:
    with pytest.raises(HubRefused) as refused:
        await board.client.send(board.device, command, params)
    assert refused.value.code == code
