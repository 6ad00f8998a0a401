"""Video that was really coded, as access units and as files whose pictures carry known stamps."""

from __future__ import annotations

from fractions import Fraction
from http.server import SimpleHTTPRequestHandler
from typing import TYPE_CHECKING

import av

from hub.camera.encoder import H264Encoder
from hub.camera.media import Picture
from hub.camera.sources import planes, source, stamp
from hub.camera.sources.remuxed_source import RemuxedReader
from hub.camera.sources.test_pattern import Canvas
from hub.config import CameraConfig
from tests.camera_peer import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hub.camera.media import AccessUnit, Coded


def config(text: str, *, width: int = 320, height: int = 240, fps: int = 30) -> CameraConfig:
    """Return the configuration of a camera with this source."""
    return CameraConfig(id="front", source=text, width=width, height=height, fps=fps)


def coded(count: int, *, force: Iterable[int] = (), width: int = 320, height: int = 240) -> list[AccessUnit]:
    """Return so many pictures of the test pattern as access units, keyframes where they are forced."""
    encoder = H264Encoder(fps=30, bitrate_kbps=1000)
    canvas = Canvas(width, height)
    forced = set(force)
    units = []
    for index in range(count):
        canvas.draw(index, 30, 1_000 + index)
        made = encoder.encode(
            Picture(canvas.frame, 1_000 + index), index * 3000, force_keyframe=index in forced
        )
        assert len(made) == 1, "each picture comes out by the call that put it in"
        units += made
    return units


def coded_file(path: Path, *, pictures: int = 30, group: int = 10, rate: int = 30, x264: str = "") -> None:
    """Write a real file without B-frames, as cameras code: stamps 1000, 1001, …, a keyframe each `group`.

    `x264` are options of the encoder's own, as in `slices=4`.
    """
    canvas = Canvas(320, 240)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264",
            rate=rate,
            options={
                "tune": "zerolatency",
                "g": str(group),
                "keyint_min": str(group),
                "x264-params": x264 or "sliced-threads=0",
            },
        )
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for count in range(pictures):
            canvas.draw(count, rate, 1000 + count)
            canvas.frame.pts, canvas.frame.time_base = count, Fraction(1, rate)
            container.mux(stream.encode(canvas.frame))
        container.mux(stream.encode(None))


def stamps_in(path: Path) -> list[int]:
    """Return the stamps of all pictures of a file."""
    with av.open(str(path)) as container:
        found = [stamp.read(planes.views(frame)[0]) for frame in container.decode(video=0)]
    assert None not in found
    return [time_ms for time_ms in found if time_ms is not None]


def opened(text: str) -> RemuxedReader:
    """Open a source whose pictures are passed on as they are coded."""
    reader = source.choose(config(text), now_ms)()
    assert isinstance(reader, RemuxedReader)
    return reader


def stamps(pictures: list[Coded]) -> list[int | None]:
    """Return the stamps of pictures, decoded."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for item in pictures for frame in decoder.decode(av.Packet(item.data))]
    frames += decoder.decode(None)
    return [stamp.read(planes.views(frame)[0]) for frame in frames]


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass
