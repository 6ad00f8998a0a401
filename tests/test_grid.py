"""Several metrics in one answer, and what was known at a time: on a real file, against plain dicts."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.health import Health
from hub.model import Quality, Reading, Value
from hub.store.queries.budget import Budget, QueryCancelled, QueryRefused
from hub.store.queries.grid import MAX_CELLS
from hub.store.settings import StoreSettings
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.store.store import Store

QUICK = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.02, read_interval_s=0.0, seal_samples=16)
MINUTE = 60_000
AB = [("x", "a"), ("y", "b")]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path)
    await store.start()
    yield store
    await store.close()


def open_store(folder: Path) -> Store:
    return open_fresh(folder, health=Health(), now_ms=lambda: 0, settings=QUICK)


def reading(device: str, metric: str, time: int, value: Value) -> Reading:
    return Reading(device=device, metrics=(metric,), values=(value,), source_time_ms=time, hub_time_ms=time)


async def sealed(store: Store) -> None:
    await store.settle()
    await asyncio.sleep(0.05)


async def test_metrics_of_several_devices_share_a_grid(store: Store) -> None:
    for time in (0, 500, 3000):
        store.put(reading("x", "a", time, time))
    store.put(reading("y", "b", 1200, 7))
    found = await store.samples_grid(AB, 0, 4000, 4)
    assert found.width_ms == 1000
    assert found.times.tolist() == [0, 1000, 3000]
    (places, spans), (other, others) = found.parts
    assert (places.tolist(), spans.count.tolist(), spans.high.tolist()) == ([0, 2], [2, 1], [500, 3000])
    assert (other.tolist(), others.low.tolist()) == ([1], [7])


async def test_a_grid_of_nothing_is_empty(store: Store) -> None:
    found = await store.samples_grid(AB, 0, 4000, 4)
    assert (found.times.tolist(), len(found.parts)) == ([], 2)


async def test_an_answer_that_is_too_large_is_refused_with_what_may_be_asked(store: Store) -> None:
    many = [("x", str(number)) for number in range(50)]
    with pytest.raises(QueryRefused, match="`points` is 1001; for 50 metrics it must be 1 to 1000"):
        await store.samples_grid(many, 0, 4000, MAX_CELLS // 50 + 1)
    with pytest.raises(QueryRefused, match="`limit` is 1001; for 50 metrics"):
        await store.samples_joined(many, 0, 4000, MAX_CELLS // 50 + 1)
    with pytest.raises(QueryRefused, match="65 metrics; one answer has 1 to 64"):
        await store.samples_grid([("x", str(number)) for number in range(65)], 0, 4000, 1)


async def test_rows_of_several_metrics_meet_at_their_times(store: Store) -> None:
    for time in (1, 2, 4):
        store.put(reading("x", "a", time, time))
    for time, value in ((2, "on"), (3, None)):
        store.put(reading("y", "b", time, value))
    page = await store.samples_joined(AB, 0, 10, 10)
    assert page.rows == [
        (1, 1, "good", None, None),
        (2, 2, "good", "on", "good"),
        (3, None, None, None, "bad"),
        (4, 4, "good", None, None),
    ]
    assert page.next is None


async def test_known_is_the_last_sample_at_the_time_and_no_older_than_asked(store: Store) -> None:
    for time in (MINUTE, 2 * MINUTE, 90 * MINUTE):
        store.put(reading("x", "a", time, time))
    store.put(reading("y", "b", 5, "early"))
    found = await store.samples_at(AB, 80 * MINUTE, 100 * MINUTE)
    assert [(one.device, one.metric, one.time, one.value) for one in found] == [
        ("x", "a", 2 * MINUTE, 2 * MINUTE),
        ("y", "b", 5, "early"),
    ]
    assert [one.metric for one in await store.samples_at(AB, 80 * MINUTE, 79 * MINUTE)] == ["a"]
    assert [one.time for one in await store.samples_at(AB, 90 * MINUTE, MINUTE)] == [90 * MINUTE]


async def test_known_of_all_and_of_a_device_needs_no_names(store: Store) -> None:
    store.put(reading("x", "a", 5, 1))
    store.put(reading("x", "c", 6, 2))
    store.put(reading("y", "b", 7, 3))
    await sealed(store)
    assert [one.metric for one in await store.samples_at(None, 10, 10)] == ["a", "c", "b"]
    assert [one.metric for one in await store.samples_at("x", 10, 10)] == ["a", "c"]
    assert await store.stored_metrics("x") == ["a", "c"]


@pytest.mark.parametrize("end", ["cancel", "samples", "time"])
def test_a_budget_ends_a_query(end: str) -> None:
    now = 0.0
    budget = Budget(5, max_decoded=100, clock=lambda: now)
    budget.begin()
    budget.spend(100)
    if end == "cancel":
        budget.cancel()
        with pytest.raises(QueryCancelled):
            budget.spend()
    elif end == "samples":
        with pytest.raises(QueryRefused, match="more than 100 samples"):
            budget.spend(1)
    else:
        now = 5.1
        with pytest.raises(QueryRefused, match="longer than 5 s"):
            budget.spend()
    assert budget.over is (end != "samples")


async def test_a_query_whose_asker_went_is_ended(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for window in range(40):
        store.put(reading("x", "a", window * 15 * MINUTE, window))
    await sealed(store)
    spent: list[bool] = []
    spend = Budget.spend

    def slow(budget: Budget, samples: int = 0) -> None:
        import time

        time.sleep(0.02)
        spent.append(budget.cancelled)
        spend(budget, samples)

    monkeypatch.setattr(Budget, "spend", slow)
    asked = asyncio.create_task(store.samples_raw("x", "a", 0, 2**50, 1000))
    await asyncio.sleep(0.1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await asyncio.sleep(0.1)
    assert spent[-1]
    assert len(spent) < 40


Values = st.one_of(st.integers(-9, 9), st.floats(-1e6, 1e6, width=32), st.booleans(), st.none(), st.just("t"))
# Around two ends of windows, so that chunks, memory and gaps all come up.
Times = st.one_of(
    st.integers(0, 12), st.integers(15 * MINUTE - 5, 15 * MINUTE + 5), st.integers(10**9, 10**9 + 40)
)
Samples = st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("ab"), Times, Values), max_size=60)


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    samples=Samples,
    limit=st.integers(1, 5),
    points=st.integers(1, 20),
    start=st.integers(0, 30),
    at_ms=Times,
)
def test_several_metrics_answer_as_dicts_would(
    samples: list[tuple[str, str, int, Value]], limit: int, points: int, start: int, at_ms: int
) -> None:
    metrics = [("x", "a"), ("y", "a"), ("x", "b")]
    model: dict[tuple[str, str], dict[int, Value]] = {metric: {} for metric in metrics}

    async def check(folder: Path) -> None:
        store = open_store(folder)
        await store.start()
        for device, metric, time, value in samples:
            store.put(reading(device, metric, time, value))
            model.setdefault((device, metric), {}).setdefault(time, value)
        end = 2 * 10**9
        await _pages_are_the_model(store, metrics, model, start, end, limit)
        await _grid_is_the_model(store, metrics, model, start, end, points)
        known = {
            (one.device, one.metric): (one.time, one.value)
            for one in await store.samples_at(None, at_ms, end)
        }
        # What has not been committed yet has no name in the file.
        known |= {
            (one.device, one.metric): (one.time, one.value)
            for one in await store.samples_at(metrics, at_ms, end)
        }
        assert {key: (time, repr(value)) for key, (time, value) in known.items()} == {
            key: max((time, repr(value)) for time, value in of.items() if time <= at_ms)
            for key, of in model.items()
            if any(time <= at_ms for time in of) and (key in metrics or key in known)
        }
        await store.close()

    with TemporaryDirectory() as name:
        asyncio.run(check(Path(name)))


async def _pages_are_the_model(
    store: Store, metrics: Any, model: Any, start: int, end: int, limit: int
) -> None:
    rows: list[Any] = []
    cursor = None
    while True:
        page = await store.samples_joined(metrics, start, end, limit, cursor)
        assert len(page.rows) <= limit
        rows += page.rows
        cursor = page.next
        if cursor is None:
            break
    times = sorted({time for metric in metrics for time in model[metric] if start <= time < end})
    assert [row[0] for row in rows] == times
    for time, *cells in rows:
        for place, metric in enumerate(metrics):
            value, quality = cells[2 * place : 2 * place + 2]
            if time in model[metric]:
                assert repr(value) == repr(model[metric][time])
                assert quality is (Quality.BAD if value is None else Quality.GOOD)
            else:
                assert (value, quality) == (None, None)


async def _grid_is_the_model(
    store: Store, metrics: Any, model: Any, start: int, end: int, points: int
) -> None:
    found = await store.samples_grid(metrics, start, end, points)
    origin = start if points == 1 else 0
    for metric, (places, spans) in zip(metrics, found.parts, strict=True):
        wanted: dict[int, list[float]] = {}
        for time, value in sorted(model[metric].items()):
            if start <= time < end and isinstance(value, int | float):
                bucket = (time - origin) // found.width_ms * found.width_ms + origin
                wanted.setdefault(bucket, []).append(value)
        assert found.times[places].tolist() == sorted(wanted)
        assert spans.count.tolist() == [len(wanted[bucket]) for bucket in sorted(wanted)]
        assert spans.low.tolist() == [min(wanted[bucket]) for bucket in sorted(wanted)]
        assert spans.high.tolist() == [max(wanted[bucket]) for bucket in sorted(wanted)]
        assert all(
            math.isclose(total, math.fsum(wanted[bucket]), rel_tol=1e-9, abs_tol=1e-6)
            for total, bucket in zip(spans.total.tolist(), sorted(wanted), strict=True)
        )
