"""History over HTTP: raw pages, buckets, CSV, times, and questions that cannot be answered."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web.api.moments import LAST_MS, moment_ms
from hub.web.problem import Problem
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ASKED = f"samples?device={DEVICE}&metric=temperature"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        for index in range(10):
            running.take(float(index), time_ms=NOW_MS - 10_000 + index * 1000)
        yield running


async def rows(hub: WebHub, query: str) -> list[list[Any]]:
    answered = await hub.get(ASKED + query)
    assert answered.status == 200, answered.body
    found: list[list[Any]] = answered.json()["rows"]
    return found


async def test_raw_samples_have_time_value_and_quality(hub: WebHub) -> None:
    shown = (await hub.get(ASKED)).json()
    assert (shown["device"], shown["metric"], shown["unit"]) == (DEVICE, "temperature", "°C")
    assert shown["columns"] == ["time", "value", "quality"]
    assert shown["rows"][0] == [NOW_MS - 10_000, 0.0, "good"]
    assert (len(shown["rows"]), shown["next"]) == (10, None)


async def test_values_keep_their_type(hub: WebHub) -> None:
    hub.take(True, metric="door")
    hub.take('a,"b"\n<c>', metric="note")
    hub.take(None, metric="mode")
    for metric, value, quality in (
        ("door", True, "good"),
        ("note", 'a,"b"\n<c>', "good"),
        ("mode", None, "bad"),
    ):
        shown = (await hub.get(f"samples?device={DEVICE}&metric={metric}")).json()
        assert shown["rows"] == [[NOW_MS, value, quality]]


async def test_pages_together_are_the_whole(hub: WebHub) -> None:
    whole = await rows(hub, "")
    pages: list[list[Any]] = []
    query = "&limit=3"
    for _ in range(4):
        shown = (await hub.get(ASKED + query)).json()
        pages += shown["rows"]
        query = f"&limit=3&cursor={shown['next']}"
    assert pages == whole
    assert shown["next"] is None


async def test_a_span_holds_its_start_and_not_its_end(hub: WebHub) -> None:
    found = await rows(hub, f"&from={NOW_MS - 9000}&to={NOW_MS - 7000}")
    assert [value for _, value, _ in found] == [1.0, 2.0]


async def test_times_may_be_rfc_3339(hub: WebHub) -> None:
    start = datetime.fromtimestamp((NOW_MS - 3000) / 1000, UTC)
    for text in (
        start.isoformat().replace("+", "%2B"),
        start.isoformat(),
        start.isoformat().replace("+00:00", "Z"),
        start.astimezone(timezone(timedelta(hours=-5))).isoformat(),
    ):
        assert [value for _, value, _ in await rows(hub, f"&from={text}")] == [7.0, 8.0, 9.0], text


async def test_buckets_have_min_max_mean_and_count(hub: WebHub) -> None:
    span = f"&from={NOW_MS - 10_000}&to={NOW_MS}"
    shown = (await hub.get(f"{ASKED}{span}&points=2")).json()
    assert shown["columns"] == ["time", "min", "max", "mean", "count"]
    assert 1 <= len(shown["rows"]) <= 2
    assert sum(row[4] for row in shown["rows"]) == 10
    assert (shown["rows"][0][1], shown["rows"][-1][2]) == (0.0, 9.0)
    assert await rows(hub, f"{span}&points=1") == [[NOW_MS - 10_000, 0.0, 9.0, 4.5, 10]]


async def test_booleans_have_buckets(hub: WebHub) -> None:
    hub.take(True, metric="door")
    shown = (await hub.get(f"samples?device={DEVICE}&metric=door&points=1")).json()
    assert shown["rows"][0][1:] == [1, 1, 1.0, 1]


async def test_csv_holds_the_whole_range(hub: WebHub) -> None:
    answered = await hub.get(f"{ASKED}&format=csv")
    assert answered.headers["Content-Type"] == "text/csv; charset=utf-8"
    table = list(csv.reader(io.StringIO(answered.body.decode())))
    assert table[0] == ["time", "value", "quality"]
    assert table[1] == [str(NOW_MS - 10_000), "0.0", "good"]
    assert len(table) == 11


async def test_csv_of_many_pages_repeats_and_skips_nothing(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.api.samples.EXPORT_PAGE", 3)
    table = list(csv.reader(io.StringIO((await hub.get(f"{ASKED}&format=csv")).body.decode())))
    assert [float(row[1]) for row in table[1:]] == [float(index) for index in range(10)]


async def test_a_page_of_csv_links_to_the_next(hub: WebHub) -> None:
    answered = await hub.get(f"{ASKED}&format=csv&limit=4")
    link = answered.headers["Link"]
    assert link.endswith('>; rel="next"')
    following = await hub.get(link[1:].partition(">")[0])
    assert following.body.splitlines()[1].split(b",")[1] == b"4.0"


async def test_csv_of_buckets_has_their_columns(hub: WebHub) -> None:
    answered = await hub.get(f"{ASKED}&format=csv&points=1&from={NOW_MS - 10_000}&to={NOW_MS}")
    assert answered.body.decode().splitlines() == [
        "time,min,max,mean,count",
        f"{NOW_MS - 10_000},0.0,9.0,4.5,10",
    ]


async def test_csv_quotes_what_would_break_a_row(hub: WebHub) -> None:
    hub.take('a,"b"\nc', metric="note")
    answered = await hub.get(f"samples?device={DEVICE}&metric=note&format=csv")
    table = list(csv.reader(io.StringIO(answered.body.decode(), newline="")))
    assert table[1][1] == 'a,"b"\nc'


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("metric=temperature", 400, "device"),
        (f"device={DEVICE}", 400, "metric"),
        ("device=nope&metric=temperature", 404, "device"),
        (f"device={DEVICE}&metric=nope", 404, "metric"),
        (f"device={DEVICE}&metric=temperature&from=yesterday", 400, "from"),
        (f"device={DEVICE}&metric=temperature&from=-1", 400, "from"),
        (f"device={DEVICE}&metric=temperature&to=2026-06-20T10:00:00", 400, "to"),
        (f"device={DEVICE}&metric=temperature&to=99999999999999999", 400, "to"),
        (f"device={DEVICE}&metric=temperature&from=5&to=5", 400, "from"),
        (f"device={DEVICE}&metric=temperature&points=0", 400, "points"),
        (f"device={DEVICE}&metric=temperature&points=10001", 400, "points"),
        (f"device={DEVICE}&metric=temperature&points=1.5", 400, "points"),
        (f"device={DEVICE}&metric=temperature&points=2&limit=2", 400, "limit"),
        (f"device={DEVICE}&metric=temperature&points=2&cursor=1-1", 400, "cursor"),
        (f"device={DEVICE}&metric=note&points=2", 400, "points"),
        (f"device={DEVICE}&metric=mode&points=2", 400, "points"),
        (f"device={DEVICE}&metric=temperature&limit=0", 400, "limit"),
        (f"device={DEVICE}&metric=temperature&limit=10001", 400, "limit"),
        (f"device={DEVICE}&metric=temperature&cursor=mine", 400, "cursor"),
        (f"device={DEVICE}&metric=temperature&format=xml", 400, "format"),
        (f"device={DEVICE}&device=b&metric=temperature", 400, "device"),
        (f"device={DEVICE}&metric=temperature&form=1", 400, "form"),
    ],
)
async def test_a_question_that_cannot_be_answered_names_the_parameter(
    hub: WebHub, query: str, status: int, parameter: str
) -> None:
    answered = await hub.get(f"samples?{query}")
    assert answered.status == status
    problem = answered.problem()
    assert problem["parameter"] == parameter
    assert f"`{parameter}`" in problem["detail"] or status == 404 or parameter == "cursor"


# --- times --------------------------------------------------------------------------------------------


@given(st.integers(0, LAST_MS))
def test_milliseconds_are_taken_as_they_are(time_ms: int) -> None:
    assert moment_ms(str(time_ms), "from") == time_ms


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - the bounds
    st.integers(-23 * 60, 23 * 60),
)
def test_rfc_3339_is_taken_to_the_millisecond(moment: datetime, offset_min: int) -> None:
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    local = moment.astimezone(timezone(timedelta(minutes=offset_min)))
    assert moment_ms(local.isoformat(), "from") == exact
    assert moment_ms(local.isoformat().replace("+", " "), "from") == exact


@given(st.text(max_size=40))
def test_any_other_text_is_a_problem_and_nothing_worse(text: str) -> None:
    try:
        found = moment_ms(text, "to")
    except Problem as problem:
        assert problem.document.parameter == "to"
    else:
        assert 0 <= found <= LAST_MS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-02-30T00:00:00Z", "'2026-02-30T00:00:00Z' does not exist: day is out of range for month"),
        ("-5", "-5 is not within 1970 and 9999"),
        ("9" * 30, "is not within 1970 and 9999"),
        ("2026-03-29T02:30:00", "nor RFC 3339 with an offset"),
    ],
)
def test_a_time_that_cannot_be_says_why(text: str, why: str) -> None:
    with pytest.raises(Problem, match=re.escape(why)):
        moment_ms(text, "from")


def test_a_leap_second_may_be_asked_for() -> None:
    assert moment_ms("2016-12-31T23:59:60Z", "from") == moment_ms("2017-01-01T00:00:00Z", "to")


async def test_full_buckets_have_the_last_value_and_the_mean_by_time(hub: WebHub) -> None:
    span = f"&from={NOW_MS - 10_000}&to={NOW_MS - 500}&points=1&agg=full"
    shown = (await hub.get(ASKED + span)).json()
    assert shown["columns"] == ["time", "min", "max", "mean", "count", "last", "mean_by_time"]
    ((*bucket, by_time),) = shown["rows"]
    assert bucket == [NOW_MS - 10_000, 0.0, 9.0, 4.5, 10, 9.0]
    assert by_time == pytest.approx((sum(range(9)) + 9 * 0.5) / 9.5)


async def test_of_a_boolean_the_mean_by_time_is_the_share_of_time_that_it_was_true(hub: WebHub) -> None:
    for ago_s, value in ((10, False), (9, True), (5, False), (4, False)):
        hub.take(value, metric="door", time_ms=NOW_MS - ago_s * 1000)
    span = f"from={NOW_MS - 10_000}&to={NOW_MS}&points=1&agg=full"
    shown = (await hub.get(f"samples?device={DEVICE}&metric=door&metric=temperature&{span}")).json()
    row = dict(zip(shown["columns"], shown["rows"][0], strict=True))
    assert row["door.mean_by_time"] == pytest.approx(0.4)
    assert row["temperature.last"] == 9.0


async def test_full_without_points_is_refused(hub: WebHub) -> None:
    assert (await hub.get(f"{ASKED}&agg=full")).problem()["parameter"] == "agg"


async def test_a_question_about_as_many_metrics_as_may_be_asked_for_is_not_too_long(hub: WebHub) -> None:
    names = "&".join(f"metric={DEVICE}/{'m' * 240}{index:02}" for index in range(64))
    answered = await hub.get(f"samples?{names}")
    assert (answered.status, answered.problem()["parameter"]) == (404, "metric")


async def test_a_span_that_begins_after_now_is_told_to_end_somewhere(hub: WebHub) -> None:
    answered = await hub.get(f"{ASKED}&from={NOW_MS + 60_000}")
    assert answered.status == 400
    assert "without `to` the span ends now" in answered.problem()["detail"]
