"""The live stream: what it says, and resuming without a hole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus import Batch, Event
from hub.model import Gone, LogLine, Quality, Reading, Role
from hub.web.live.filters import Filter
from hub.web.live.sse import frame_of, parse_id
from hub.web.parts import StreamLimits
from tests.fakes import until
from tests.sse_client import fill, open_stream
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

QUICK = StreamLimits(buffer_bytes=64 << 10, stall_s=0.4, comment_s=0.1, check_s=0.02)
TICK_S = 0.03


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


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
