"""History of several metrics, at a time, and as Arrow, over HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model import Birth, Born, LinkKind, Metric, Reading
from hub.store.queries.budget import Budget
from hub.web.api.arrow import ArrowWriter
from hub.web.api.sheet import MEDIA, Column, negotiated
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SPAN = f"&from={NOW_MS - 10_000}&to={NOW_MS}"
TWO = f"samples?device={DEVICE}&metric=temperature&metric=door"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        running.sink(
            Born(Birth(device="a/b", name="A", metrics=(Metric(name="x/y", unit="V"),)), LinkKind.SERIAL)
        )
        for index in range(10):
            running.take(float(index), time_ms=NOW_MS - 10_000 + index * 1000)
        running.take(True, metric="door", time_ms=NOW_MS - 9000)
        running.take(5.5, device="a/b", metric="x/y", time_ms=NOW_MS - 500)
        yield running


async def shown(hub: WebHub, query: str) -> dict[str, Any]:
    answered = await hub.get(query)
    assert answered.status == 200, answered.body
    found: dict[str, Any] = answered.json()
    return found


async def table(hub: WebHub, query: str, **more: Any) -> Any:
    answered = await hub.get(query, **more)
    assert answered.status == 200, answered.body
    assert answered.headers["Content-Type"] == MEDIA["arrow"]
    return pa.ipc.open_stream(answered.body).read_all()


async def test_several_metrics_share_one_grid(hub: WebHub) -> None:
    found = await shown(hub, f"{TWO}{SPAN}&points=2")
    assert found["series"] == [
        {"device": DEVICE, "metric": "temperature", "unit": "°C"},
        {"device": DEVICE, "metric": "door", "unit": ""},
    ]
    names = ("min", "max", "mean", "count")
    assert found["columns"] == [
        "time",
        *(f"temperature.{name}" for name in names),
        *(f"door.{name}" for name in names),
    ]
    assert found["width_ms"] == 5000
    assert found["rows"] == [
        [NOW_MS - 10_000, 0.0, 4.0, 2.0, 5, 1.0, 1.0, 1.0, 1],
        [NOW_MS - 5000, 5.0, 9.0, 7.0, 5, None, None, None, None],
    ]


async def test_metrics_of_several_devices_are_named_with_theirs(hub: WebHub) -> None:
    found = await shown(hub, f"samples?metric={DEVICE}/temperature&metric=a/b/x/y{SPAN}&points=10")
    assert [one["metric"] for one in found["series"]] == ["temperature", "x/y"]
    assert found["columns"][5] == "a/b/x/y.min"
    assert found["rows"][0][5:] == [None, None, None, None]
    assert found["rows"][-1][5:] == [5.5, 5.5, 5.5, 1]


async def test_one_metric_named_with_its_device_answers_as_ever(hub: WebHub) -> None:
    assert await shown(hub, f"samples?metric={DEVICE}/temperature{SPAN}") == await shown(
        hub, f"samples?device={DEVICE}&metric=temperature{SPAN}"
    )


async def test_raw_samples_of_several_metrics_meet_in_rows_and_page(hub: WebHub) -> None:
    rows: list[Any] = []
    query = f"{TWO}{SPAN}&agg=raw&limit=3"
    found = await shown(hub, query)
    assert found["columns"] == ["time", "temperature", "temperature.quality", "door", "door.quality"]
    rows += found["rows"]
    while found["next"] is not None:
        found = await shown(hub, f"{query}&cursor={found['next']}")
        rows += found["rows"]
    assert len(rows) == 10
    assert rows[0][1:] == [0.0, "good", None, None]
    assert rows[1][1:] == [1.0, "good", True, "good"]


async def test_at_tells_the_last_sample_of_one_many_or_all(hub: WebHub) -> None:
    at = NOW_MS - 5500
    found = await shown(hub, f"samples?at={at}&device={DEVICE}&metric=temperature")
    assert found["at"] == at
    assert found["columns"] == ["device", "metric", "unit", "time", "value", "quality"]
    assert found["rows"] == [[DEVICE, "temperature", "°C", NOW_MS - 6000, 4.0, "good"]]
    await hub.parts.store.settle()
    for query, names in (
        (f"at={at}", {"temperature", "door"}),
        (f"at={at}&device={DEVICE}", {"temperature", "door"}),
        (f"at={NOW_MS}", {"temperature", "door", "x/y"}),
        (f"at={NOW_MS}&metric=a/b/x/y&metric={DEVICE}/door", {"door", "x/y"}),
        (f"at={NOW_MS - 20_000}", set()),
    ):
        assert {row[1] for row in (await shown(hub, f"samples?{query}"))["rows"]} == names, query


async def test_arrow_holds_the_whole_span_in_typed_columns(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.api.samples.EXPORT_PAGE", 3)
    found = await table(hub, f"samples?device={DEVICE}&metric=temperature{SPAN}&format=arrow")
    assert found.schema.field("time").type == pa.timestamp("ms", tz="UTC")
    assert found.column("value").to_pylist() == [float(index) for index in range(10)]
    assert set(found.column("quality").to_pylist()) == {"good"}


async def test_arrow_comes_by_accept_too_and_for_every_kind_of_answer(hub: WebHub) -> None:
    accept = {"Accept": f"text/html, {MEDIA['arrow']};q=0.9"}
    grid = await table(hub, f"{TWO}{SPAN}&points=2", headers=accept)
    assert grid.column("door.count").to_pylist() == [1, None]
    raw = await table(hub, f"{TWO}{SPAN}", headers=accept)
    assert raw.column("door").to_pylist()[:2] == [None, True]
    page = await table(hub, f"{TWO}{SPAN}&limit=3", headers=accept)
    assert page.num_rows == 3
    known = await table(hub, f"samples?at={NOW_MS}&device={DEVICE}&metric=temperature", headers=accept)
    assert known.column("value").to_pylist() == ["9.0"]
    empty = await table(hub, f"samples?device={DEVICE}&metric=note&format=arrow")
    assert (empty.num_rows, empty.schema.field("value").type) == (0, pa.string())


async def test_format_goes_before_accept(hub: WebHub) -> None:
    answered = await hub.get(f"{TWO}{SPAN}&format=csv", headers={"Accept": MEDIA["arrow"]})
    rows = list(csv.reader(io.StringIO(answered.body.decode())))
    assert rows[0] == ["time", "temperature", "temperature.quality", "door", "door.quality"]
    assert (answered.headers["Vary"], len(rows)) == ("Accept", 11)


@pytest.mark.parametrize(
    ("query", "parameter", "said"),
    [
        ("at=5&from=4", "from", "one time"),
        ("at=5&points=4", "points", "one time"),
        ("at=5&limit=4", "limit", "one time"),
        ("at=2026-02-30T00:00:00Z", "at", "2026-02-30"),
        ("at=5&lookback_days=0", "lookback_days", "1"),
        ("metric=temperature", "device", "metric=DEVICE/temperature"),
        ("metric=nope/temperature", "metric", "'nope'"),
        ("", "metric", "missing"),
        (f"device={DEVICE}&metric=door&lookback_days=2", "lookback_days", "`at`"),
        (f"device={DEVICE}&metric=door&points=2&agg=raw", "agg", "raw samples"),
        (f"device={DEVICE}&metric=door&agg=mean", "agg", "mean"),
        (f"device={DEVICE}&metric=door&metric=note&points=2", "points", "note is text"),
        (
            f"{TWO[8:]}&metric=mode&metric=note&metric=link.gaps&metric=link.resends&limit=9999",
            "limit",
            "8333",
        ),
        (f"{'&'.join(['metric=a/b/x/y'] * 65)}", "metric", "64"),
        ("device=nope&at=5", "device", "'nope'"),
    ],
)
async def test_what_cannot_be_asked_is_told_with_field_and_limit(
    hub: WebHub, query: str, parameter: str, said: str
) -> None:
    answered = await hub.get(f"samples?{query}")
    assert answered.status in (400, 404), answered.body
    problem = answered.problem()
    assert problem["parameter"] == parameter
    assert said in problem["detail"]


async def test_a_query_past_its_budget_is_a_problem_that_says_the_limit(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.queries.reader.Budget", lambda limit_s: Budget(limit_s, max_decoded=5))
    await hub.parts.store.settle()
    hub.parts.store._writer._chores._seal_at = 0  # the only way to chunks but a quarter of an hour
    await asyncio.sleep(0.01)
    hub.take(1.0)
    for _ in range(100):
        answered = await hub.get(f"samples?device={DEVICE}&metric=temperature{SPAN}")
        if answered.status != 200:
            break
        await asyncio.sleep(0.05)
    assert answered.status == 400
    assert answered.problem()["parameter"] == "from"
    assert "more than 5 samples" in answered.problem()["detail"]


async def test_metrics_that_no_birth_names_any_more_keep_their_history(hub: WebHub) -> None:
    hub.parts.store.put(
        Reading(device=DEVICE, metrics=("old",), values=(3,), source_time_ms=NOW_MS - 1, hub_time_ms=NOW_MS)
    )
    await hub.parts.store.settle()
    found = await shown(hub, f"samples?device={DEVICE}&metric=old")
    assert found["rows"] == [[NOW_MS - 1, 3, "good"]]


async def test_a_client_that_goes_ends_its_query(hub: WebHub, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def endless(*_: object) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            given_up.set()

    monkeypatch.setattr(hub.parts.store, "samples_raw", endless)
    host, port = hub.address
    _, writer = await asyncio.open_connection(host, port)
    token = hub.bearer()["Authorization"]
    writer.write(
        f"GET /api/v1/samples?device={DEVICE}&metric=temperature HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Authorization: {token}\r\n\r\n".encode()
    )
    await writer.drain()
    await asyncio.wait_for(begun.wait(), 30)
    writer.close()
    await asyncio.wait_for(given_up.wait(), 30)
    assert given_up.is_set()


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; q=0.4, application/json;q=0.3", "csv"),
        ("text/csv;q=0, application/json", "json"),
        ("text/csv;q=x", "json"),
    ],
)
def test_the_form_is_what_accept_likes_best(accept: str, form: str) -> None:
    assert negotiated(accept) == form


Cell = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=5),
)


@settings(deadline=None)  # the first of them loads nanoarrow
@given(st.lists(st.lists(st.tuples(Cell, Cell, Cell, Cell, Cell), max_size=12), max_size=4))
def test_any_cells_come_back_from_arrow_as_their_columns_say(parts: list[list[tuple[Any, ...]]]) -> None:
    kinds = ("time", "number", "count", "boolean", "text")
    writer = ArrowWriter([Column(f"c{place}", kind) for place, kind in enumerate(kinds)])  # type: ignore[arg-type] # of that tuple
    body = writer.part([]) + b"".join(writer.part(rows) for rows in parts) + writer.end()
    found = pa.ipc.open_stream(body).read_all()
    rows = [row for part in parts for row in part]
    whole = [row[2] if type(row[2]) is int else None for row in rows]
    assert found.column("c2").to_pylist() == whole
    assert found.column("c0").cast(pa.int64()).to_pylist() == [
        row[0] if type(row[0]) is int else None for row in rows
    ]
    assert found.column("c1").to_pylist() == [
        float(row[1]) if isinstance(row[1], int | float) else None for row in rows
    ]
    assert found.column("c3").to_pylist() == [row[3] if isinstance(row[3], bool) else None for row in rows]
    assert found.column("c4").to_pylist() == [
        None if row[4] is None else str(row[4]).encode("utf-8", "replace").decode() for row in rows
    ]
