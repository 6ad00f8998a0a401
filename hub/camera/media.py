"""What flows through the camera room: pictures in, access units and stills out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

RTP_CLOCK_HZ = 90_000
"""RFC 3551: the RTP clock of every video codec."""
RTP_TIME_BASE = Fraction(1, RTP_CLOCK_HZ)


@dataclass(frozen=True, slots=True)
class Picture:
    """One raw picture of a source. It is valid until the source is read again, which may reuse its memory."""

    frame: av.VideoFrame
    time_ms: int
    """When it was captured, UTC."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture (H.264, 7.4.1.2.3), shared by all viewers: nobody changes it."""

    packet: av.Packet[Any]
    """Annex B; pts in ticks of RTP_TIME_BASE."""
    keyframe: bool
    """An IDR picture with its SPS and PPS: decoding can start here."""
    time_ms: int


@dataclass(frozen=True, slots=True)
class Still:
    """One picture as JPEG."""

    jpeg: bytes
    time_ms: int
