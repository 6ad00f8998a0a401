"""All that Outpost touches of aiortc 1.16, aioice 0.13 and pylibsrtp 1.0 beyond their public faces.

Each seam is asked for by name, so that another version which lacks it gives SeamBroken and the viewer is fed
through aiortc's own sender. tests/test_seams.py tells which seam a new version broke.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioice.turn import TurnTransport
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

from hub.camera.errors import CameraError
from hub.camera.outlet import Outlet, RelayOutlet, UdpOutlet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiortc import RTCRtpSender

_TAG_BYTES = {
    b"SRTP_AES128_CM_SHA1_80": 10,
    b"SRTP_AEAD_AES_128_GCM": 16,
    b"SRTP_AEAD_AES_256_GCM": 16,
}


class SeamBroken(CameraError):
    """This version of a library lacks a part that direct sending needs; the message names it."""


class Feedback:
    """What a viewer's browser tells by RTCP. Subclass it; every method may be called with lies."""

    def keyframe_wanted(self) -> None:
        """Hear a PLI or FIR (RFC 4585, 6.3.1; RFC 5104, 4.3.1)."""

    def packets_lost(self, sequences: Sequence[int]) -> None:
        """Hear a NACK (RFC 4585, 6.2.1) for the viewer's own sequence numbers."""

    def reported(self, *, lost_fraction: float, last_report: int, delay: int) -> None:
        """Hear a receiver report (RFC 3550, 6.4.2): `last_report` and `delay` in 1/65536 s."""

    def bitrate_estimated(self, bits_per_s: int) -> None:
        """Hear a REMB (draft-alvestrand-rmcat-remb)."""


def _part(thing: object, name: str) -> Any:
    try:
        return getattr(thing, name)
    except AttributeError:
        kind = type(thing)
        raise SeamBroken(f"{kind.__module__}.{kind.__qualname__} has no `{name}`") from None


def name_streams(sender: RTCRtpSender, ssrc: int, rtx_ssrc: int) -> None:
    """Have the answer announce these streams; before the answer is made. Raises SeamBroken."""
    _part(sender, "_ssrc")
    _part(sender, "_rtx_ssrc")
    sender._ssrc, sender._rtx_ssrc = ssrc, rtx_ssrc


def on_keyframe_request(sender: RTCRtpSender, wanted: Callable[[], None]) -> None:
    """Hear PLI and FIR while aiortc sends; it ignores them for coded media."""
    sender._send_keyframe = wanted  # type: ignore[method-assign]  # the seam


class Connected:
    """A sender whose DTLS handshake is done. Raises SeamBroken."""

    def __init__(self, sender: RTCRtpSender) -> None:
        self._sender = sender
        dtls = sender.transport
        self.srtp = _part(_part(dtls, "_tx_srtp"), "_srtp")
        """cffi's `srtp_t *` of what is sent."""
        profile = _part(_part(dtls, "_ssl"), "get_selected_srtp_profile")()
        if profile not in _TAG_BYTES:
            raise SeamBroken(f"the SRTP profile {profile!r} is not known")
        self.tag_bytes = _TAG_BYTES[profile]
        self._nominated = _part(_part(dtls.transport, "_connection"), "_nominated")
        for name in ("_handle_rtcp_packet", "_send_rtcp"):
            _part(sender, name)
        pair = self.pair()
        if pair is not None:
            self.outlet(pair).close()

    def pair(self) -> Any:
        """Give what ICE sends on now, to be compared and handed to `outlet`; None when there is none."""
        return self._nominated.get(1)

    def outlet(self, pair: Any) -> Outlet:
        """Open a pair's way out; the caller closes it."""
        transport = _part(_part(pair, "protocol"), "transport")
        address = _part(pair, "remote_addr")
        if isinstance(transport, TurnTransport):
            return RelayOutlet(_Relay(transport), address)
        socket = transport.get_extra_info("socket")
        if socket is None:
            raise SeamBroken("the ICE transport shows no socket")
        return UdpOutlet(socket.fileno(), address)

    def take_rtcp(self, feedback: Feedback, report: Callable[[RtcpSrPacket], None]) -> None:
        """Hand the viewer's RTCP to `feedback` in aiortc's place, and let `report` set right what it sends.

        aiortc keeps its timer and its packets: a sender report goes to `report` before it leaves.
        """
        send = self._sender._send_rtcp

        ssrc = _part(self._sender, "_ssrc")

        async def handle(packet: Any) -> None:
            _dispatch(packet, ssrc, feedback)

        async def corrected(packets: list[Any]) -> None:
            for packet in packets:
                if isinstance(packet, RtcpSrPacket):
                    report(packet)
            await send(packets)

        self._sender._handle_rtcp_packet = handle  # type: ignore[method-assign]  # the seam
        self._sender._send_rtcp = corrected  # type: ignore[method-assign]  # the seam


class _Relay:
    def __init__(self, transport: TurnTransport) -> None:
        self.sendto = transport.sendto
        inner = _part(_part(transport, "_TurnTransport__inner_protocol"), "transport")
        self.queued_bytes: Callable[[], int] = _part(inner, "get_write_buffer_size")


def _dispatch(packet: Any, ssrc: int, feedback: Feedback) -> None:
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
