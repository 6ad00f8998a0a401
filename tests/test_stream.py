"""The live stream: what it says, resuming without a hole, and slow clients that harm nobody."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus import Batch, Event
from hub.model import Gone, LogLine, Quality, Reading, Role
from hub.web.live.filters import Filter
from hub.web.live.sse import frame_of, parse_id
from hub.web.parts import StreamLimits
from tests.fakes import until
from tests.sse_client import open_stream
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

QUICK = StreamLimits(buffer_bytes=64 << 10, stall_s=0.4, comment_s=0.1, check_s=0.02)
TICK_S = 0.03


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


def fill(hub: WebHub, first: int, count: int, text: str = "") -> None:
    """Publish `count` readings at once; values count on from `first`."""
    for index in range(first, first + count):
        hub.parts.bus.publish(
            Reading(
                device=DEVICE,
                metrics=("temperature", "note"),
                values=(index, text),
                source_time_ms=NOW_MS + index,
                hub_time_ms=NOW_MS,
            )
        )


# --- what it says -------------------------------------------------------------------------------------


async def test_the_stream_opens_with_how_soon_and_where_to_come_back(hub: WebHub) -> None:
    client = await open_stream(hub)
    headers = client.response.headers
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-cache, no-transform"
    assert headers["X-Accel-Buffering"] == "no"
    assert client.retry_ms == 2000
    assert client.last_id.startswith("0123abcd-")


async def test_samples_are_rows_of_device_metric_time_value_and_quality(hub: WebHub) -> None:
    client = await open_stream(hub)
    hub.sink(
        Reading(
            device=DEVICE,
            metrics=("temperature", "door", "note"),
            values=(21.5, True, None),
            source_time_ms=NOW_MS - 5,
            hub_time_ms=NOW_MS,
            quality=Quality.UNCERTAIN,
        )
    )
    (event,) = await client.take(1, "samples")
    assert event.data == [
        [DEVICE, "temperature", NOW_MS - 5, 21.5, "uncertain"],
        [DEVICE, "door", NOW_MS - 5, True, "uncertain"],
        [DEVICE, "note", NOW_MS - 5, None, "bad"],
    ]
    assert event.id == f"0123abcd-{hub.parts.bus.last_n}"


async def test_devices_commands_and_logs_are_events(hub: WebHub) -> None:
    client = await open_stream(hub)
    hub.sink(LogLine(DEVICE, NOW_MS, "line\nbreak\r\nid: 1\n\n"))
    await hub.call("POST", f"devices/{DEVICE}/commands", role=Role.OPERATOR, json={"command": "read"})
    hub.sink(Gone(DEVICE, "unplugged"))
    events = await client.take(5)
    assert [event.kind for event in events] == ["log", "command", "command", "command", "device"]
    assert events[0].data["text"] == "line\nbreak\r\nid: 1\n\n"
    assert [event.data["state"] for event in events[1:4]] == ["queued", "sent", "succeeded"]
    assert (events[4].data["id"], events[4].data["online"]) == (DEVICE, False)


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


async def test_equal_filters_are_encoded_once(hub: WebHub, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Filter] = []

    def counted(batches: Sequence[Batch], wanted: Filter, epoch: str, **more: Any) -> Any:
        made.append(wanted)
        return frame_of(batches, wanted, epoch, **more)

    monkeypatch.setattr("hub.web.live.fanout.frame_of", counted)
    clients = [await open_stream(hub, "?metric=door&metric=mode") for _ in range(3)]
    clients += [await open_stream(hub, "?metric=mode&metric=door")]
    hub.take(True, metric="door")
    for client in clients:
        await client.take(1, "samples")
    assert len(made) == 1


def test_the_id_stands_in_the_last_event_of_a_batch_alone() -> None:
    events = tuple(Event(kind="log", device=DEVICE, data={"n": n}) for n in range(2))
    reading = Reading(device=DEVICE, metrics=("temperature",), values=(1,), source_time_ms=1, hub_time_ms=1)
    frame = frame_of([Batch(n=7, readings=(reading,), events=events)], Filter(), "0123abcd", since=6)
    assert frame is not None
    *first, last, end = frame.plain.decode().split("\n\n")
    assert end == ""
    assert last.endswith("\nid: 0123abcd-7")
    assert len(first) == 2
    assert all("\nid:" not in event for event in first)
    assert (frame.samples, frame.events, frame.from_ms) == (1, 2, 1)


async def test_a_comment_shows_that_the_stream_lives_and_moves_the_id_on(tmp_path: Path) -> None:
    async with web_hub(tmp_path, limits=QUICK) as hub:
        client = await open_stream(hub, "?device=other")
        hub.take(1.0)
        await until(lambda: hub.parts.bus.last_n > 0)
        reading = asyncio.create_task(client.take(1, timeout_s=30))
        await until(lambda: client.comments and client.last_id == f"0123abcd-{hub.parts.bus.last_n}")
        reading.cancel()


async def test_a_client_of_http_1_0_gets_the_stream_without_chunks(hub: WebHub) -> None:
    reader, writer = await asyncio.open_connection(*hub.address)
    token = hub.tokens[Role.VIEWER]
    writer.write(
        f"GET /api/v1/stream HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert await reader.readline() == b"retry: 2000\n"
    await reader.readuntil(b"\n\n")
    hub.take(1.0)
    assert await reader.readline() == b"event: samples\n"
    writer.close()


# --- patterns, rates, places --------------------------------------------------------------------------


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


# --- resuming -----------------------------------------------------------------------------------------


async def test_a_client_that_comes_back_misses_nothing_and_gets_nothing_twice(hub: WebHub) -> None:
    client = await open_stream(hub)
    fill(hub, 0, 3)
    assert [value for value in await client.values(6) if value != ""] == [0, 1, 2]
    client.close()
    for index in range(3, 6):
        fill(hub, index, 1)
        await asyncio.sleep(TICK_S)
    back = await open_stream(hub, last_id=client.last_id)
    fill(hub, 6, 1)
    assert [value for value in await back.values(8) if value != ""] == [3, 4, 5, 6]


async def test_since_resumes_and_last_event_id_goes_before_it(hub: WebHub) -> None:
    for index in range(4):
        fill(hub, index, 1)
        await asyncio.sleep(TICK_S)
    first = hub.parts.bus.last_n - 3
    client = await open_stream(hub, f"?since=0123abcd-{first}")
    assert (await client.values(6))[::2] == [1, 2, 3]
    client = await open_stream(hub, f"?since=0123abcd-{first}", last_id=f"0123abcd-{first + 2}")
    assert (await client.values(2))[::2] == [3]


@pytest.mark.parametrize(
    "last_id",
    [
        "ffffffff-1",
        f"0123abcd-{NOW_MS + 999}",
        "0123abcd",
        "x",
        "0123abcd--1",
        "0123abcd-1x",
        "0123ABCD-1",
        "é",
    ],
)
async def test_an_unknown_id_is_told_to_fetch_again_and_goes_on_live(hub: WebHub, last_id: str) -> None:
    client = await open_stream(hub, f"?since={last_id}")
    hub.take(1.0)
    reset, samples = await client.take(2)
    assert reset.kind == "reset"
    assert reset.data["reason"]
    assert reset.data["from"] == {"ffffffff-1": 0, f"0123abcd-{NOW_MS + 999}": NOW_MS}.get(last_id)
    assert parse_id(reset.id) is not None
    assert samples.kind == "samples"


async def test_an_id_that_the_ring_has_lost_is_told_to_fetch_again(tmp_path: Path) -> None:
    async with web_hub(tmp_path, ring_bytes=4000) as hub:
        for index in range(0, 60, 10):
            fill(hub, index, 10)
            await asyncio.sleep(TICK_S)
        client = await open_stream(hub, last_id=f"0123abcd-{NOW_MS}")
        fill(hub, 60, 1)
        reset, samples = await client.take(2)
        assert (reset.kind, samples.kind) == ("reset", "samples")
        # All that it lacks, from the first on.
        assert reset.data["from"] == NOW_MS


async def test_a_long_replay_reaches_a_client_that_reads_slowly_whole(hub: WebHub) -> None:
    # Some 3 MB: far more than all buffers on the way, and well inside the ring.
    start = (await open_stream(hub)).last_id
    for index in range(0, 600, 100):
        fill(hub, index, 100, text="x" * 5000)
        await asyncio.sleep(TICK_S)
    client = await open_stream(hub, last_id=start)
    await asyncio.sleep(0.2)
    fill(hub, 600, 1)
    values = await client.values(2 * 601)
    assert values[::2] == list(range(601))


@given(st.text(max_size=30))
def test_an_id_is_ours_or_none(text: str) -> None:
    found = parse_id(text)
    assert found is None or f"{found[0]}-{found[1]}" == text or text.partition("-")[2].startswith("0")


# --- slow clients -------------------------------------------------------------------------------------


async def stalled(hub: WebHub, query: str = "") -> socket.socket:
    """Open a stream whose client reads its head and then nothing, with as little room as the kernel has."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, hub.address)
    token = hub.tokens[Role.VIEWER]
    head = f"Host: localhost\r\nAuthorization: Bearer {token}"
    await loop.sock_sendall(sock, f"GET /api/v1/stream{query} HTTP/1.0\r\n{head}\r\n\r\n".encode())
    opening = b""
    while b"retry:" not in opening:
        opening += await loop.sock_recv(sock, 256)
    return sock


async def drain(sock: socket.socket, until_text: bytes) -> bytes:
    """Read on until a text came."""
    text = b""
    async with asyncio.timeout(20):
        while until_text not in text:
            text += await asyncio.get_running_loop().sock_recv(sock, 65536)
    return text


@pytest.mark.slow
async def test_a_slow_client_is_told_its_gap_and_others_see_nothing_of_it(tmp_path: Path) -> None:
    limits = StreamLimits(buffer_bytes=64 << 10, stall_s=30, comment_s=30, check_s=0.02)
    async with web_hub(tmp_path, limits=limits) as hub:
        slow = await stalled(hub)
        good = await open_stream(hub, "?metric=temperature")
        dropped = hub.parts.health.registry
        sent = 0
        seen: list[int] = []
        while not dropped.get_sample_value("outpost_stream_dropped_samples_total"):
            fill(hub, sent, 20, text="x" * 1000)
            sent += 20
            seen += await good.values(20)
            assert sent < 20_000
        # More while it lags: all of that is dropped, and the client's share of memory stays what it was.
        for _ in range(20):
            fill(hub, sent, 20, text="x" * 1000)
            sent += 20
            seen += await good.values(20)
        assert seen == list(range(sent))
        text = await drain(slow, b"event: gap\n")
        # A frame that was under way when the gap was told comes before it; then the stream goes on.
        fill(hub, sent, 1, text="after the gap")
        text += await drain(slow, b"after the gap")
        slow.close()
        before, _, after = text.partition(b"event: gap\ndata: ")
        gap = json.loads(after.partition(b"\n")[0])
        received = before.count(b'"temperature",')
        # Of what was dropped, the latest sample of each of the two metrics comes with the gap.
        assert gap["samples"] + 2 == dropped.get_sample_value("outpost_stream_dropped_samples_total")
        assert received + gap["samples"] // 2 + 1 == sent
        latest = json.loads(after.partition(b"event: samples\ndata: ")[2].partition(b"\n")[0])
        assert [row[3] for row in latest] == [sent - 1, "x" * 1000]
        assert gap["from"] == NOW_MS + received
        assert gap["dropped"] == gap["samples"] + gap["events"]


@pytest.mark.slow
async def test_a_client_that_takes_nothing_is_cut(tmp_path: Path) -> None:
    async with web_hub(tmp_path, limits=QUICK) as hub:
        slow = await stalled(hub)
        good = await open_stream(hub, "?metric=temperature")
        gauge = hub.parts.health.registry
        assert gauge.get_sample_value("outpost_stream_subscribers") == 2
        sent = 0
        async with asyncio.timeout(30):
            while gauge.get_sample_value("outpost_stream_subscribers") == 2:
                fill(hub, sent, 20, text="x" * 1000)
                sent += 20
                assert await good.values(20) == list(range(sent - 20, sent))
        slow.close()


@pytest.mark.slow
async def test_a_client_that_takes_nothing_of_its_replay_is_cut(tmp_path: Path) -> None:
    async with web_hub(tmp_path, limits=QUICK) as hub:
        first = await open_stream(hub)
        first.close()
        for index in range(0, 2000, 100):
            fill(hub, index, 100, text="x" * 3000)
            await asyncio.sleep(TICK_S)
        slow = await stalled(hub, f"?since={first.last_id}")
        await asyncio.sleep(1.5)
        text = b""
        # Cut by the hub (an end) or, as its data stay unanswered, by the kernel (a reset).
        with suppress(ConnectionResetError):
            async with asyncio.timeout(20):
                while piece := await asyncio.get_running_loop().sock_recv(slow, 65536):
                    text += piece
        slow.close()
        assert len(text) < 1_500_000
        gauge = hub.parts.health.registry
        await until(lambda: not gauge.get_sample_value("outpost_stream_subscribers"))


async def test_a_client_that_goes_is_forgotten(tmp_path: Path) -> None:
    async with web_hub(tmp_path, limits=QUICK) as hub:
        others = list(hub.parts.bus._subscribers)
        clients = [await open_stream(hub) for _ in range(5)]
        gauge = hub.parts.health.registry
        assert gauge.get_sample_value("outpost_stream_subscribers") == 5
        for client in clients:
            client.close()
        await until(lambda: gauge.get_sample_value("outpost_stream_subscribers") == 0)
        assert hub.parts.bus._subscribers == others
