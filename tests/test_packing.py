"""The compressed stream: pieces that fit behind each other in any order, for clients that take it."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model import Reading
from hub.web.live import packing, sse
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60).map(lambda text: text * 20) | st.binary(max_size=60), max_size=8))
def test_each_piece_is_whole_when_it_comes_whatever_came_before(pieces: list[bytes]) -> None:
    reader = zlib.decompressobj()
    assert reader.decompress(packing.HEADER) == b""
    for piece in pieces:
        assert reader.decompress(packing.packed(piece)) == piece


def test_a_batch_of_twenty_samples_shrinks_to_a_third_and_one_of_one_hardly_grows() -> None:
    rows = [["pico-1", "temperature", NOW_MS + 50 * place, 20 + place / 8, "good"] for place in range(20)]
    many, one = sse.event_text("samples", rows), sse.event_text("samples", rows[:1])
    assert len(packing.packed(many)) < len(many) / 3
    assert len(packing.packed(one)) == len(one) + 5


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("gzip, deflate, br, zstd", "deflate"),
        ("Deflate;q=0.5", "deflate"),
        # What Go's proxies ask for on their own, and unpack at their own pace.
        ("gzip", None),
        ("identity", None),
        ("*", None),
        ("", None),
        ("deflate;q=0", None),
        ("deflate;q=x", None),
    ],
)
async def test_who_names_deflate_gets_it_and_nobody_else(
    hub: WebHub, accepts: str, encoding: str | None
) -> None:
    headers = {**hub.bearer(), "Accept-Encoding": accepts}
    async with hub.session.get(hub.url("stream"), headers=headers) as answer:
        assert answer.headers.get("Content-Encoding") == encoding
        assert "Accept-Encoding" in answer.headers.getall("Vary")


async def test_clients_share_what_is_packed_and_read_each_batch_as_it_comes(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []

    def counted(plain: bytes) -> bytes:
        made.append(plain)
        return packing.packed(plain)

    async with aiohttp.ClientSession(headers={**hub.bearer(), "Accept-Encoding": "deflate"}) as session:
        streams = [await session.get(hub.url(f"stream?device={DEVICE}"), timeout=None) for _ in range(5)]
        for stream in streams:
            assert (await stream.content.readline()).startswith(b"retry:")
        gauge = hub.parts.health.registry
        while gauge.get_sample_value("outpost_stream_subscribers") != 5:
            await asyncio.sleep(0.005)
        monkeypatch.setattr(sse, "packed", counted)
        for value in range(3):
            made.clear()
            hub.parts.bus.publish(
                Reading(
                    device=DEVICE,
                    metrics=("temperature", "note"),
                    values=(value, "x" * 600 * (value % 2)),
                    source_time_ms=NOW_MS + value,
                    hub_time_ms=NOW_MS,
                )
            )
            for stream in streams:
                async with asyncio.timeout(20):
                    while not (line := await stream.content.readline()).startswith(b"data:"):
                        pass
                assert f"{NOW_MS + value},{value},".encode() in line
            assert len(made) == 1
        for stream in streams:
            stream.close()
