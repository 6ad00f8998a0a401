"""An RTSP camera of another make: GStreamer's server, with a password; it hangs up, dies and comes back."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.camera.camera import Camera
from hub.camera.feed import State
from hub.health import Health
from tests.broker import free_port
from tests.camera_peer import Peer, now_ms
from tests.fakes import until
from tests.test_camera import quick_retries, running_camera
from tests.test_remuxed_source import coded_file
from tests.test_source import config

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quick_retries"]  # a fixture

SERVER = Path(__file__).parent / "gst_rtsp_server.py"


@contextmanager
def serving(path: Path, port: int, password: str = "s3cret") -> Iterator[str]:
    """Run the server; gives the address with the password."""
    process = subprocess.Popen(
        ["/usr/bin/python3", SERVER, str(port), path, "user", password],
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
