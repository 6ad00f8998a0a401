"""Viewers on bad paths: what they lose is sent again, and whatever they do, the others miss nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hub.camera.viewing.outlet import UdpOutlet
from hub.camera.viewing.seams import Connected
from hub.config import CameraConfig
from tests.camera_peer import Peer
from tests.camera_rig import camera_threads, running, stamps_every_picture
from tests.descriptors import open_descriptors
from tests.fakes import until
from tests.lossy_path import lossy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.camera.camera import Camera

__all__ = ["lossy"]  # a fixture

CHILD = """
import asyncio, sys
from tests.camera_peer import Peer

async def main():
    peers = [Peer() for _ in range(int(sys.argv[1]))]
    for peer in peers:
        print((await peer.offer()).encode().hex(), flush=True)
        await peer.accept(bytes.fromhex(sys.stdin.readline()).decode())
    for peer in peers:
        await peer.clock_ms(60)
        for receiver in peer.connection.getReceivers():
            receiver.track.stop()
    print("seen", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@asynccontextmanager
async def viewers_elsewhere(camera: Camera, count: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run real viewers in a process of their own, which a test may stop or kill."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(count), cwd=Path(__file__).parents[1], limit=1 << 20,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        for _ in range(count):
            offer = bytes.fromhex((await child.stdout.readline()).decode()).decode()
            answer = (await camera.answer(offer)).answer_sdp
            child.stdin.write(answer.encode().hex().encode() + b"\n")
        assert await child.stdout.readline() == b"seen\n"
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


@pytest.mark.slow
async def test_at_three_percent_loss_no_picture_in_a_hundred_is_missed(lossy: None) -> None:
    async with running() as camera, Peer() as peer:
        await peer.watch(camera)
        await peer.clock_ms()
        sent = stamps_every_picture(camera)
        seen: set[int] = set()
        while len(sent) < 140:
            seen.add(await peer.clock_ms())
        missed = set(sent[:100]) - seen
        delivery = next(iter(camera._viewers.values())).delivery
        assert delivery is not None
        assert delivery.resent > 0
        assert len(missed) <= 1


@pytest.mark.slow
async def test_a_viewer_that_stops_reading_costs_the_others_no_picture() -> None:
    async with running() as camera, Peer() as peer, viewers_elsewhere(camera, 1) as stalled:
        await peer.watch(camera)
        await peer.clock_ms()
        stalled.send_signal(signal.SIGSTOP)
        sent = stamps_every_picture(camera)
        seen: set[int] = set()
        while len(sent) < 120:
            seen.add(await peer.clock_ms())
        assert camera.viewers == 2
        assert set(sent[:100]) - seen == set()


@pytest.mark.slow
async def test_two_hundred_viewers_that_die_without_a_word_leave_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Consent freshness (RFC 7675) finds them, in 24 to 36 s; the test shortens aioice's interval of 5 s.
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.2)
    small = CameraConfig(id="front", width=64, height=64, fps=10)
    async with running(max_clients=200, config=small) as camera:
        async with Peer() as peer:  # what is opened once and stays
            await peer.watch(camera)
            await peer.clock_ms()
        await until(lambda: camera.viewers == 0)
        await until(lambda: not camera_threads(), timeout_s=20)
        before = open_descriptors()
        for _ in range(4):
            async with viewers_elsewhere(camera, 50) as child:
                assert camera.viewers >= 50
                os.kill(child.pid, signal.SIGKILL)
        await until(lambda: camera.viewers == 0, timeout_s=40)
        await until(lambda: camera.encoders == 0)
        gc.collect()
        await until(lambda: abs(open_descriptors() - before) <= 2, timeout_s=20)


async def test_a_kernel_without_offload_serves_viewers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(connected: Connected, pair: Any) -> UdpOutlet:
        socket = pair.protocol.transport.get_extra_info("socket")
        return UdpOutlet(socket.fileno(), pair.remote_addr, offload=False)

    monkeypatch.setattr(Connected, "outlet", without)
    async with running() as camera, Peer() as peer:
        await peer.watch(camera)
        first = await peer.clock_ms()
        assert await peer.clock_ms() > first


async def test_viewers_without_h264_share_one_vp8_encoder() -> None:
    async with running() as camera, Peer(codec="VP8") as one, Peer(codec="VP8") as other, Peer() as third:
        for peer in (one, other):
            await peer.watch(camera)
            assert await peer.clock_ms() > 0
        assert camera.encoders == 1
        await third.watch(camera)
        await third.clock_ms()
        assert camera.encoders == 2
