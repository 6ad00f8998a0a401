"""What `outpost doctor` says of cameras: the devices here, and why a configured one would give no picture."""

from __future__ import annotations

import importlib.util
import socket
import sys
from importlib.machinery import ModuleSpec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hub.camera.sources import v4l2
from hub.cli import cameras
from hub.config import CameraConfig, Config
from tests.real_picamera2 import needs_picamera2, run_with_picamera2

if TYPE_CHECKING:
    from pathlib import Path

    from hub.cli.finding import Finding


def found(*sources: str) -> list[Finding]:
    cameras_ = tuple(CameraConfig(id=f"c{n}", source=source) for n, source in enumerate(sources))
    return list(cameras.look(Config(camera=cameras_)))


@pytest.fixture
def no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "capture_devices", list)


def install(monkeypatch: pytest.MonkeyPatch, info: Any) -> None:
    """Put a fake picamera2 in the place of the real one."""
    fake = SimpleNamespace(Picamera2=SimpleNamespace(global_camera_info=info))
    monkeypatch.setitem(sys.modules, "picamera2", fake)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None))


@pytest.mark.usefixtures("no_devices")
def test_a_source_that_cannot_be_opened_is_a_finding_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    all_of_them, *troubles = found(
        "test", f"file:{tmp_path}/film.mp4", f"file:{tmp_path}/none.mp4", f"v4l2:{tmp_path}/none", "picamera2"
    )
    assert "c0 (test)" in all_of_them.found
    assert [(it.what, it.found.split(str(tmp_path))[0]) for it in troubles] == [
        ("camera c2", "there is no file "),
        ("camera c3", "there is no "),
        ("camera c4", "picamera2 is not installed"),
    ]
    assert all(it.remedy and not it.fatal for it in troubles)


@pytest.mark.usefixtures("no_devices")
def test_a_device_that_gives_no_pictures_is_told() -> None:
    assert found("v4l2:/dev/null")[1].found == "/dev/null gives no pictures"


@pytest.mark.usefixtures("no_devices")
def test_a_network_camera_that_does_not_answer_is_told_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert len(found(f"rtsp://127.0.0.1:{port}/1")) == 1
    said = found(f"rtsp://me:s3cret@127.0.0.1:{port}/1", "http://[::1/x", "http://127.0.0.1:99999/")
    assert [it.found for it in said[1:]] == [
        f"127.0.0.1:{port} does not answer (Connection refused)",
        *["its `source` has no host and port"] * 2,
    ]
    assert not any("s3cret" in str(it) for it in said)


def test_the_pis_own_nodes_are_told_as_its_connector_and_not_as_usb_cameras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = [
        v4l2.VideoDevice("/dev/video0", "unicam", "platform:fe801000.csi", ("pRAA",)),
        v4l2.VideoDevice("/dev/video14", "bcm2835-isp", "platform:bcm2835-isp", ("YU12",)),
        v4l2.VideoDevice("/dev/video1", "C920", "usb-1", ("MJPG",)),
    ]
    monkeypatch.setattr(v4l2, "capture_devices", lambda: nodes)
    listed = found()[0].found
    assert "the Pi's camera connector (bcm2835-isp, unicam; picamera2 is not installed)" in listed
    assert "v4l2:/dev/video1 (C920, MJPEG)" in listed
    assert "/dev/video0" not in listed


@pytest.mark.usefixtures("no_devices")
def test_the_pis_cameras_are_listed_by_number_and_one_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, lambda: [{"Model": "imx708"}, {"Model": "ov5647"}])
    listed, *troubles = found("picamera2:1", "picamera2:2")
    assert "devices here: picamera2:0 (imx708), picamera2:1 (ov5647)" in listed.found
    assert [(it.what, it.found) for it in troubles] == [("camera c1", "the Pi's camera 2 is not connected")]


@pytest.mark.usefixtures("no_devices")
def test_a_picamera2_of_another_numpy_is_told_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[dict[str, str]]:
        raise ValueError("numpy.dtype size changed")

    install(monkeypatch, broken)
    listed, trouble = found("picamera2")
    assert "of no use: ValueError: numpy.dtype size changed" in listed.found
    assert "numpy.dtype size changed" in trouble.found


@needs_picamera2
@pytest.mark.slow
def test_the_real_picamera2_lists_its_cameras(tmp_path: Path) -> None:
    done = run_with_picamera2("-m", "hub.cli", "doctor", "--data", tmp_path)
    assert "devices here: picamera2:0 (stub)" in done.stdout, done.stderr[-2000:]
