"""A camera as its clients see it: one encoder for all, fresh snapshots, and a source that comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.camera import encoder, feed
from hub.camera.camera import Camera
from hub.camera.errors import BadOffer, CameraError, UnknownViewer
from hub.config import CameraConfig, ConfigError
from hub.health import Health
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import Flaky, camera_threads, no_linger, quick_retries, running
from tests.fakes import until

if TYPE_CHECKING:
    from hub.camera.media import Picture

__all__ = ["no_linger", "quick_retries"]  # fixtures


def test_an_unknown_source_is_refused_when_the_camera_is_made() -> None:
    with pytest.raises(ConfigError, match="unknown `source`"):
        Camera(CameraConfig(id="front", source="webcam"), health=Health(), now_ms=now_ms)


async def test_a_viewer_sees_the_clock_as_it_is_now() -> None:
    async with running() as camera, Peer() as peer:
        await peer.watch(camera)
        seen_ms = await peer.clock_ms()
        assert 0 <= now_ms() - seen_ms < 5_000
        assert await peer.clock_ms() > seen_ms


async def test_nothing_is_captured_or_coded_while_nobody_looks() -> None:
    async with running() as camera:
        await asyncio.sleep(0.05)
        assert (camera.state, camera.encoders, camera_threads()) == ("idle", 0, [])


async def test_two_viewers_share_one_encoder_that_stops_after_the_last(no_linger: None) -> None:
    health = Health()

    def gauge(name: str) -> float | None:
        return health.registry.get_sample_value(f"outpost_camera_{name}", {"camera": "front"})

    async with running(health=health) as camera, Peer() as first, Peer() as second:
        ids = [await peer.watch(camera) for peer in (first, second)]
        for peer in (first, second):
            await peer.clock_ms()
        assert (camera.viewers, camera.encoders, gauge("viewers"), gauge("encoders")) == (2, 1, 2, 1)
        await camera.hang_up(ids[0])
        await second.clock_ms()
        assert (camera.viewers, camera.encoders) == (1, 1)
        await camera.hang_up(ids[1])
        await until(lambda: camera.state == "idle")
        assert (camera.viewers, camera.encoders, gauge("viewers"), gauge("encoders")) == (0, 0, 0, 0)
        await until(lambda: not camera_threads())


@pytest.mark.slow
async def test_twelve_viewers_are_served_by_one_encoder() -> None:
    peaks: list[int] = []
    async with running() as camera:
        peers = [Peer() for _ in range(12)]
        for peer in peers:
            await peer.watch(camera)
        for peer in peers:
            await peer.clock_ms()
            peaks.append(camera.encoders)
        assert (camera.viewers, set(peaks)) == (12, {1})
        await asyncio.gather(*(peer.connection.close() for peer in peers))
        await until(lambda: camera.viewers == 0)


async def test_a_viewer_who_joins_later_gets_a_picture_without_waiting_for_the_next_interval() -> None:
    async with running() as camera, Peer() as first, Peer() as late:
        await first.watch(camera)
        await first.clock_ms()
        await late.watch(camera)
        await late.clock_ms(timeout_s=3.5)  # the encoder's own keyframes are 4 s apart


@pytest.mark.parametrize(
    "offer", ["", "garbage", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "v=0\r\n" * 5000]
)
async def test_garbage_for_an_offer_is_refused_before_the_camera_is_opened(offer: str) -> None:
    async with running() as camera:
        with pytest.raises(BadOffer):
            await camera.answer(offer)
        assert (camera.viewers, camera.state) == (0, "idle")


async def test_an_offer_without_a_common_codec_leaves_no_viewer(no_linger: None) -> None:
    async with running() as camera:
        async with Peer() as peer:
            offer = (await peer.offer()).replace("H264/90000", "H265/90000").replace("VP8/90000", "VP9/90000")
        with pytest.raises(BadOffer, match="no codec in common"):
            await camera.answer(offer)
        assert camera.viewers == 0
        await until(lambda: camera.state == "idle")


async def test_an_audio_only_offer_is_refused() -> None:
    async with running() as camera, Peer("audio") as peer:
        with pytest.raises(BadOffer, match="asks for no video"):
            await camera.answer(await peer.offer())


async def test_an_unknown_viewer_is_an_error_and_a_known_one_has_an_etag() -> None:
    async with running() as camera, Peer() as peer:
        handle = await camera.answer(await peer.offer())
        assert camera.etag(handle.id) == handle.etag
        assert handle.etag.isalnum()
        await camera.hang_up(handle.id)
        for call in (camera.hang_up(handle.id), camera.trickle(handle.id, "")):
            with pytest.raises(UnknownViewer):
                await call


async def test_a_viewer_who_closes_the_tab_is_gone() -> None:
    async with running() as camera:
        async with Peer() as peer:
            await peer.watch(camera)
            await peer.clock_ms()
        await until(lambda: camera.viewers == 0)
        await until(lambda: camera.encoders == 0)


CHILD = """
import asyncio, sys
from tests.camera_peer import Peer

async def main():
    peer = Peer()
    print((await peer.offer()).encode().hex(), flush=True)
    await peer.accept(bytes.fromhex(sys.stdin.readline()).decode())
    await peer.clock_ms()
    print("seen", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_viewer_that_dies_without_a_word_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Consent freshness (RFC 7675) finds it, in 24 to 36 s; the test shortens aioice's interval of 5 s.
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.1)
    async with running() as camera:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, cwd=Path(__file__).parents[1], limit=1 << 20,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        offer = bytes.fromhex((await child.stdout.readline()).decode()).decode()
        handle = await camera.answer(offer)
        child.stdin.write(handle.answer_sdp.encode().hex().encode() + b"\n")
        assert await child.stdout.readline() == b"seen\n"
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
        await until(lambda: camera.viewers == 0, timeout_s=30)
        await until(lambda: camera.encoders == 0)


async def test_a_source_that_cannot_be_opened_is_told_to_every_client() -> None:
    source = Flaky()
    source.plugged = False
    async with running(source=source) as camera, Peer() as peer:
        with pytest.raises(CameraError, match="nothing is plugged in"):
            await camera.snapshot()
        assert (camera.state, camera.error) == ("failed", "camera `front`: nothing is plugged in")
        with pytest.raises(CameraError, match="nothing is plugged in"):
            await peer.watch(camera)
        assert camera.viewers == 0


async def test_a_source_that_dies_comes_back_and_its_viewers_go_on(quick_retries: None) -> None:
    source = Flaky()
    async with running(source=source) as camera, Peer() as peer:
        await peer.watch(camera)
        await peer.clock_ms()
        source.plugged = False
        await until(lambda: camera.state == "failed")
        assert str(camera.error) == "the cable was pulled"
        await until(lambda: camera.encoders == 0)
        back_ms = now_ms()
        source.plugged = True
        await until(lambda: camera.state == "live")
        async with asyncio.timeout(20):
            while await peer.clock_ms() < back_ms:
                pass
        assert (camera.error or "none", camera.encoders, source.opened) == ("none", 1, 2)


async def test_a_source_that_hangs_shows_as_failed_and_live_again_when_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "PICTURE_TIMEOUT_S", 0.2)
    source = Flaky()
    async with running(source=source) as camera, aclosing(camera.frames()) as frames:
        await anext(frames)
        source.hang.clear()
        await until(lambda: camera.state == "failed")
        assert camera.error is not None
        assert "no picture" in camera.error
        source.hang.set()
        await until(lambda: camera.state == "live")


async def test_a_driver_that_breaks_in_an_unknown_way_is_an_error_and_no_crash(quick_retries: None) -> None:
    class Broken(Flaky):
        def read(self) -> Picture:
            if self.opened == 1:
                raise ZeroDivisionError("driver")
            return super().read()

    async with running(source=Broken()) as camera:
        with pytest.raises(CameraError, match="ZeroDivisionError: driver"):
            await camera.snapshot()
        await until(lambda: not camera._feed._backing_off)
        assert await camera.snapshot()


async def test_shutting_down_ends_viewers_encoder_and_thread() -> None:
    async with Peer() as peer:
        async with running() as camera:
            await peer.watch(camera)
            await peer.clock_ms()
        assert (camera.viewers, camera.encoders, camera.state) == (0, 0, "idle")
        await until(lambda: not camera_threads())  # it has said its last, and may not have ended yet


def test_where_a_viewer_is_expected_its_rooms_are_loaded_before_it_comes() -> None:
    script = (
        "import asyncio, sys, time\n"
        "from hub.camera.camera import Camera\n"
        "from hub.config import CameraConfig\n"
        "from hub.health import Health\n"
        "async def main():\n"
        "    camera = Camera(CameraConfig(id='front'), health=Health(), now_ms=lambda: 0)\n"
        "    before = {'aiortc', 'av', 'numpy'} & sys.modules.keys()\n"
        "    camera.expect_viewer()\n"
        "    camera.expect_viewer()\n"
        "    await camera._loading\n"
        "    print(before, sorted({'aiortc', 'av', 'numpy'} & sys.modules.keys()), camera.state)\n"
        "asyncio.run(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.strip() == "set() ['aiortc', 'av', 'numpy'] idle"


async def test_an_encoder_that_fails_is_told_as_such_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, quick_retries: None
) -> None:
    opened = encoder.H264Encoder._open

    def broken(*_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    async with running() as camera, Peer() as peer:
        monkeypatch.setattr(encoder.H264Encoder, "_open", broken)
        await peer.watch(camera)
        await until(lambda: camera.error == "the encoder libx264 failed: [Errno 12] Cannot allocate memory")
        monkeypatch.setattr(encoder.H264Encoder, "_open", opened)
        assert await peer.clock_ms()
