"""The layout of a JSON answer: an array a row, or one a column, which say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.model import Quality
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BEGAN_MS = NOW_MS - 10_000


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        for index in range(10):
            running.take(float(index), time_ms=BEGAN_MS + index * 1000)
        running.take(True, metric="door", time_ms=BEGAN_MS + 500)
        yield running


async def columns(hub: WebHub, query: str) -> dict[str, list[Any]]:
    """Ask for columns; return them by name."""
    answered = await hub.get(f"samples?device={DEVICE}&layout=columns&{query}")
    assert answered.status == 200, answered.body
    shown = answered.json()
    assert "rows" not in shown
    return dict(zip(shown["columns"], shown["arrays"], strict=True))


async def test_samples_that_are_all_good_have_no_column_of_qualities(hub: WebHub) -> None:
    shown = await columns(hub, "metric=temperature")
    assert shown == {
        "time": [BEGAN_MS + index * 1000 for index in range(10)],
        "value": [float(index) for index in range(10)],
    }


async def test_a_sample_that_is_not_good_brings_its_metrics_qualities(hub: WebHub) -> None:
    hub.take(None, metric="door", time_ms=BEGAN_MS + 1500)
    hub.take(10.0, time_ms=BEGAN_MS + 10_000)
    shown = await columns(hub, f"metric=temperature&metric=door&to={BEGAN_MS + 2000}")
    assert list(shown) == ["time", "temperature", "door", "door.quality"]
    assert shown["time"] == [BEGAN_MS + at for at in (0, 500, 1000, 1500)]
    assert shown["temperature"] == [0.0, None, 1.0, None]
    assert shown["door"] == [None, True, None, None]
    assert shown["door.quality"] == [None, Quality.GOOD, None, Quality.BAD]


@pytest.mark.parametrize(
    "query",
    [
        "metric=temperature&points=3",
        "metric=temperature&metric=door&points=3",
        "metric=temperature&points=3&agg=full",
        "metric=temperature&points=3&agg=quality",
        f"metric=temperature&at={NOW_MS}",
        f"metric=temperature&from={BEGAN_MS - 5000}&to={BEGAN_MS}&points=3",
        f"metric=temperature&from={BEGAN_MS - 5000}&to={BEGAN_MS}&agg=quality&points=3",
    ],
)
async def test_whatever_is_no_sample_has_the_same_columns_in_both_layouts(hub: WebHub, query: str) -> None:
    in_rows = (await hub.get(f"samples?device={DEVICE}&{query}")).json()
    shown = await columns(hub, query)
    assert list(shown) == in_rows["columns"]
    assert list(map(list, zip(*shown.values(), strict=True))) == in_rows["rows"]


async def test_a_span_without_samples_has_empty_columns(hub: WebHub) -> None:
    assert await columns(hub, f"metric=temperature&from=0&to={BEGAN_MS}") == {"time": [], "value": []}


async def test_pages_of_columns_go_on_by_their_cursor(hub: WebHub) -> None:
    path = f"samples?device={DEVICE}&metric=temperature&layout=columns&limit=4"
    first = (await hub.get(path)).json()
    following = (await hub.get(f"{path}&cursor={first['next']}")).json()
    assert first["arrays"][1] + following["arrays"][1] == [float(index) for index in range(8)]


@pytest.mark.parametrize(
    ("query", "said"), [("layout=columns&format=csv", "JSON"), ("layout=table", "table")]
)
async def test_a_layout_that_cannot_be_is_refused(hub: WebHub, query: str, said: str) -> None:
    answered = await hub.get(f"samples?device={DEVICE}&metric=temperature&{query}")
    assert answered.status == 400
    assert answered.problem()["parameter"] == "layout"
    assert said in answered.problem()["detail"]
