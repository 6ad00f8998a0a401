"""What flows through the camera room: pictures in, access units and stills out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

RTP_CLOCK_HZ = 90_000
"""RFC 3551: the RTP clock of every video codec."""
RTP_TIME_BASE = Fraction(1, RTP_CLOCK_HZ)


class Codec(StrEnum):
    """How a stream is coded; the value is its media type. The first that a viewer knows is taken."""

    H264 = "video/H264"
    VP8 = "video/VP8"


@dataclass(frozen=True, slots=True)
class Picture:
    """One raw picture of a source. It is valid until the source is read again, which may reuse its memory."""

    frame: av.VideoFrame
    time_ms: int
    """When it was captured, UTC."""
    captured_s: float | None = None
    """The same by the monotonic clock, where the camera tells it."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One picture of a source that codes H.264 by itself."""

    data: bytes
    """Annex B; a keyframe with its SPS and PPS."""
    keyframe: bool
    time_ms: int
    stream_s: float | None
    """The source's own time of it, from an origin of its own."""
    due_s: float | None = None
    """When it is to be shown, by the monotonic clock, where it was read ahead; None: it came just now."""
    captured_s: float | None = None
    """When it was captured, by the monotonic clock, where the camera tells that."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture (H.264, 7.4.1.2.3; or a VP8 frame), shared by all viewers: nobody changes it."""

    data: bytes
    """H.264: Annex B."""
    pts: int
    """In ticks of RTP_TIME_BASE, of the machine's monotonic clock."""
    keyframe: bool
    """Decoding can start here: in H.264 an IDR picture with its SPS and PPS."""
    time_ms: int
    payloads: tuple[bytes, ...] | None = None
    """Of RTP, where they were cut ahead of time."""

    @property
    def held_bytes(self) -> int:
        """What it takes of memory."""
        return len(self.data) * (1 if self.payloads is None else 2)


@dataclass(frozen=True, slots=True)
class Still:
    """One picture as JPEG."""

    jpeg: bytes
    time_ms: int
