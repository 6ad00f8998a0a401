"""Video devices as the kernel tells of them. No camera here: its answers are fakes, as videodev2.h says."""

from __future__ import annotations

import errno
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.errors import SourceError
from hub.camera.sources import demuxed_source, v4l2
from hub.cli import cameras
from hub.config import CameraConfig, Config
from tests.camera_peer import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable

CAPTURE, METADATA, STREAMING, DEVICE_CAPS = 0x1, 0x0080_0000, 0x0400_0000, 0x8000_0000
QUERYCAP, ENUM_FMT = 0x80685600, 0xC0405602


def kernel(
    name: bytes, formats: list[bytes], can: int = CAPTURE | STREAMING, bus: bytes = b"usb-1"
) -> Callable[..., bytes]:
    """Answer as a driver does."""

    def ioctl(_: int, request: int, argument: bytes) -> bytes:
        if request == QUERYCAP:
            assert len(argument) == 104
            return struct.pack("=16s32s32sIII12x", b"uvcvideo", name, bus, 0x060C00, can | DEVICE_CAPS, can)
        assert (request, len(argument)) == (ENUM_FMT, 64)
        index, kind = struct.unpack_from("=II", argument)
        assert kind == 1
        if index >= len(formats):
            raise OSError(errno.EINVAL, "Invalid argument")
        return struct.pack("=III32s4sI12x", index, kind, 0, b"a form", formats[index], 0)

    return ioctl


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "video0"
    path.touch()
    return path


@pytest.mark.parametrize(
    ("formats", "best"),
    [
        ([b"YUYV", b"MJPG", b"H264"], "H.264"),
        ([b"YUYV", b"MJPG"], "MJPEG"),
        ([b"YUYV"], "raw"),
        ([], "raw"),
    ],
)
def test_a_cameras_own_h264_is_best_then_mjpeg_then_raw(node: Path, formats: list[bytes], best: str) -> None:
    device = v4l2.describe(node, kernel(b"HD Webcam C920", formats))
    assert device is not None
    assert (device.name, device.best) == ("HD Webcam C920", best)
    assert device.formats == tuple(code.decode() for code in formats)


@pytest.mark.parametrize("can", [STREAMING, METADATA | STREAMING, CAPTURE])
def test_what_gives_no_pictures_is_no_camera(node: Path, can: int) -> None:
    assert v4l2.describe(node, kernel(b"bcm2835-codec", [b"H264"], can)) is None


def test_a_file_that_is_no_device_is_no_camera_and_one_that_is_closed_to_us_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "video0").write_text("not a device")
    assert v4l2.capture_devices(tmp_path) == []
    assert v4l2.capture_devices(tmp_path / "none") == []

    def refuse(*_: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("hub.camera.sources.v4l2.os.open", refuse)
    with pytest.raises(v4l2.NoRight):
        v4l2.capture_devices(tmp_path)


@given(st.binary(max_size=120))
def test_no_answer_of_a_driver_breaks_the_reader(answer: bytes) -> None:
    def ioctl(_: int, request: int, argument: bytes) -> bytes:
        return answer.ljust(104 if request == QUERYCAP else 64, b"\0")[: len(argument)]

    device = v4l2.describe(Path("/dev/null"), ioctl)
    assert device is None or all(text.isprintable() for text in (device.name, *device.formats))


def test_doctor_lists_cameras_with_what_is_taken_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        v4l2.VideoDevice("/dev/video0", "C920", "usb-1", ("YUYV", "H264")),
        v4l2.VideoDevice("/dev/video2", "ELP", "usb-2", ("MJPG",)),
        v4l2.VideoDevice("/dev/video4", "ELP", "usb-2", ("H264",)),
    ]
    monkeypatch.setattr(v4l2, "capture_devices", lambda: found)
    (told,) = cameras.look(Config(camera=(CameraConfig(id="front"),)))
    assert told.found == (
        "front (test); devices here: v4l2:/dev/video0 (C920, H.264), "
        "v4l2:/dev/video2 (ELP, H.264 of /dev/video4), v4l2:/dev/video4 (ELP, H.264)"
    )

    def refuse() -> list[v4l2.VideoDevice]:
        raise v4l2.NoRight("/dev/video0")

    monkeypatch.setattr(v4l2, "capture_devices", refuse)
    (told,) = cameras.look(Config())
    assert "no right to /dev/video0" in told.found
    assert "usermod -aG video" in told.remedy


# --- a camera with its H.264 on a node of its own ------------------------------------------------------

COLOUR, CODED = [b"MJPG", b"YUYV"], [b"H264"]


def machine(folder: Path, *nodes: tuple[bytes, list[bytes]]) -> Callable[..., bytes]:
    """Make nodes video0, video1, … of these buses and formats; gives the kernel that answers for them."""
    answers = {}
    for number, (bus, formats) in enumerate(nodes):
        path = folder / f"video{number}"
        path.touch()
        can = CAPTURE | STREAMING if formats else METADATA | STREAMING
        answers[str(path)] = kernel(b"a camera", formats, can, bus)

    def ioctl(handle: int, request: int, argument: bytes) -> bytes:
        return answers[str(Path(f"/proc/self/fd/{handle}").readlink())](handle, request, argument)

    return ioctl


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([(b"usb-1", [*COLOUR, b"H264"]), (b"usb-1", CODED)], "video0"),
        ([(b"usb-1", COLOUR), (b"usb-1", []), (b"usb-1", CODED), (b"usb-1", [])], "video2"),
        ([(b"usb-1", COLOUR), (b"usb-2", CODED)], None),
        ([(b"usb-1", [b"GREY"]), (b"usb-1", CODED)], None),
        ([(b"platform:bcm2835-isp", COLOUR), (b"platform:bcm2835-isp", CODED)], None),
        ([(b"usb-1", COLOUR)], None),
    ],
    ids=["own", "second node", "another camera", "infrared", "not USB", "none"],
)
def test_a_usb_cameras_h264_is_found_on_another_of_its_nodes(
    tmp_path: Path, nodes: list[tuple[bytes, list[bytes]]], expected: str | None
) -> None:
    ioctl = machine(tmp_path, *nodes)
    found = v4l2.h264_node(str(tmp_path / "video0"), tmp_path, ioctl)
    assert found == (None if expected is None else str(tmp_path / expected))


def test_a_link_by_id_leads_to_the_cameras_second_node_too(tmp_path: Path) -> None:
    ioctl = machine(tmp_path, (b"usb-1", COLOUR), (b"usb-1", CODED))
    link = tmp_path / "usb-a_camera-index0"
    link.symlink_to(tmp_path / "video0")
    assert v4l2.h264_node(str(link), tmp_path, ioctl) == str(tmp_path / "video1")


def test_where_the_nodes_cannot_be_asked_the_named_one_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert v4l2.h264_node(str(tmp_path / "video9"), tmp_path) == str(tmp_path / "video9")

    def refuse(*_: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("hub.camera.sources.v4l2.os.open", refuse)
    assert v4l2.h264_node("/dev/video0", tmp_path) == "/dev/video0"


# --- what FFmpeg is asked for -------------------------------------------------------------------------


class Driver:
    """A fake of FFmpeg's V4L2 input: opens for the forms that the camera has; its H.264 may be elsewhere."""

    def __init__(self, *forms: str | None, node: str | None = "/dev/video0") -> None:
        self.forms = forms
        self.node = node
        self.asked: list[str | None] = []

    def __call__(self, path: str, mode: str, **how: Any) -> Any:
        form = how["options"].get("input_format")
        assert (path, mode, how["format"]) == (self.node if form == "h264" else "/dev/video0", "r", "v4l2")
        self.asked.append(form)
        if form not in self.forms:
            raise av.FFmpegError(errno.EINVAL, "Invalid argument")
        return form


@pytest.mark.parametrize(
    ("forms", "node", "asked"),
    [
        (("h264", "mjpeg", None), "/dev/video0", ["h264"]),
        (("h264", "mjpeg", None), "/dev/video2", ["h264"]),
        (("mjpeg", None), "/dev/video2", ["h264", "mjpeg"]),
        (("mjpeg", None), None, ["mjpeg"]),
        ((None,), "/dev/video0", ["h264", "mjpeg", None]),
    ],
)
def test_the_forms_are_asked_for_from_the_best_on(
    monkeypatch: pytest.MonkeyPatch,
    forms: tuple[str | None, ...],
    node: str | None,
    asked: list[str | None],
) -> None:
    driver = Driver(*forms, node=node)
    monkeypatch.setattr(av, "open", driver)
    monkeypatch.setattr(v4l2, "h264_node", lambda _: node)
    config = CameraConfig(id="front", source="v4l2:/dev/video0")
    demuxed_source._open_v4l2(config, "/dev/video0")
    assert driver.asked == asked


def test_a_device_that_is_not_there_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def missing(path: str, *_: Any, **__: Any) -> Any:
        calls.append(path)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(av, "open", missing)
    monkeypatch.setattr(v4l2, "h264_node", lambda device: device)
    with pytest.raises(SourceError, match="No such file"):
        demuxed_source.open_demuxed(CameraConfig(id="front", source="v4l2:/dev/video0"), now_ms)
    assert len(calls) == 1
