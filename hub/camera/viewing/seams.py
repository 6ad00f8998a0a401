"""All that Outpost touches of aiortc 1.16, aioice 0.13 and pylibsrtp 1.0 beyond their public faces.

Each seam is asked for by name, so that another version which lacks it gives SeamBroken and the viewer is fed
through aiortc's own sender. tests/test_seams.py tells which seam a new version broke.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pylibsrtp

from hub.camera.errors import SeamBroken
from hub.camera.viewing.outlet import Outlet, RelayOutlet, UdpOutlet

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aiortc import RTCRtpSender

log = logging.getLogger(__name__)

_TAG_BYTES = {
    b"SRTP_AES128_CM_SHA1_80": 10,
    b"SRTP_AEAD_AES_128_GCM": 16,
    b"SRTP_AEAD_AES_256_GCM": 16,
}


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
        self._rx_srtp = _part(dtls, "_rx_srtp")
        self._ice = _part(dtls.transport, "_connection")
        self._nominated = _part(self._ice, "_nominated")
        _part(self._ice, "data_received")
        _part(sender, "_send_rtcp")
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
        if isinstance(transport, turn_transport()):
            return RelayOutlet(_Relay(transport), address)
        socket = transport.get_extra_info("socket")
        if socket is None:
            raise SeamBroken("the ICE transport shows no socket")
        return UdpOutlet(socket.fileno(), address)

    def hear_rtcp(self, heard: Callable[[bytes], None]) -> None:
        """Have `heard` called with the viewer's RTCP, decrypted, in aiortc's place; it must not raise."""
        others, rx_srtp = self._ice.data_received, self._rx_srtp

        def received(data: bytes, component: int) -> None:
            if not _is_rtcp(data):
                others(data, component)
                return
            try:
                compound = rx_srtp.unprotect_rtcp(data)
            except (pylibsrtp.Error, ValueError) as error:
                log.debug("a viewer's RTCP is left out: %s", error)  # forged, or came twice
                return
            heard(compound)

        self._ice.data_received = received

    def correct_rtcp(self, correct: Callable[[Any], Coroutine[Any, Any, bool]]) -> None:
        """Have `correct` called with aiortc's packets before they leave.

        It may wait, sets them right, and tells whether they are sent again and again, in place of those that
        aiortc's own timer would bring.
        """
        send = self._sender._send_rtcp

        async def corrected(packets: list[Any]) -> None:
            again = True
            while again:
                again = any([await correct(packet) for packet in packets])
                await send(packets)

        self._sender._send_rtcp = corrected  # type: ignore[method-assign]  # the seam


def _is_rtcp(data: bytes) -> bool:
    """Tell RTCP from what shares its port (RFC 7983, 7; RFC 5761, 4)."""
    return len(data) > 1 and 128 <= data[0] < 192 <= data[1] < 224


def bound_inbound(sctp: object, limit_bytes: int, exceeded: Callable[[], None]) -> None:
    """Have `exceeded` called when a peer leaves more than so much of unfinished messages with us.

    aiortc tells the peer a window (RFC 9260, 3.3.4), and keeps whatever it sends in spite of it.
    Raises SeamBroken.
    """
    handle = _part(sctp, "_handle_data")
    window: int = _part(sctp, "_advertised_rwnd")

    async def handled(data: bytes) -> None:
        await handle(data)
        if window - sctp._advertised_rwnd > limit_bytes:  # type: ignore[attr-defined]  # the seam
            exceeded()

    sctp._handle_data = handled  # type: ignore[attr-defined]  # the seam


def turn_transport() -> type[Any]:
    """Give aioice's class of TURN allocations. Raises SeamBroken."""
    try:
        from aioice.turn import TurnTransport  # noqa: PLC0415 - where it is missing, aiortc sends
    except ImportError as error:
        raise SeamBroken(str(error)) from error
    return TurnTransport


class _Relay:
    def __init__(self, transport: Any) -> None:
        self.sendto = transport.sendto
        inner = _part(_part(transport, "_TurnTransport__inner_protocol"), "transport")
        self.queued_bytes: Callable[[], int] = _part(inner, "get_write_buffer_size")
