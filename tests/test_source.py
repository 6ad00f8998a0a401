"""Sources: the text in the configuration that chooses one, and what each does with real input."""

from __future__ import annotations

import threading
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import av
import numpy as np
import pytest

from hub.camera.encoder import JpegEncoder
from hub.camera.errors import SourceError
from hub.camera.media import Picture
from hub.camera.sources import planes, source, stamp
from hub.camera.sources.address import redacted
from hub.camera.sources.test_pattern import Canvas
from hub.config import ConfigError
from tests.camera_peer import now_ms
from tests.coded_video import Quiet, config

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path


def video_file(path: Path, *, width: int = 320, height: int = 240, pictures: int = 5) -> None:
    """Write a real MP4 whose pictures carry the stamps 1000, 1001, …"""
    canvas = Canvas(width, height)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=50)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for count in range(pictures):
            canvas.draw(count, 50, 1000 + count)
            canvas.frame.pts, canvas.frame.time_base = count, Fraction(1, 50)
            container.mux(stream.encode(canvas.frame))
        container.mux(stream.encode(None))


def raw(reader: source.Reader) -> av.VideoFrame:
    """Read a picture from a source that codes nothing."""
    picture = reader.read()
    assert isinstance(picture, Picture)
    return picture.frame


@pytest.mark.parametrize("text", ["", "webcam", "v4l2:", "file:", "ftp://host/x", "test2", "/dev/video0"])
def test_an_unknown_source_is_refused_at_start_with_the_known_ones(text: str) -> None:
    with pytest.raises(ConfigError, match=r"camera `front`: unknown `source`.*picamera2.*v4l2:"):
        source.choose(config(text), now_ms)


@pytest.mark.parametrize(
    "text",
    ["test", "picamera2", "picamera2:1", "v4l2:/dev/video0", "file:/a.mp4", "rtsp://c/1", "https://c/"],
)
def test_a_known_source_is_chosen_without_being_opened(text: str) -> None:
    assert callable(source.choose(config(text), now_ms))


def test_picamera2_says_how_to_install_it_where_it_is_missing() -> None:
    with pytest.raises(SourceError, match="apt install python3-picamera2"):
        source.choose(config("picamera2"), now_ms)()


@pytest.mark.parametrize("text", ["file:/no/such/file.mp4", "v4l2:/dev/video-none", "rtsp://127.0.0.1:1/x"])
def test_a_source_that_cannot_be_opened_says_which(text: str) -> None:
    with pytest.raises(SourceError, match=r"camera `front`: .*(no/such/file|video-none|127\.0\.0\.1:1)"):
        source.choose(config(text), now_ms)()


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no video at all" * 100)
    with pytest.raises(SourceError, match=r"cannot open file:.*x\.mp4"):
        source.choose(config(f"file:{tmp_path}/x.mp4"), now_ms)()


def test_a_file_plays_again_from_its_beginning_when_it_ends(tmp_path: Path) -> None:
    video_file(tmp_path / "x.mp4")
    reader = source.choose(config(f"file:{tmp_path}/x.mp4"), now_ms)()
    stamps = [stamp.read(planes.views(raw(reader))[0]) for _ in range(8)]
    reader.close()
    assert stamps == [1000, 1001, 1002, 1003, 1004, 1000, 1001, 1002]


def test_a_larger_picture_is_scaled_to_the_configured_size_in_its_own_shape(tmp_path: Path) -> None:
    video_file(tmp_path / "x.mp4", width=640, height=240)
    reader = source.choose(config(f"file:{tmp_path}/x.mp4"), now_ms)()
    frame = raw(reader)
    reader.close()
    assert (frame.width, frame.height) == (320, 120)


def test_a_camera_behind_http_is_read_and_its_end_is_an_error(tmp_path: Path) -> None:
    video_file(tmp_path / "x.mp4", pictures=3)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://user:s3cret@127.0.0.1:{server.server_port}/x.mp4"
        reader = source.choose(config(address), now_ms)()
        stamps = [stamp.read(planes.views(raw(reader))[0]) for _ in range(3)]
        with pytest.raises(SourceError, match="ended") as caught:
            reader.read()
        reader.close()
        server.shutdown()
    assert stamps == [1000, 1001, 1002]
    assert "s3cret" not in str(caught.value)


class JpegCamera(BaseHTTPRequestHandler):
    """A camera as an ESP32-CAM is one: JPEGs one after another. `sent` is all it has."""

    sent: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=123456789000")
        self.end_headers()
        for jpeg in self.sent:
            head = f"\r\n--123456789000\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
        pass


def jpegs(count: int, broken: Container[int] = ()) -> list[bytes]:
    canvas, encoder, made = Canvas(320, 240), JpegEncoder(), []
    for number in range(count):
        canvas.draw(number, 30, 1_000 + number)
        jpeg = encoder.encode(Picture(canvas.frame, number)).jpeg
        made.append(b"\xff\xd8 not a picture" if number in broken else jpeg)
    return made


@pytest.mark.parametrize(
    ("broken", "seen", "words"),
    [
        ((3, 7, 8), [0, 1, 2, 4, 5, 6, 9, 10, 11], "Input/output error"),
        (range(5, 60), range(5), "Invalid data"),
    ],
)
def test_a_camera_that_sends_jpegs_over_http_is_read_and_one_that_is_spoilt_ends_nothing(
    broken: Container[int], seen: Sequence[int], words: str
) -> None:
    camera = type("This", (JpegCamera,), {"sent": jpegs(60 if 59 in broken else 12, broken)})
    found: list[int | None] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), camera) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://user:s3cret@127.0.0.1:{server.server_port}/stream"
        reader = source.choose(config(address), now_ms)()
        with pytest.raises(SourceError) as caught:
            while True:
                found.append(stamp.read(planes.views(raw(reader))[0]))
        reader.close()
        server.shutdown()
    assert found == [1_000 + number for number in seen]
    assert "user:***@127.0.0.1" in str(caught.value)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_test_pattern_moves_and_stamps_the_time_of_capture() -> None:
    times = iter(range(5_000, 6_000))
    reader = source.choose(config("test", fps=60), lambda: next(times))()
    for expected in (5_000, 5_001, 5_002):
        picture = reader.read()
        assert isinstance(picture, Picture)
        assert picture.time_ms == stamp.read(planes.views(picture.frame)[0]) == expected


def test_a_password_in_a_url_stays_out_of_messages() -> None:
    assert redacted("rtsp://admin:s3cret@cam.local:554/1?a=b") == "rtsp://admin:***@cam.local:554/1?a=b"
    assert redacted("v4l2:/dev/video0") == "v4l2:/dev/video0"


def test_picamera2s_padded_rows_become_a_picture_without_the_padding() -> None:
    from hub.camera.sources.picamera2_source import _frame

    width, height, stride = 100, 64, 128
    array = np.zeros((height * 3 // 2, stride), np.uint8)
    flat = array.reshape(-1)
    flat[: height * stride] = 50
    array[:height, width:] = 255
    chroma = height * stride
    flat[chroma : chroma + chroma // 4] = 60
    flat[chroma + chroma // 4 :] = 70
    luma, blue, red = planes.views(_frame(array, width, height))
    assert (luma.shape, blue.shape, red.shape) == ((64, 100), (32, 50), (32, 50))
    assert ((luma == 50).all(), (blue == 60).all(), (red == 70).all()) == (True, True, True)
