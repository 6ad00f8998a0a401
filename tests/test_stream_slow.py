"""Slow clients of the live stream: told of their gap, cut when they take nothing, and no harm to others."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest

from hub.model import Role
from hub.web.live.stream import FANOUT
from hub.web.live.subscriber import write_all
from hub.web.parts import StreamLimits
from tests.fakes import until
from tests.sse_client import fill, open_stream
from tests.web_hub import NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from hub.web.live.subscriber import Clear

QUICK = StreamLimits(buffer_bytes=64 << 10, stall_s=0.4, comment_s=0.1, check_s=0.02)
TICK_S = 0.03


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


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


async def test_what_the_kernel_took_in_part_goes_on_whole_and_in_order(hub: WebHub) -> None:
    slow = await stalled(hub)
    (group,) = hub.listener._runner.app[FANOUT]._groups.values()
    sent = 0
    # Frames of some 8 kB: sooner or later one does not fit, and waits in the transport.
    while not any(subscriber.clear() is None for subscriber in group.members):
        fill(hub, sent, 1, text="x" * 8000)
        sent += 1
        await asyncio.sleep(TICK_S)
        assert sent < 2000
    fill(hub, sent, 1, text="the last")
    text = await drain(slow, b"the last")
    await until(lambda: all(subscriber.clear() is not None for subscriber in group.members))
    fill(hub, sent + 1, 1, text="straight again")
    text += await drain(slow, b"straight again")
    slow.close()
    values = [json.loads(line)[0][3] for line in re.findall(rb"^data: (.*)$", text, re.MULTILINE)]
    assert values == list(range(sent + 2))
    assert b"event: gap" not in text


class Taker:
    """A subscriber as `write_all` sees it."""

    def __init__(self) -> None:
        self.waits = b""
        self.said: list[str] = []

    def wait(self, rest: bytes) -> None:
        self.waits += rest

    def cut(self) -> None:
        self.said.append("cut")

    def end(self) -> None:
        self.said.append("end")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def give(ours: socket.socket, content: bytes, *, closing: bool = False) -> tuple[Taker, bool]:
    """Write to one that stands for a subscriber."""
    taker = Taker()
    clear = cast("Clear", (ours.fileno(), lambda: closing, taker))
    return taker, write_all(content, [clear])


def test_a_descriptor_that_may_be_anothers_by_now_is_not_written_to(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    taker, behind = give(pair[0], b"not for you", closing=True)
    assert (taker.said, behind) == (["end"], False)
    with pytest.raises(BlockingIOError):
        pair[1].recv(100)


def test_what_the_kernel_does_not_take_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    content = bytes(range(256)) * 8000
    taker, behind = give(pair[0], content)
    assert behind
    got = pair[1].recv(1 << 20)
    assert content.endswith(taker.waits) and content.startswith(got) and len(taker.waits) > 0
    full, _ = give(pair[0], b"x" * (1 << 20))
    none, behind = give(pair[0], b"none of this")
    assert (len(full.waits) > 0, none.waits, behind) == (True, b"none of this", True)


def test_a_connection_that_broke_is_cut_and_the_others_get_theirs(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    gone, other = socket.socketpair()
    other.close()
    broken, well = Taker(), Taker()
    members = [(sock.fileno(), bool, taker) for sock, taker in ((gone, broken), (pair[0], well))]
    assert not write_all(b"for all", cast("list[Clear]", members))
    assert (broken.said, well.said, pair[1].recv(100)) == (["cut"], [], b"for all")
    gone.close()
