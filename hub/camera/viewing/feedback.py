"""What a viewer's browser tells by RTCP, in the words of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class Feedback:
    """Subclass it; every method may be called with lies."""

    def keyframe_wanted(self) -> None:
        """Hear a PLI or FIR (RFC 4585, 6.3.1; RFC 5104, 4.3.1)."""

    def packets_lost(self, sequences: Sequence[int]) -> None:
        """Hear a NACK (RFC 4585, 6.2.1) for the viewer's own sequence numbers."""

    def reported(self, *, lost_fraction: float, last_report: int, delay: int) -> None:
        """Hear a receiver report (RFC 3550, 6.4.2): `last_report` and `delay` in 1/65536 s."""

    def bitrate_estimated(self, bits_per_s: int) -> None:
        """Hear a REMB (draft-alvestrand-rmcat-remb)."""


def dispatch(packet: Any, ssrc: int, feedback: Feedback) -> None:
    """Hand one parsed packet of a viewer to `feedback`, as far as it is about the stream `ssrc`."""
    if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
        for report in packet.reports:
            if report.ssrc == ssrc:
                feedback.reported(
                    lost_fraction=report.fraction_lost / 256, last_report=report.lsr, delay=report.dlsr
                )
    elif isinstance(packet, RtcpRtpfbPacket):
        if packet.fmt == RTCP_RTPFB_NACK:
            feedback.packets_lost(packet.lost)
    elif isinstance(packet, RtcpPsfbPacket):
        if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            feedback.keyframe_wanted()
        elif packet.fmt == RTCP_PSFB_APP:
            try:
                feedback.bitrate_estimated(unpack_remb_fci(packet.fci)[0])
            except ValueError:
                return
