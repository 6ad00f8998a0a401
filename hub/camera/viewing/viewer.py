"""One WebRTC viewer by aiortc, fed with access units that are already coded.

Importing this room costs about 20 MB for aiortc, so it is imported for the first viewer and not before.
aiortc does SDP, ICE and DTLS; media goes past it where that is possible (track.py and seams.py beside this).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import OperationError
from aiortc.sdp import candidate_from_sdp

from hub.camera.errors import BadOffer, CameraError, SeamBroken
from hub.camera.media import Codec
from hub.camera.viewing.offer import chosen, completed, parse_fragment
from hub.camera.viewing.seams import name_streams
from hub.camera.viewing.side_channel import SideChannel
from hub.camera.viewing.track import ViewerTrack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hub.camera.viewing.channel import Channel
    from hub.camera.viewing.delivery import Delivery
    from hub.camera.viewing.ice import IceServers
    from hub.camera.viewing.offer import Offer
    from hub.camera.viewing.telemetry import Instruments

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 5
_CONNECT_TIMEOUT_S = 30
"""A peer that has not connected by then is gone; also bounds a trickling client that never trickles."""


class Viewer:
    """One peer: from its offer until it goes, fails or is closed. Loop thread only.

    It joins the channel of the codec it agreed on once its connection stands. `ssrcs` are those of the
    camera's packets and of resent ones; `gone` is called once when the peer went by itself. `instruments` are
    the samples it may see beside the picture.
    """

    def __init__(
        self,
        *,
        ice: IceServers,
        channels: Mapping[Codec, Channel],
        ssrcs: tuple[int, int],
        gone: Callable[[Viewer], None],
        instruments: Instruments | None = None,
        connect_timeout_s: float = _CONNECT_TIMEOUT_S,
    ) -> None:
        self.id = secrets.token_urlsafe(18)
        self.etag = secrets.token_hex(8)
        self._channels = channels
        self._ssrcs = ssrcs
        self._gone: Callable[[Viewer], None] | None = gone
        # always a list, also an empty one: left out, aiortc asks a public STUN server
        servers = [RTCIceServer(uri, username=ice.username, credential=ice.password) for uri in ice.uris]
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._track = ViewerTrack(self._give_up)
        self._side = SideChannel(self._peer, instruments, clock=self._track.clock, give_up=self._give_up)
        self._hidden_candidates = False
        self._connect_timeout_s = connect_timeout_s
        self._connect_timer: asyncio.TimerHandle | None = None

    async def answer(self, offer: Offer) -> str:
        """Answer an offer with all candidates. Raises BadOffer; `close` is then still the caller's."""
        self._hidden_candidates = offer.hidden_candidates
        transceiver = self._peer.addTransceiver(self._track, direction="sendonly")
        transceiver.setCodecPreferences(_codecs())
        sender = transceiver.sender
        try:
            name_streams(sender, *self._ssrcs)
        except SeamBroken as error:
            log.warning("sending through aiortc, which costs more CPU: %s", error)
            for channel in self._channels.values():
                channel.direct = False
        self._peer.on("connectionstatechange", self._check_alive)
        await self._negotiate(offer.sdp, transceiver)
        self._side.guard()
        # the transport that is left after bundling; a peer that leaves says so by DTLS
        sender.transport.on("statechange", self._check_alive)
        self._connect_timer = asyncio.get_running_loop().call_later(self._connect_timeout_s, self._give_up)
        sdp: str = self._peer.localDescription.sdp
        agreed = chosen(sdp)
        self._track.feed(sender, self._channels[agreed.codec], agreed, self._ssrcs[1])
        return completed(sdp, offer.sdp)

    @property
    def delivery(self) -> Delivery | None:
        """What it was sent and what its browser tells; None before it is connected, or where aiortc sends."""
        return self._track.delivery

    async def trickle(self, fragment_text: str) -> None:
        """Take in the peer's further candidates. Raises BadOffer."""
        fragment = parse_fragment(fragment_text)
        offered = self._peer.remoteDescription.sdp.split()
        if fragment.ufrag is not None and f"a=ice-ufrag:{fragment.ufrag}" not in offered:
            raise BadOffer("this is another ICE session: an ICE restart is not supported, start a new viewer")
        self._hidden_candidates |= fragment.hidden_candidates
        try:
            for item in fragment.candidates:
                candidate = candidate_from_sdp(item.text)
                candidate.sdpMid = item.mid
                await self._peer.addIceCandidate(candidate)
            if fragment.complete and not self._hidden_candidates:
                await self._peer.addIceCandidate(None)
        except (ValueError, AssertionError) as error:
            raise BadOffer(f"a candidate cannot be used: {error}") from error

    async def close(self) -> None:
        """Close the connection and free its sockets; may be called twice."""
        self._gone = None
        if self._connect_timer is not None:
            self._connect_timer.cancel()
        self._track.stop()
        self._side.close()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._peer.close()
        except TimeoutError:
            log.warning("viewer %s did not close in %d s", self.id[:6], _CLOSE_TIMEOUT_S)

    async def _negotiate(self, sdp: str, transceiver: RTCRtpTransceiver) -> None:
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
            for other in self._peer.getTransceivers():
                if other is not transceiver:
                    other.direction = "inactive"  # nothing is taken from a viewer
            await self._peer.setLocalDescription()
        except OperationError as error:
            raise BadOffer(
                "no codec in common: this camera sends H.264 constrained baseline "
                "(profile-level-id 42e01f, packetization-mode 1) and VP8"
            ) from error
        except OSError as error:
            raise CameraError(f"no network socket for a viewer: {error}") from error
        except Exception as error:
            # aiortc's parser answers hostile SDP with whatever its lines run into
            raise BadOffer(f"the offer cannot be read: {type(error).__name__}: {error}") from error

    def _check_alive(self) -> None:
        states = {self._peer.connectionState, *(s.transport.state for s in self._peer.getSenders())}
        if states & {"failed", "closed"}:
            self._give_up()
        elif self._peer.connectionState == "connected" and self._connect_timer is not None:
            self._connect_timer.cancel()

    def _give_up(self) -> None:
        gone, self._gone = self._gone, None
        if gone is not None:
            gone(self)


def _codecs() -> list[RTCRtpCodecCapability]:
    """H.264 constrained baseline, then baseline (which the same stream satisfies), VP8, resending by RTX.

    Set before the offer is applied: later, aiortc would send H.264 as the first common codec.
    """
    found = RTCRtpSender.getCapabilities("video").codecs
    order = {"42e01f": 0, "42001f": 1}
    h264 = [codec for codec in found if codec.parameters.get("profile-level-id") in order]
    h264.sort(key=lambda codec: order[str(codec.parameters["profile-level-id"])])
    return [*h264, *(codec for codec in found if codec.mimeType in (Codec.VP8, "video/rtx"))]
