"""The encoder's bitstream is what every WebRTC browser decodes, and JPEGs are what Pillow reads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from hub.camera.encoder import H264Encoder, JpegEncoder
from hub.camera.media import Picture
from hub.camera.sources import planes, stamp
from hub.camera.sources.test_pattern import Canvas
from tests.coded_video import coded

if TYPE_CHECKING:
    from hub.camera.media import AccessUnit

SPS, PPS, IDR, SLICE = 7, 8, 5, 1


def nal_units(data: bytes) -> list[bytes]:
    """Split Annex B by its start codes."""
    return [part.rstrip(b"\x00") for part in data.split(b"\x00\x00\x01")[1:]]


def kinds(unit: AccessUnit) -> list[int]:
    return [nal[0] & 0x1F for nal in nal_units(unit.data)]


def test_the_profile_is_constrained_baseline() -> None:
    sps = nal_units(coded(1)[0].data)[0]
    assert (sps[0] & 0x1F, sps[1], sps[2] & 0b0100_0000) == (SPS, 0x42, 0b0100_0000)


def test_720p30_stays_within_level_3_1_that_the_answer_promises() -> None:
    assert nal_units(coded(1, width=1280, height=720)[0].data)[0][3] <= 31


def test_parameter_sets_precede_every_idr_picture() -> None:
    keyframes = [unit for unit in coded(180, force=[50]) if unit.keyframe]
    assert len(keyframes) == 3
    for unit in keyframes:
        found = [kind for kind in kinds(unit) if kind in (SPS, PPS, IDR)]
        assert found == [SPS, PPS, IDR]


def test_a_keyframe_comes_when_forced_and_not_before_its_turn() -> None:
    units = coded(40, force=[25])
    assert [index for index, unit in enumerate(units) if unit.keyframe] == [0, 25]
    assert kinds(units[26]) == [SLICE]


def test_coded_pictures_decode_to_the_stamps_that_went_in() -> None:
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for unit in coded(10) for frame in decoder.decode(av.Packet(unit.data))] + decoder.decode(
        None
    )
    assert [stamp.read(planes.views(frame)[0]) for frame in frames] == list(range(1_000, 1_010))


def test_a_source_that_changes_its_size_gets_a_new_stream_that_starts_with_a_keyframe() -> None:
    encoder = H264Encoder(fps=30, bitrate_kbps=1000)
    units = [
        encoder.encode(Picture(Canvas(width, 240).frame, 0), pts, force_keyframe=False)[0]
        for pts, width in enumerate((320, 320, 160))
    ]
    assert [unit.keyframe for unit in units] == [True, False, True]


def test_pictures_in_another_pixel_format_are_taken() -> None:
    frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 200, np.uint8), "rgb24")
    assert (
        H264Encoder(fps=30, bitrate_kbps=1000).encode(Picture(frame, 0), 0, force_keyframe=False)[0].keyframe
    )


def test_the_same_pictures_go_to_h264_and_to_jpeg() -> None:
    video, stills, canvas = H264Encoder(fps=30, bitrate_kbps=1000), JpegEncoder(), Canvas(320, 240)
    for index in range(10):
        canvas.draw(index, 30, 1_000 + index)
        picture = Picture(canvas.frame, 1_000 + index)
        unit = video.encode(picture, 10**9 + index * 3000, force_keyframe=index == 5)[0]
        image = Image.open(io.BytesIO(stills.encode(picture).jpeg))
        assert stamp.read(np.asarray(image.convert("L"))) == 1_000 + index
        assert unit.keyframe == (index in (0, 5))


@pytest.mark.parametrize(("width", "height"), [(64, 64), (66, 66), (320, 240)])
def test_a_jpeg_shows_the_pattern_in_its_colours(width: int, height: int) -> None:
    canvas = Canvas(width, height)
    canvas.draw(0, 30, 1_795_000_000_123)
    image = Image.open(io.BytesIO(JpegEncoder().encode(Picture(canvas.frame, 5)).jpeg))
    assert image.size == (width, height)
    assert stamp.read(np.asarray(image.convert("L"))) == 1_795_000_000_123
    red, green, blue = image.convert("RGB").getpixel((width - 2, height // 2 + 10))  # type: ignore[misc]  # a pixel of three
    assert blue > 170
    assert max(red, green) < 30
