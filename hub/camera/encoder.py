"""Raw pictures to H.264 or VP8 access units and to JPEG. Used on the capture's thread only."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Protocol

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from hub.camera.errors import EncoderFailed, SourceError
from hub.camera.media import RTP_TIME_BASE, AccessUnit, Codec, Picture, Still

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

_KEYFRAME_INTERVAL_S = 4
_SMPTE170M = 6
"""BT.601's number in H.264's tables E-3 to E-5: what cameras and JPEG use."""


class VideoEncoder(Protocol):
    """Codes one picture after another; it reopens by itself when the pictures' size changes."""

    def encode(self, picture: Picture, pts: int, *, force_keyframe: bool) -> list[AccessUnit]:
        """Code one picture; `pts` in ticks of RTP_TIME_BASE, growing. The first is a keyframe.

        Raises EncoderFailed.
        """


def open_encoder(codec: Codec, *, fps: int, bitrate_kbps: int) -> VideoEncoder:
    """Give an encoder whose pictures come out by the call that put them in."""
    kind = H264Encoder if codec is Codec.H264 else Vp8Encoder
    return kind(fps=fps, bitrate_kbps=bitrate_kbps)


class _LibavEncoder:
    """What the codecs have in common: one thread, no pictures held back."""

    def __init__(self, *, fps: int, bitrate_kbps: int) -> None:
        self._fps = fps
        self._bit_rate = bitrate_kbps * 1000
        self._codec: VideoCodecContext | None = None

    def encode(self, picture: Picture, pts: int, *, force_keyframe: bool) -> list[AccessUnit]:
        """See VideoEncoder."""
        try:
            return self._encode(picture, pts, force_keyframe=force_keyframe)
        except (av.FFmpegError, OSError) as error:
            self._codec = None
            raise EncoderFailed(f"the encoder {self._library} failed: {error}") from error

    def _encode(self, picture: Picture, pts: int, *, force_keyframe: bool) -> list[AccessUnit]:
        frame = picture.frame
        codec = self._codec
        if codec is None or (codec.width, codec.height) != (frame.width, frame.height):
            codec = self._codec = self._open(frame.width, frame.height)
        frame.pts = pts
        frame.time_base = RTP_TIME_BASE
        frame.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        return [
            AccessUnit(data=bytes(packet), pts=pts, keyframe=packet.is_keyframe, time_ms=picture.time_ms)
            for packet in codec.encode(frame)
        ]

    def _open(self, width: int, height: int) -> VideoCodecContext:
        codec = av.CodecContext.create(self._library, "w")
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.time_base, codec.framerate = RTP_TIME_BASE, Fraction(self._fps)
        codec.bit_rate = self._bit_rate
        codec.gop_size = self._fps * _KEYFRAME_INTERVAL_S
        codec.max_b_frames = 0
        codec.thread_count = 1
        codec.color_range = ColorRange.MPEG
        codec.colorspace = codec.color_primaries = codec.color_trc = _SMPTE170M
        codec.options = self._options()
        codec.open()
        return codec

    _library: Literal["libx264", "libvpx"]

    def _options(self) -> dict[str, str]:
        raise NotImplementedError


class H264Encoder(_LibavEncoder):
    """Constrained baseline, no B-frames, SPS and PPS in front of each IDR picture.

    That is what every WebRTC browser decodes (RFC 7742: constrained baseline is mandatory).
    """

    _library: Literal["libx264"] = "libx264"

    def _options(self) -> dict[str, str]:
        return {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "forced-idr": "1",
            # bounds a keyframe to about half a second's worth of bits
            "maxrate": str(self._bit_rate),
            "bufsize": str(self._bit_rate // 2),
        }


class Vp8Encoder(_LibavEncoder):
    """For the few clients without H.264: some Linux distributions' browsers, and WebRTC libraries."""

    _library: Literal["libvpx"] = "libvpx"

    def _options(self) -> dict[str, str]:
        return {
            "deadline": "realtime",
            "cpu-used": "8",
            "lag-in-frames": "0",
            "error-resilient": "default",
            "minrate": str(self._bit_rate),
            "maxrate": str(self._bit_rate),
            "bufsize": str(self._bit_rate // 2),
            "max-intra-rate": "900",
        }


class JpegEncoder:
    """Pictures to JPEG in full range, as JFIF wants it."""

    def __init__(self) -> None:
        self._codec: VideoCodecContext | None = None
        self._count = 0

    def encode(self, picture: Picture) -> Still:
        """Code one picture."""
        frame = picture.frame.reformat(
            format="yuvj420p", src_color_range=ColorRange.MPEG, dst_color_range=ColorRange.JPEG
        )
        codec = self._codec
        if codec is None or (codec.width, codec.height) != (frame.width, frame.height):
            codec = self._codec = self._open(frame.width, frame.height)
        self._count += 1
        # both: a time base left by the H.264 encoder would round these to doubles, which libavcodec refuses
        frame.pts, frame.time_base = self._count, codec.time_base
        return Still(b"".join(bytes(packet) for packet in codec.encode(frame)), picture.time_ms)

    def _open(self, width: int, height: int) -> VideoCodecContext:
        codec = av.CodecContext.create("mjpeg", "w")
        codec.width, codec.height, codec.pix_fmt = width, height, "yuvj420p"
        codec.time_base = Fraction(1, 30)
        codec.color_range = ColorRange.JPEG
        codec.thread_count = 1
        codec.qmin = codec.qmax = 4  # about Pillow's quality 85
        codec.open()
        return codec


def decode_still(still: Still) -> Picture:
    """Give a still's picture in the encoders' form and range. Raises SourceError."""
    try:
        frames = av.CodecContext.create("mjpeg", "r").decode(av.Packet(still.jpeg))
    except av.FFmpegError as error:
        raise SourceError(f"a snapshot cannot be read again: {error}") from error
    if not frames:
        raise SourceError("a snapshot holds no picture")
    frame = frames[0].reformat(
        format="yuv420p", src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG
    )
    return Picture(frame, still.time_ms)
