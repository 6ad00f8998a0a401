"""Values come in the units that the birth says, and are of this world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hil.board import Board
    from hub.model import Sample

PLAUSIBLE = {
    "temperature": ("°C", -40.0, 85.0),
    "core_temperature": ("°C", -40.0, 105.0),
    "humidity": ("%", 0.0, 100.0),
    "memory": ("B", 1000.0, 16e6),
    "uptime": ("s", 0.0, 4e9),
    "vibration": ("g", -16.0, 16.0),
    "light": ("lx", 0.0, 200_000.0),
}


@pytest.mark.parametrize("name", sorted(PLAUSIBLE))
async def test_a_value_is_plausible_in_its_unit(board: Board, name: str) -> None:
    metrics = {metric.name: metric for metric in (await board.view()).metrics}
    if name not in metrics:
        pytest.skip(f"this board has no {name}")
    unit, low, high = PLAUSIBLE[name]
    metric = metrics[name]
    assert metric.unit == unit
    assert metric.last is not None
    assert isinstance(metric.last.value, int | float)
    assert low <= metric.last.value <= high


async def test_numbers_have_the_digits_that_the_birth_says(board: Board) -> None:
    for metric in (await board.view()).metrics:
        if metric.decimals is not None and metric.last is not None and metric.kind == "number":
            value = metric.last.value
            assert isinstance(value, int | float)
            assert round(value, metric.decimals) == pytest.approx(value, abs=1e-9)


async def test_uptime_and_source_time_run_alike(board: Board) -> None:
    first = (await board.metric("uptime")).last
    assert first is not None
    assert isinstance(first.value, int | float)
    target = first.value + 3

    async def later() -> Sample | None:
        last = (await board.metric("uptime")).last
        return (
            last
            if last is not None and isinstance(last.value, int | float) and last.value >= target
            else None
        )

    last = await board.until(later, "three more seconds of uptime")
    assert isinstance(last.value, int | float)
    passed_s = (last.source_time - first.source_time) / 1000
    assert passed_s == pytest.approx(last.value - first.value, abs=1.2)
