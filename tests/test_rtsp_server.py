"""An RTSP camera of another make: GStreamer's server, with a password; it hangs up, dies and comes back."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.camera.camera import Camera
from hub.camera.feed import State
from hub.camera.viewing.rtp import nal_units
from hub.health import Health
from tests.broker import free_port
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import quick_retries, running_camera
from tests.coded_video import coded_file, config, opened, stamps
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quick_retries"]  # a fixture

SERVER = Path(__file__).parent / "gst_rtsp_server.py"


@contextmanager
def serving(path: Path, port: int, payloader: str = "rtph264pay", transport: str = "any") -> Iterator[str]:
    """Run the server; gives the address with the password."""
    process = subprocess.Popen(
        ["/usr/bin/python3", SERVER, str(port), path, "user", "s3cret", payloader, transport],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the server does not start: is gir1.2-gst-rtsp-server-1.0 installed?"
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
async def test_the_h264_of_an_rtsp_server_is_passed_on_and_goes_on_when_the_server_is_back(
    tmp_path: Path, quick_retries: None
) -> None:
    coded_file(tmp_path / "camera.mp4", pictures=60)
    stamps = range(1_000, 1_060)
    port = free_port()
    with ExitStack() as servers:
        address = servers.enter_context(serving(tmp_path / "camera.mp4", port))
        camera = Camera(config(address), health=Health(), now_ms=now_ms)
        async with running_camera(camera), Peer() as peer:
            await peer.watch(camera)
            before = seen = await peer.clock_ms()
            while seen >= before:  # the file's end is a hang-up, and the stream begins anew
                before, seen = seen, await peer.clock_ms()
                assert seen in stamps
            assert camera.encoders == 0
            servers.close()
            await until(lambda: camera.state is State.FAILED)
            servers.enter_context(serving(tmp_path / "camera.mp4", port))
            await until(lambda: camera.state is State.LIVE, timeout_s=30)
            assert await peer.clock_ms() in stamps


@pytest.mark.slow
def test_a_camera_that_sends_by_udp_alone_is_taken_too(tmp_path: Path) -> None:
    coded_file(tmp_path / "camera.mp4", pictures=150)
    with serving(tmp_path / "camera.mp4", free_port(), transport="udp") as address:
        reader = opened(address)
        pictures = [reader.read() for _ in range(15)]
        reader.close()
    first = next(index for index, item in enumerate(pictures) if item.keyframe)
    assert set(stamps(pictures[first:])) <= set(range(1_000, 1_150))


@pytest.mark.slow
def test_a_network_camera_is_opened_after_a_few_pictures(tmp_path: Path) -> None:
    coded_file(tmp_path / "camera.mp4", pictures=60)
    with serving(tmp_path / "camera.mp4", free_port()) as address:
        reader = opened(address)
        first = reader.read()
        reader.close()
    assert first.stream_s is not None
    assert first.stream_s < 0.5, "pictures were read to learn a rate that nobody asks for"


@pytest.mark.slow
async def test_a_wrong_password_is_told_without_the_password(tmp_path: Path, quick_retries: None) -> None:
    coded_file(tmp_path / "camera.mp4", pictures=10)
    with serving(tmp_path / "camera.mp4", free_port()) as address:
        camera = Camera(config(address.replace("s3cret", "guess")), health=Health(), now_ms=now_ms)
        async with running_camera(camera):
            with camera._feed.interest.held():
                await until(lambda: camera.state is State.FAILED)
                assert camera.error is not None
                assert "nauthorized" in camera.error
                assert "user:***@" in camera.error
                assert "guess" not in camera.error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("x264", "payloader"),
    [
        ("slices=4", "rtph264pay config-interval=-1"),
        ("slices=3:aud=1", "rtph264pay config-interval=-1 aggregate-mode=zero-latency"),
    ],
)
def test_a_keyframe_in_slices_each_with_its_parameter_sets_is_one_picture(
    tmp_path: Path, x264: str, payloader: str
) -> None:
    coded_file(tmp_path / "camera.mp4", pictures=90, x264=x264)
    with serving(tmp_path / "camera.mp4", free_port(), payloader) as address:
        reader = opened(address)
        pictures = [reader.read() for _ in range(35)]
        reader.close()
    first = next(index for index, item in enumerate(pictures) if item.keyframe)
    seen = stamps(pictures[first:])
    assert sum(item.keyframe for item in pictures) >= 3
    assert len(seen) == len(pictures) - first
    assert seen == list(range(seen[0] or 0, (seen[0] or 0) + len(seen))), "a picture is torn, or came twice"
    for item in pictures[first:]:
        kinds = [unit[0] & 0x1F for unit in nal_units(item.data)]
        assert (kinds.count(7), kinds.count(8)) == (item.keyframe, item.keyframe)
        assert kinds.count(5 if item.keyframe else 1) >= 2
