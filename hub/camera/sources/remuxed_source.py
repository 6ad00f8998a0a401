"""Sources that code by themselves: H.264 of RTSP, HTTP and USB cameras and of files, passed on as it is.

A keyframe cannot be asked for: a viewer who joins waits for the camera's next one. Its size and its profile
are the camera's too: `width` and `height` of the configuration do not apply, and browsers of Apple show
constrained baseline best. Streams with B-frames cannot be sent (RFC 7742 leaves them out) and are coded anew.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import av

from hub.camera.errors import SourceError
from hub.camera.media import Coded
from hub.camera.sources.access_units import START, Assembly, Part, in_order
from hub.camera.sources.address import reason
from hub.camera.viewing.rtp import nal_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

_IDR, _SPS = 5, 7
_GAP_LIMIT_S = 1.0


def can_be_passed_on(stream: VideoStream) -> bool:
    """Say whether browsers take the stream as it is."""
    codec = stream.codec_context
    return codec.name == "h264" and not codec.has_b_frames


class RemuxedReader:
    """An open container with H.264; a `paced` one is read again and again, and says when a picture is due."""

    def __init__(
        self, name: str, container: InputContainer, now_ms: Callable[[], int], *, paced: bool
    ) -> None:
        self._name = name
        self._container = container
        self._now_ms = now_ms
        self._paced = paced
        self._stream = container.streams.video[0]
        self._tick_s = float(self._stream.time_base or 0)
        self._parameter_sets = _in_annex_b(self._stream.codec_context.extradata or b"")
        self._length_bytes = _length_bytes(self._stream.codec_context.extradata or b"")
        self._packets: Iterator[av.Packet[Any]] = container.demux(self._stream)
        self._pace = Pace()
        self._assembly = Assembly()
        self._whole: deque[Part] = deque()
        self._ended: SourceError | None = None
        """Why nothing follows what is whole."""

    def read(self) -> Coded:
        """Wait for the next coded picture. Raises SourceError."""
        while not self._whole:
            if self._ended is not None:
                raise self._ended
            self._take()
        picture = self._whole.popleft()
        keyframe, data = picture.idr, picture.data
        if keyframe:
            data = self._with_parameter_sets(data)
        if not self._paced:
            return Coded(data, keyframe=keyframe, time_ms=picture.time_ms, stream_s=picture.stream_s)
        now_s = time.monotonic()
        due_s = self._pace.due_s(picture.stream_s or 0.0, now_s)
        time_ms = self._now_ms() + int(1000 * (due_s - now_s))
        return Coded(data, keyframe=keyframe, time_ms=time_ms, stream_s=None, due_s=due_s)

    def close(self) -> None:
        """Close the container."""
        with suppress(av.FFmpegError, OSError):
            self._container.close()

    def _take(self) -> None:
        """Wait for a packet, and see which pictures are whole by it."""
        try:
            packet = self._next()
        except (av.FFmpegError, OSError) as error:
            self._ended = SourceError(f"{self._name}: {reason(error)}")
            self._ended.__cause__ = error
        except SourceError as error:
            self._ended = error
        else:
            data = bytes(packet)
            if self._length_bytes:
                data = _with_start_codes(data, self._length_bytes)
            stream_s = None if packet.pts is None else packet.pts * self._tick_s
            self._whole += self._assembly.put(Part(data, stream_s, self._now_ms()))
            return
        self._whole += self._assembly.end()

    def _with_parameter_sets(self, keyframe: bytes) -> bytes:
        """Give a keyframe with SPS and PPS, in front of all its slices."""
        units = nal_units(keyframe)
        kinds = [unit[0] & 0x1F for unit in units]
        if _SPS not in kinds:
            return self._parameter_sets + keyframe
        return in_order(units) if _SPS in kinds[kinds.index(_IDR) :] else keyframe

    def _next(self) -> av.Packet[Any]:
        packet = self._packet()
        if packet is None and self._paced:
            self._container.seek(0)
            self._packets = self._container.demux(self._stream)
            packet = self._packet()
        if packet is None:
            raise SourceError(f"{self._name}: ended")
        return packet

    def _packet(self) -> av.Packet[Any] | None:
        return next((packet for packet in self._packets if packet.size), None)


class Pace:
    """When the pictures of a file are due, which is read again and again. Pure."""

    def __init__(self) -> None:
        self._due_s: float | None = None
        self._stream_s = 0.0
        self._step_s = 0.0

    def due_s(self, stream_s: float, now_s: float) -> float:
        """Give when the next picture is due; neither a stop of the machine nor a gap is made up for."""
        passed_s = stream_s - self._stream_s
        if passed_s >= 0:
            self._step_s = min(passed_s, _GAP_LIMIT_S)
        self._stream_s = stream_s
        if self._due_s is None or self._due_s < now_s - _GAP_LIMIT_S:
            self._due_s = now_s
        else:
            self._due_s += self._step_s
        return self._due_s


def _length_bytes(extradata: bytes) -> int:
    """Give how long the lengths in front of units are (ISO/IEC 14496-15, 5.3.3.1); 0: start codes instead."""
    return (extradata[4] & 3) + 1 if len(extradata) > 6 and extradata[0] == 1 else 0


def _with_start_codes(data: bytes, length_bytes: int) -> bytes:
    units = []
    at = 0
    while at + length_bytes < len(data):
        size = int.from_bytes(data[at : at + length_bytes], "big")
        at += length_bytes
        units.append(START + data[at : at + size])
        at += size
    return b"".join(units)


def _in_annex_b(extradata: bytes) -> bytes:
    """Give SPS and PPS as a byte stream, from either of the forms that containers keep them in."""
    if not _length_bytes(extradata):
        return extradata if extradata.startswith((b"\x00\x00\x01", START)) else b""
    sets, at = [], 5
    for mask in (0x1F, 0xFF):
        count = extradata[at] & mask if at < len(extradata) else 0
        at += 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            sets.append(START + extradata[at + 2 : at + 2 + size])
            at += 2 + size
    return b"".join(sets)
