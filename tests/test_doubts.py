"""Which buckets hold samples that are not good: on a real file, sealed and not, against a plain dict."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.health import Health
from hub.model import Quality, Reading, Value
from hub.store.queries.budget import QueryRefused
from hub.store.settings import StoreSettings
from tests.fresh_store import open_fresh
from tests.web_hub import DEVICE, NOW_MS, web_hub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.store.store import Store

# After 16 samples a chunk is sealed: questions find some in the file and some in memory.
QUICK = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.02, read_interval_s=0.0, seal_samples=16)
RANK = list(Quality)

samples = st.lists(
    st.tuples(
        st.integers(0, 60_000),
        st.sampled_from(RANK),
        st.one_of(st.none(), st.integers(0, 9), st.just("text")),
    ),
    max_size=60,
    unique_by=lambda sample: sample[0],
)


def open_store(folder: Path) -> Store:
    return open_fresh(folder, health=Health(), now_ms=lambda: 0, settings=QUICK)


def reading(time: int, quality: Quality, value: Value) -> Reading:
    return Reading(
        device="x", metrics=("a",), values=(value,), quality=quality, source_time_ms=time, hub_time_ms=time
    )


def expected(taken: Sequence[tuple[int, Quality, Value]], width_ms: int) -> dict[int, Quality]:
    """Return the worst quality of each bucket that is not all good; a missing value is bad."""
    worst: dict[int, Quality] = {}
    for time, quality, value in taken:
        own = Quality.BAD if value is None else quality
        if own is not Quality.GOOD:
            start = time // width_ms * width_ms
            worst[start] = max(own, worst.get(start, Quality.GOOD), key=RANK.index)
    return worst


@settings(max_examples=15, deadline=None)
@given(samples)
async def test_the_worst_quality_of_each_bucket_is_found(taken: list[tuple[int, Quality, Value]]) -> None:
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        await store.start()
        for sample in taken:
            store.put(reading(*sample))
        await store.settle()
        found = await store.samples_doubts([("x", "a")], 0, 60_001, 62)
        await store.close()
    assert dict(zip(found.times, found.worst[0], strict=True)) == expected(taken, found.width_ms)


async def test_metrics_share_a_grid_and_what_is_good_is_left_out(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.start()
    values: tuple[Value, ...] = (1.0, None)
    store.put(Reading(device="x", metrics=("a", "b"), values=values, source_time_ms=1200, hub_time_ms=1200))
    store.put(reading(3000, Quality.UNCERTAIN, 2.0))
    store.put(reading(4000, Quality.GOOD, 2.0))
    found = await store.samples_doubts([("x", "a"), ("x", "b")], 0, 5000, 5)
    with pytest.raises(QueryRefused, match="points"):
        await store.samples_doubts([("x", "a")], 0, 5000, 0)
    await store.close()
    assert (found.width_ms, found.times) == (1000, [1000, 3000])
    assert found.worst == [[None, Quality.UNCERTAIN], [Quality.BAD, None]]


async def test_over_http_quality_comes_by_bucket_for_metrics_of_any_kind(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        hub.take(None, metric="temperature", time_ms=NOW_MS - 9500)
        hub.take(None, metric="note", time_ms=NOW_MS - 7500)
        span = f"from={NOW_MS - 10_000}&to={NOW_MS}&points=10&agg=quality"
        asked = f"samples?device={DEVICE}&metric=temperature"
        one = (await hub.get(f"{asked}&{span}")).json()
        two = (await hub.get(f"{asked}&metric=note&{span}")).json()
        refused = (await hub.get(f"{asked}&agg=quality")).problem()
    first, second = NOW_MS - 10_000, NOW_MS - 8000
    assert (one["columns"], one["rows"]) == (["time", "quality"], [[first, "bad"]])
    assert two["columns"] == ["time", "temperature.quality", "note.quality"]
    assert two["rows"] == [[first, "bad", None], [second, None, "bad"]]
    assert refused["parameter"] == "agg"
