"""What a stream lets through, how often, written once for all who want the same; how many there may be."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus import Batch, Event
from hub.model import Role
from hub.web.live.filters import Filter
from hub.web.live.sse import frame_of
from hub.web.parts import StreamLimits
from tests.fakes import until
from tests.sse_client import fill, open_stream
from tests.web_hub import DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

TICK_S = 0.03


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


async def test_a_filter_lets_through_its_devices_and_metrics_alone(hub: WebHub) -> None:
    client = await open_stream(hub, f"?device={DEVICE}&metric=door&metric=mode")
    other = await open_stream(hub, "?device=other")
    for metric, value in (("temperature", 1.0), ("door", True), ("mode", "auto"), ("note", "x")):
        hub.take(value, metric=metric)
    (event,) = await client.take(1, "samples")
    assert [row[1] for row in event.data] == ["door", "mode"]
    hub.parts.bus.publish(Event(kind="alert", device="other", data={"text": "mine"}))
    (alert,) = await other.take(1)
    assert (alert.kind, alert.data) == ("alert", {"text": "mine"})


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[Filter]:
    """The filters for which something was encoded, one after the other."""
    made: list[Filter] = []

    def counted(batches: Sequence[Batch], wanted: Filter, epoch: str, **more: Any) -> Any:
        made.append(wanted)
        return frame_of(batches, wanted, epoch, **more)

    monkeypatch.setattr("hub.web.live.groups.frame_of", counted)
    return made


async def test_equal_filters_are_encoded_once(hub: WebHub, encoded: list[Filter]) -> None:
    clients = [await open_stream(hub, "?metric=door&metric=mode") for _ in range(3)]
    clients += [await open_stream(hub, "?metric=mode&metric=door")]
    hub.take(True, metric="door")
    for client in clients:
        await client.take(1, "samples")
    assert len(encoded) == 1


async def test_other_filters_that_let_the_same_through_share_what_is_encoded(
    hub: WebHub, encoded: list[Filter]
) -> None:
    same = [await open_stream(hub, query) for query in ("", f"?device={DEVICE}", "?device=p*&metric=do*")]
    fewer = await open_stream(hub, "?metric=mode")
    for value in (True, False):
        hub.take(value, metric="door")
        hub.take("auto", metric="mode")
        for client, rows in ((same[0], 2), (same[1], 2), (same[2], 1), (fewer, 1)):
            (event,) = await client.take(1, "samples")
            assert len(event.data) == rows
    # In each of two batches: what two of them get alike, and what each of the others does.
    assert len(encoded) == 2 * 3


@given(
    st.text(max_size=5),
    st.lists(st.text("ab", max_size=3), max_size=4),
    st.lists(st.text("ab*?", max_size=3)),
)
def test_a_filter_picks_the_metrics_that_it_takes(device: str, metrics: list[str], given: list[str]) -> None:
    wanted = Filter.of(["a*", "b"], given)
    expected = [metric for metric in metrics if wanted.takes_device(device) and wanted.metrics.take(metric)]
    for _ in range(2):
        assert [metrics[place] for place in wanted.picks(device, tuple(metrics))] == expected


def test_what_a_filter_remembers_of_devices_is_bounded() -> None:
    wanted = Filter.of(["pico-1*"], [])
    for number in range(1000):
        assert wanted.picks(f"pico-{number}", ("t",)) == ((0,) if str(number).startswith("1") else ())
    assert len(wanted._picked) <= 128


async def test_a_pattern_lets_through_the_names_that_it_matches(hub: WebHub) -> None:
    client = await open_stream(hub, "?device=pico-*&metric=*o?e&metric=d*")
    for metric, value in (("temperature", 1.0), ("door", True), ("mode", "auto"), ("note", "x")):
        hub.take(value, metric=metric)
    (event,) = await client.take(1, "samples")
    assert [row[1] for row in event.data] == ["door", "mode", "note"]


@given(st.text(max_size=30), st.text(alphabet="ab*?[]!-", max_size=12))
def test_a_pattern_knows_no_more_than_star_and_question_mark(name: str, pattern: str) -> None:
    text = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    expected = not pattern or pattern == name or re.fullmatch(text, name, re.DOTALL) is not None
    assert Filter.of([pattern] if pattern else [], []).takes_device(name) is expected


def test_a_pattern_made_to_backtrack_takes_no_time() -> None:
    evil = Filter.of(["a*" * 60 + "b"] * 64, [])
    assert not evil.takes_device("a" * 128)


async def test_a_bounded_rate_gives_the_latest_of_each_metric_and_every_event(hub: WebHub) -> None:
    client = await open_stream(hub, "?max_hz=2")
    fill(hub, 0, 1)
    first = await client.take(1, "samples")
    for index in range(1, 20):
        fill(hub, index, 1, text=str(index))
        hub.parts.bus.publish(Event(kind="log", device=DEVICE, data={"n": index}))
        await asyncio.sleep(TICK_S / 3)
    events = await client.take(20)
    assert [row[3] for row in first[0].data] == [0, ""]
    assert [row[3] for row in events[0].data] == [19, "19"]
    assert [event.data["n"] for event in events[1:]] == list(range(1, 20))


async def test_who_joins_a_bounded_rate_gets_nothing_twice(hub: WebHub) -> None:
    early = await open_stream(hub, "?max_hz=4&metric=temperature")
    fill(hub, 0, 1)
    await early.take(1, "samples")
    fill(hub, 1, 1)
    await until(lambda: len(hub.parts.bus.replay("0123abcd", 0) or [1]) and hub.parts.bus.last_n)
    await asyncio.sleep(2 * TICK_S)
    late = await open_stream(hub, "?max_hz=4&metric=temperature", last_id=early.last_id)
    fill(hub, 2, 1)
    assert await late.values(1) == [1]
    assert await late.values(1) == [2]
    assert await early.values(1) == [2]


@pytest.mark.parametrize("max_hz", ["0", "-1", "41", "nan", "x", ""])
async def test_a_rate_out_of_range_is_a_bad_request(hub: WebHub, max_hz: str) -> None:
    answered = await hub.get(f"stream?max_hz={max_hz}")
    assert (answered.status, answered.problem()["parameter"]) == (400, "max_hz")


async def test_a_caller_has_so_many_streams_and_no_more(tmp_path: Path) -> None:
    async with web_hub(tmp_path, limits=StreamLimits(per_caller=2, total=3)) as hub:
        clients = [await open_stream(hub) for _ in range(2)]
        refused = await hub.get("stream")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
        assert "token:test-viewer" in refused.problem()["detail"]
        other = await hub.session.get(hub.url("stream"), headers=hub.bearer(Role.OPERATOR))
        assert other.status == 200
        assert (await hub.get("stream", role=Role.ADMIN)).status == 503
        clients[0].close()
        gauge = hub.parts.health.registry
        await until(lambda: gauge.get_sample_value("outpost_stream_subscribers") == 2)
        await open_stream(hub)
        other.close()
