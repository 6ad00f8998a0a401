"""Resuming: a connection killed hundreds of times, and what its client has is what was stored."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hub.model import Reading, Role
from hub.web.live.sse import parse_id
from tests.fakes import until
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

METRICS = ("temperature", "note")
KILLS = 500


@dataclass
class Assembling:
    """What a client has after any number of connections, as a browser's EventSource would give it."""

    chance: random.Random
    last_id: str = ""
    samples: dict[tuple[str, int], Any] = field(default_factory=dict)
    """(metric, source time) → value."""
    doubled: int = 0
    kills: int = 0
    refetches: list[tuple[int, int]] = field(default_factory=list)
    """From, and to, what to fetch from history."""

    async def connect_and_be_killed(self, hub: WebHub) -> None:
        """Take some bytes of the stream and break the connection, within a line, a head or a chunk."""
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        # A reset at close: nothing of what is under way arrives.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await loop.sock_connect(sock, hub.address)
        head = f"Host: localhost\r\nAuthorization: Bearer {hub.tokens[Role.VIEWER]}\r\n"
        if self.last_id:
            head += f"Last-Event-ID: {self.last_id}\r\n"
        await loop.sock_sendall(sock, f"GET /api/v1/stream HTTP/1.0\r\n{head}\r\n".encode())
        content = b""
        most = self.chance.choice((0, 900, 2000, 8000, 20_000)) + self.chance.randrange(1200)
        try:
            async with asyncio.timeout(self.chance.random() * 0.05):
                while len(content) < most:
                    content += await loop.sock_recv(sock, most - len(content))
        except TimeoutError:
            pass
        sock.close()
        self.kills += 1
        self._take(content.partition(b"\r\n\r\n")[2])

    def _take(self, content: bytes) -> None:
        """Dispatch the whole events; what is cut off at the end is none (WHATWG HTML, 9.2.6)."""
        *blocks, _ = content.split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            self.last_id = fields.get(b"id", self.last_id.encode()).decode()
            kind = fields.get(b"event")
            assert kind in (None, b"samples", b"device", b"reset"), block
            if kind == b"samples":
                self._add(msgspec.json.decode(fields[b"data"]))
            elif kind == b"reset":
                at = parse_id(self.last_id)
                assert at is not None
                self.refetches.append((msgspec.json.decode(fields[b"data"])["from"], at[1]))

    def _add(self, rows: list[list[Any]]) -> None:
        for _device, metric, time_ms, value, _quality in rows:
            self.doubled += (metric, time_ms) in self.samples
            self.samples[metric, time_ms] = value

    async def heal(self, hub: WebHub) -> None:
        """Fetch what the resets asked for, and no more than that."""
        for from_ms, to_ms in self.refetches:
            async for key, value in stored(hub, from_ms, to_ms + 1):
                self.samples[key] = value
        self.refetches.clear()


async def stored(hub: WebHub, from_ms: int, to_ms: int) -> AsyncIterator[tuple[tuple[str, int], Any]]:
    """Yield ((metric, source time), value) of what the store has."""
    for metric in METRICS:
        cursor = ""
        while True:
            page = (
                await hub.get(f"samples?device={DEVICE}&metric={metric}&from={from_ms}&to={to_ms}{cursor}")
            ).json()
            for time_ms, value, *_ in page["rows"]:
                yield (metric, time_ms), value
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"


async def all_stored(hub: WebHub, count: int) -> dict[tuple[str, int], Any]:
    """Return what the store has once it has committed so many readings."""
    health = hub.parts.health.registry
    await until(
        lambda: (health.get_sample_value("outpost_samples_committed_total") or 0) >= count * len(METRICS)
    )
    return {key: value async for key, value in stored(hub, 0, NOW_MS * 2)}


class Publishing:
    """A board that sends readings until it is stopped, in bursts and with pauses."""

    def __init__(self, chance: random.Random, first: int = 0) -> None:
        self._chance = chance
        self._first = first
        self.count = 0

    async def run(self, hub: WebHub) -> None:
        """Send for ever."""
        while True:
            for _ in range(self._chance.choice((1, 1, 1, 5))):
                index = self._first + self.count
                self.count += 1
                hub.clock.now_ms = NOW_MS + 2 * index
                text = "x" * self._chance.randrange(300)
                hub.sink(
                    Reading(
                        device=DEVICE,
                        metrics=METRICS,
                        values=(index, text),
                        source_time_ms=hub.clock.now_ms,
                        hub_time_ms=hub.clock.now_ms,
                        boot_id="boot0001",
                        seq=index,
                    )
                )
            await asyncio.sleep(self._chance.random() * 0.01)


async def finish(client: Assembling, hub: WebHub) -> None:
    """Connect on until the client stands where the bus does."""
    # The last tick is under way.
    await asyncio.sleep(0.1)
    async with asyncio.timeout(30):
        while client.last_id != f"{hub.parts.bus.epoch}-{hub.parts.bus.last_n}":
            await client.connect_and_be_killed(hub)


@pytest.mark.slow
async def test_a_connection_killed_500_times_has_what_was_stored_and_nothing_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(11)
    client, board = Assembling(chance), Publishing(chance)
    async with web_hub(tmp_path) as hub:
        client.last_id = f"{hub.parts.bus.epoch}-{hub.parts.bus.last_n}"
        publishing = asyncio.create_task(board.run(hub))
        while client.kills < KILLS:
            await client.connect_and_be_killed(hub)
        publishing.cancel()
        await finish(client, hub)
        assert client.samples == await all_stored(hub, board.count)
        assert len(client.samples) == board.count * len(METRICS) > 1000
        assert (client.doubled, client.refetches) == (0, [])
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.slow
async def test_what_the_ring_and_restarts_lost_is_in_history_from_where_the_reset_says(
    tmp_path: Path,
) -> None:
    chance = random.Random(12)
    client, sent, resets = Assembling(chance), 0, 0
    for epoch in ("0123abcd", "11111111", "22222222"):
        async with web_hub(tmp_path, ring_bytes=6000, epoch=epoch) as hub:
            hub.clock.now_ms = NOW_MS + 2 * sent
            client.last_id = client.last_id or f"{epoch}-{hub.parts.bus.last_n}"
            board = Publishing(chance, sent)
            publishing = asyncio.create_task(board.run(hub))
            for _ in range(40):
                await client.connect_and_be_killed(hub)
                # Away for longer than the ring remembers, now and then.
                await asyncio.sleep(chance.choice((0, 0, 0.1)))
            publishing.cancel()
            await finish(client, hub)
            sent += board.count
            resets += len(client.refetches)
            have = await all_stored(hub, board.count)
            missing = have.keys() - client.samples.keys()
            assert missing, "nothing was lost: this shows nothing"
            await client.heal(hub)
            assert client.samples == have
            for role in Role:
                hub.parts.store.accounts.tokens.revoke(f"test-{role}", hub.clock())
    assert resets > 5
