"""Questions about samples, on a real file."""

from __future__ import annotations

import asyncio
import contextlib
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.health import Health
from hub.model import Quality, Reading, Value
from hub.store.queries.budget import QueryBusy, QueryRefused
from hub.store.queries.history import Row, bucket_width_ms
from hub.store.queries.reader import Readers
from hub.store.settings import StoreSettings
from hub.store.shell import connect_shell
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.store.store import Store

END = 2**53 - 1
QUICK = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.02, read_interval_s=0.0, seal_samples=8)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_fresh(tmp_path, health=Health(), now_ms=lambda: 0, settings=QUICK)
    await store.start()
    yield store
    await store.close()


def reading(time: int, value: Value, *, device: str = "d", quality: Quality = Quality.GOOD) -> Reading:
    return Reading(
        device=device,
        metrics=("m",),
        values=(value,),
        source_time_ms=time,
        hub_time_ms=time + 5,
        quality=quality,
    )


def board_reading(time: int, value: Value, boot: str, seq: int, *, device: str = "board") -> Reading:
    return Reading(
        device=device,
        metrics=("m",),
        values=(value,),
        source_time_ms=time,
        hub_time_ms=9,
        boot_id=boot,
        seq=seq,
    )


async def pages(store: Store, limit: int, metric: str = "m", device: str = "d") -> list[Row]:
    rows: list[Row] = []
    cursor = None
    while True:
        page = await store.samples_raw(device, metric, 0, END, limit, cursor)
        assert len(page.rows) <= limit
        rows += page.rows
        cursor = page.next
        if cursor is None:
            return rows


@pytest.mark.parametrize(
    "value", [0, 1, -7, 2**40, 1.5, 5.0, -0.0, 1e300, True, False, "", "open", "ü\0x", None]
)
async def test_a_value_comes_back_as_it_was_with_its_type(store: Store, value: Value) -> None:
    store.put(reading(1, value))
    back = (await pages(store, 10))[0].value
    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, None])
async def test_what_is_no_finite_number_is_null_of_bad_quality(store: Store, value: Value) -> None:
    store.put(reading(1, value))
    assert await pages(store, 10) == [Row(1, None, Quality.BAD)]


async def test_an_integer_past_64_bits_is_kept_as_float(store: Store) -> None:
    store.put(reading(1, 2**70))
    assert (await pages(store, 10))[0].value == float(2**70)


@pytest.mark.parametrize("quality", list(Quality))
async def test_quality_comes_back(store: Store, quality: Quality) -> None:
    store.put(reading(1, 1, quality=quality))
    assert (await pages(store, 10))[0].quality is quality


async def test_late_samples_take_their_place_in_time(store: Store) -> None:
    for time in (30, 10, 20):
        store.put(reading(time, time))
    assert [row.time for row in await pages(store, 10)] == [10, 20, 30]


async def test_the_span_holds_its_start_and_not_its_end(store: Store) -> None:
    for time in (10, 20, 30):
        store.put(reading(time, time))
    page = await store.samples_raw("d", "m", 10, 30, 10)
    assert [row.time for row in page.rows] == [10, 20]


async def test_a_page_that_ends_with_the_last_row_has_no_next(store: Store) -> None:
    for time in range(4):
        store.put(reading(time, time))
    assert (await store.samples_raw("d", "m", 0, END, 4)).next is None


async def test_a_cursor_goes_on_inside_one_millisecond(store: Store) -> None:
    for seq in range(5):
        store.put(board_reading(9, seq, "b", seq, device="d"))
    assert [row.value for row in await pages(store, 2)] == [0, 1, 2, 3, 4]


async def test_pages_go_on_where_they_ended_though_samples_came_late_and_were_sealed(store: Store) -> None:
    for seq, time in enumerate((5, 9, 9, 12)):
        store.put(board_reading(time, seq, "b", seq, device="d"))
    first = await store.samples_raw("d", "m", 0, END, 2)
    # A page ends with a millisecond, so what comes for it later, in whatever order, is on neither page twice.
    assert [row.value for row in first.rows] == [0]
    for time in (9, 3, 11):
        store.put(reading(time, 100 + time, device="e"))
        store.put(board_reading(time, 100 + time, "c", 50 + time, device="d"))
    await store.settle()
    second = await store.samples_raw("d", "m", 0, END, 100, first.next)
    assert sorted(row.time for row in second.rows) == [9, 9, 9, 11, 12]


async def test_a_cursor_that_says_too_much_gets_no_more_memory_than_another(store: Store) -> None:
    for time in range(20):
        store.put(reading(time, time))
    page = await store.samples_raw("d", "m", 0, END, 2, f"3-{10**17}")
    assert [row.value for row in page.rows] == [4, 5]


async def test_a_metric_is_found_in_readings_of_any_shape(store: Store) -> None:
    def mixed(time: int, metrics: tuple[str, ...], values: tuple[Value, ...]) -> Reading:
        return Reading(device="d", metrics=metrics, values=values, source_time_ms=time, hub_time_ms=time)

    store.put(mixed(1, ("a", "m"), (10, 1)))
    store.put(mixed(2, ("m",), (2,)))
    store.put(mixed(3, ("m", "b"), (3, 30)))
    store.put(mixed(4, ("a",), (40,)))
    store.put(mixed(1, ("m", "z"), (99, 5)))  # m at 1 is there already, z is not
    assert [row.value for row in await pages(store, 2)] == [1, 2, 3]
    assert [row.value for row in await pages(store, 2, metric="z")] == [5]
    assert [_astuple(bucket) for bucket in await store.samples_buckets("d", "m", 0, 10, 1)] == [
        (0, 1, 3, 2, 3)
    ]
    assert {name: sample.value for name, sample in (await store.latest())["d"].items()} == {
        "a": 40,
        "m": 3,
        "b": 30,
        "z": 5,
    }


async def test_a_sql_shell_shows_a_row_a_sample(store: Store, tmp_path: Path) -> None:
    store.put(Reading(device="d", metrics=("a", "b"), values=(1.5, None), source_time_ms=7, hub_time_ms=9))
    await store.latest()
    with contextlib.closing(connect_shell(tmp_path / "outpost.db")) as connection:
        rows = connection.execute("SELECT device, metric, time, value, quality FROM samples").fetchall()
    assert rows == [("d", "a", 7, 1.5, "good"), ("d", "b", 7, None, "bad")]


async def test_unknown_metrics_have_no_samples(store: Store) -> None:
    assert (await store.samples_raw("x", "y", 0, END, 10)).rows == []
    assert await store.samples_buckets("x", "y", 0, END, 10) == []
    assert (await store.samples_raw("\ud800", "\ud800", 0, END, 10)).rows == []


@pytest.mark.parametrize(("from_ms", "to_ms"), [(5, 5), (6, 5), (-1, 5), (0, 2**60)])
async def test_a_span_that_is_none_is_refused(store: Store, from_ms: int, to_ms: int) -> None:
    with pytest.raises(QueryRefused, match="span"):
        await store.samples_raw("d", "m", from_ms, to_ms, 10)
    with pytest.raises(QueryRefused, match="span"):
        await store.samples_buckets("d", "m", from_ms, to_ms, 10)


@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "1-", "-1-2", "1-2-3", "1-2\n", "9" * 40 + "-1", "\u0661-\u0661"]
)
async def test_a_foreign_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(QueryRefused, match="cursor"):
        await store.samples_raw("d", "m", 0, END, 10, cursor)


@pytest.mark.parametrize("limit", [0, -1, 10_001])
async def test_a_limit_out_of_bounds_is_refused(store: Store, limit: int) -> None:
    with pytest.raises(QueryRefused, match="1 to 10000"):
        await store.samples_raw("d", "m", 0, END, limit)
    with pytest.raises(QueryRefused, match="1 to 10000"):
        await store.samples_buckets("d", "m", 0, END, limit)


async def test_buckets_line_up_with_time_and_leave_out_the_empty(store: Store) -> None:
    for time in (1_000, 1_400, 9_999, 30_000):
        store.put(reading(time, time))
    found = await store.samples_buckets("d", "m", 500, 40_000, 5)
    assert [tuple(bucket) for bucket in map(_astuple, found)] == [
        (0, 1000, 9999, (1000 + 1400 + 9999) / 3, 3),
        (30_000, 30_000, 30_000, 30_000, 1),
    ]


async def test_buckets_skip_nulls_and_text_and_count_booleans(store: Store) -> None:
    for time, value in enumerate((True, False, None, "x", True)):
        store.put(reading(time, value))
    assert [_astuple(bucket) for bucket in await store.samples_buckets("d", "m", 0, 10, 1)] == [
        (0, 0, 1, 2 / 3, 3)
    ]


def _astuple(bucket: object) -> tuple[object, ...]:
    return tuple(getattr(bucket, name) for name in ("time", "min", "max", "mean", "count"))


async def test_latest_is_the_newest_by_source_time_of_each_metric(store: Store) -> None:
    for time in (20, 10):
        store.put(reading(time, time))
    store.put(reading(3, True, device="e"))
    latest = await store.latest()
    assert latest["d"]["m"].value == 20
    assert (latest["e"]["m"].value, latest["e"]["m"].hub_time) == (True, 8)


async def test_a_query_past_its_time_is_ended_with_a_reason(tmp_path: Path) -> None:
    open_fresh(tmp_path, health=Health(), now_ms=lambda: 0)
    readers = Readers(tmp_path / "outpost.db", limit_s=0.01)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(QueryRefused, match="shorter span"):
        await readers.run(lambda connection: connection.execute(endless).fetchone())
    await readers.close()


async def test_too_many_queries_at_once_are_refused_and_the_others_answered(tmp_path: Path) -> None:
    open_fresh(tmp_path, health=Health(), now_ms=lambda: 0)
    readers = Readers(tmp_path / "outpost.db", waiting=4)
    answers = await asyncio.gather(
        *(readers.run(lambda connection: connection.execute("SELECT 1").fetchone()) for _ in range(6)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [tuple] * 4 + [QueryBusy] * 2
    await readers.close()


@given(start=st.integers(0, 2**45), length=st.integers(1, 2**42), points=st.integers(2, 10_000))
def test_no_more_buckets_than_asked_cover_any_span(start: int, length: int, points: int) -> None:
    width = bucket_width_ms(start, start + length, points)
    assert (start + length - 1) // width - start // width + 1 <= points


Finite = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.none(),
)
Board = st.tuples(st.just("board"), st.sampled_from(["a", "b"]), st.integers(0, 12), Finite)
Node = st.tuples(st.just("node"), st.just(""), st.integers(0, 400), Finite)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    runs=st.lists(st.lists(st.one_of(Board, Node), max_size=30), min_size=1, max_size=3),
    limit=st.integers(1, 7),
    points=st.integers(1, 12),
)
def test_the_store_answers_as_a_dict_would(
    runs: list[list[tuple[str, str, int, Value]]], limit: int, points: int
) -> None:
    """Random readings, come again, late, over restarts and in any grouping, against a plain model."""
    boards: dict[tuple[str, int], tuple[int, Value]] = {}
    highest: dict[str, int] = {}
    nodes: dict[int, Value] = {}

    async def feed(folder: Path) -> None:
        for run in runs:
            store = open_fresh(folder, health=Health(), now_ms=lambda: 0, settings=QUICK)
            await store.start()
            for kind, boot, number, value in run:
                if kind == "node":
                    store.put(reading(number, value, device="node"))
                    nodes.setdefault(number, value)
                    continue
                store.put(board_reading(number // 3, value, boot, number))
                if number > highest.get(boot, -1):
                    highest[boot] = number
                    boards[boot, number] = (number // 3, value)
            await compare(store)
            await store.close()

    async def compare(store: Store) -> None:
        assert [(row.time, row.value) for row in await pages(store, limit, device="node")] == sorted(
            nodes.items(), key=lambda item: item[0]
        )
        found = [(row.time, repr(row.value)) for row in await pages(store, limit, device="board")]
        assert [time for time, _ in found] == sorted(time for time, _ in found)
        assert sorted(found) == sorted((time, repr(value)) for time, value in boards.values())
        got = await store.samples_buckets("node", "m", 0, 401, points)
        width = 401 if points == 1 else bucket_width_ms(0, 401, points)
        wanted: dict[int, list[float]] = {}
        for time, value in nodes.items():
            if isinstance(value, int | float):
                wanted.setdefault(time - time % width, []).append(value)
        assert len(got) <= points
        assert [(b.time, b.min, b.max, b.count) for b in got] == [
            (time, min(numbers), max(numbers), len(numbers)) for time, numbers in sorted(wanted.items())
        ]
        for bucket in got:
            numbers = wanted[bucket.time]
            scale = max(map(abs, numbers))
            assert math.isclose(
                bucket.mean, math.fsum(numbers) / len(numbers), rel_tol=1e-9, abs_tol=scale * 1e-9
            )

    with TemporaryDirectory() as name:
        asyncio.run(feed(Path(name)))
