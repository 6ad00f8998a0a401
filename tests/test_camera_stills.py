"""A camera's JPEGs: fresh ones for who asks, and a stream of them, each coded once for all."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing

import pytest
from PIL import Image

from hub.camera import stills
from hub.camera.capture import Capture, Demand
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import Flaky, running, stamp_of


async def test_a_snapshot_without_viewers_is_a_fresh_jpeg_and_starts_no_encoder() -> None:
    async with running() as camera:
        jpeg = await camera.snapshot()
        assert Image.open(io.BytesIO(jpeg)).size == (320, 240)
        assert 0 <= now_ms() - stamp_of(jpeg) <= 1_000
        assert camera.encoders == 0


async def test_snapshots_within_a_second_share_one_jpeg_and_an_old_one_is_not_served_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as camera:
        first = await camera.snapshot()
        assert await camera.snapshot() == first
        monkeypatch.setattr(stills, "FRESH_MS", -1)
        assert stamp_of(await camera.snapshot()) > stamp_of(first)


async def test_mjpeg_clients_share_the_same_jpegs() -> None:
    async def take(count: int) -> list[bytes]:
        async with aclosing(camera.frames()) as frames:
            return [await anext(frames) for _ in range(count)]

    async with running() as camera:
        one, other = await asyncio.gather(take(3), take(3))
        assert len(set(one)) == 3
        assert set(one) == set(other)
        assert camera.encoders == 0


async def test_a_viewer_mjpeg_and_snapshots_go_on_beside_each_other() -> None:
    source = Flaky()
    async with running(source=source) as camera, Peer() as peer, aclosing(camera.frames()) as frames:
        await peer.watch(camera)
        for _ in range(4):
            assert now_ms() - stamp_of(await anext(frames)) < 5_000
            assert now_ms() - await peer.clock_ms() < 5_000
            assert await camera.snapshot()
        assert (camera.state, camera.encoders, source.opened) == ("live", 1, 1)


@pytest.mark.parametrize("fps", [12, 15, 25, 30, 60])
async def test_jpegs_come_ten_a_second_though_pictures_come_in_another_step(fps: int) -> None:
    capture = Capture(
        "front", Flaky(), None, Demand(still_interval_ms=100),  # type: ignore[arg-type]  # it is not started
        fps=fps, bitrate_kbps=500, loop=asyncio.get_running_loop(),
    )  # fmt: skip
    wanted = sum(capture._still_wanted(1_000 + count / fps) for count in range(fps * 10))
    assert 99 <= wanted <= 101
