"""One viewer's end of a broadcast: encrypts, sends, resends what was lost, counts, reports."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from aiortc.rtp import RtcpSrPacket

from hub.camera.viewing.broadcast import now
from hub.camera.viewing.burst import Lane, Layout
from hub.camera.viewing.feedback import Feedback, hear
from hub.camera.viewing.switch import LayerWatch, Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.camera.viewing.burst import Burst, Ring
    from hub.camera.viewing.channel import Channel
    from hub.camera.viewing.offer import Chosen
    from hub.camera.viewing.outlet import Outlet
    from hub.camera.viewing.seams import Connected
    from hub.camera.viewing.srtp import Workbench

_EARLY_REPORTS = 4
"""aiortc reports each second, which costs more than a viewer's packets of that time: after the first reports,
which set the browser's clock, the broadcast's rate will do."""
_FORMER_PACKETS = 2000
"""A layer that was left is forgotten after so many packets, long before its sequence numbers come again."""
_RESEND_SHARE = 0.5
_RESEND_BURST = 256.0
"""Packets resent to a viewer: half of what it is sent, and so many at once. One bad path is not all."""


class _Former(NamedTuple):
    """The layer that a viewer was on before."""

    ring: Ring
    offset: int
    end: int
    """Its own sequence numbers before this one are of that layer."""
    packets: int
    """That it had been sent."""


class Delivery(Feedback):
    """See the module. Loop thread only; `broken` is called when sending to this viewer cannot go on."""

    def __init__(
        self,
        connected: Connected,
        channel: Channel,
        chosen: Chosen,
        *,
        rtx_ssrc: int,
        workbench: Workbench,
        broken: Callable[[Exception], None],
    ) -> None:
        self.packets = 0
        """RTP packets sent, without those sent again."""
        self.octets = 0
        """Of payload (RFC 3550, 6.4.1)."""
        self.resent = 0
        self.dropped = 0
        """Bursts that the hub's own socket did not take."""
        self.lost_fraction = 0.0
        """Of the last receiver report."""
        self.round_trip_s: float | None = None
        self.bitrate_limit: int | None = None
        """What the browser thinks the path can carry (REMB), bits a second."""
        self._connected = connected
        self._channel = channel
        self._broadcast = broadcast = channel.broadcast
        self._rtx = chosen.rtx_payload_type
        self._rtx_ssrc = rtx_ssrc
        self._rtx_sequence = secrets.randbelow(1 << 15)
        self._workbench = workbench
        self._broken = broken
        self.lane = Lane(chosen.payload_type, broadcast.offset, connected.tag_bytes)
        """See Receiver."""
        self._srtp = connected.srtp
        self._pair: Any = None
        self._outlet: Outlet | None = None
        self._resends_left = _RESEND_BURST
        self._resends_counted = 0
        """Packets that it had been sent when that was reckoned."""
        self._reports = 0
        self._last: Burst | None = None
        self._former: _Former | None = None
        self._switch: Switch | None = None
        self._layers = LayerWatch(channel, self._change)
        connected.hear_rtcp(self._heard)
        connected.correct_rtcp(self._correct)
        broadcast.add(self)
        channel.want_keyframe()

    def clock(self) -> tuple[int, int]:
        """Give the RTP timestamp, as this viewer gets them, of this moment, and the moment, UTC ms."""
        return self._broadcast.rtp_time(time.monotonic()), time.time_ns() // 1_000_000

    def close(self) -> None:
        """Leave; may be called twice."""
        self._broadcast.remove(self)
        if self._switch is not None:
            self._switch.close()
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None
            self._pair = None

    # --- what the broadcast gives (hub.camera.broadcast.Receiver) --------------------------------------

    def send(self, burst: Burst) -> None:
        """Encrypt and send a burst. Raises EncryptionFailed, SeamBroken."""
        layout = burst.layout(self.lane)
        self._put(layout)
        self._last = burst
        self.packets += layout.packets
        self.octets += burst.octets

    def broke(self, error: Exception) -> None:
        """Pass on that this viewer cannot be sent to."""
        self._broken(error)

    def _put(self, layout: Layout) -> None:
        pair = self._connected.pair()
        if pair is not self._pair:
            self._move(pair)
        if self._outlet is None:
            return
        sealed = self._workbench.seal(self._srtp, layout, self.lane.tag_bytes)
        if not self._outlet.send(sealed, layout.segment):
            self.dropped += 1

    def _move(self, pair: Any) -> None:
        """Follow ICE to another path."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None
        self._outlet = None if pair is None else self._connected.outlet(pair)
        self._pair = pair

    # --- layers -----------------------------------------------------------------------------------

    @property
    def low(self) -> bool:
        """Whether the low layer is what it gets."""
        return self._channel.low is None

    def _change(self, channel: Channel) -> None:
        """Go over to a layer at its next keyframe, or stay after all."""
        if self._switch is not None:
            self._switch.close()
            self._switch = None
        if channel is not self._channel:
            self._switch = Switch(channel, self._arrived, self.broke)

    def _arrived(self, burst: Burst) -> None:
        """Leave one layer for the other; what is sent goes on with the next sequence number."""
        switch, self._switch = self._switch, None
        if switch is None:
            return
        switch.channel.broadcast.replace(switch, self)
        self._broadcast.remove(self)
        last, offset = self._last, self.lane.offset
        if last is not None:
            end = (last.first_sequence + offset + len(last.payloads)) & 0xFFFF
            self._former = _Former(self._broadcast.ring, offset, end, self.packets)
            self.lane = self.lane._replace(offset=(end - burst.first_sequence) & 0xFFFF)
        self._channel, self._broadcast = switch.channel, switch.channel.broadcast
        self.send(burst)

    # --- what the browser tells (hub.camera.viewing.feedback) ---------------------------------------

    def _heard(self, compound: bytes) -> None:
        try:
            hear(compound, self._broadcast.ssrc, self)
        except Exception as error:  # resending fails as sending does, and ends this viewer alone
            self.broke(error)

    def keyframe_wanted(self) -> None:
        """Ask for a keyframe; the capture keeps a budget."""
        self._channel.want_keyframe()

    def packets_lost(self, sequences: Sequence[int]) -> None:
        """Send packets again that are still in the ring, by RTX (RFC 4588) where it was agreed."""
        gained = _RESEND_SHARE * (self.packets - self._resends_counted)
        self._resends_left = min(_RESEND_BURST, self._resends_left + gained)
        self._resends_counted = self.packets
        for sequence in sequences:
            if self._resends_left < 1:
                return
            found = self._find(sequence & 0xFFFF)
            if found is not None:
                self._resends_left -= 1
                self.resent += 1
                self._resend(sequence & 0xFFFF, *found)

    def reported(self, *, lost_fraction: float, last_report: int, delay: int) -> None:
        """Keep the loss, and the round trip (RFC 3550, 6.4.1)."""
        self.lost_fraction = lost_fraction
        self._layers.lost(lost_fraction)
        if last_report:
            trip = (now()[0] >> 16) - last_report - delay & 0xFFFFFFFF
            if trip < 1 << 31:
                self.round_trip_s = trip / 65536

    def bitrate_estimated(self, bits_per_s: int) -> None:
        """Keep the estimate."""
        self.bitrate_limit = bits_per_s
        self._layers.estimated(bits_per_s, self.octets)

    def _find(self, sequence: int) -> tuple[Burst, int] | None:
        former = self._former
        if former is not None and self.packets - former.packets > _FORMER_PACKETS:
            former = self._former = None
        if former is not None and (sequence - former.end) & 0xFFFF >= 0x8000:
            return former.ring.find((sequence - former.offset) & 0xFFFF)
        return self._broadcast.ring.find((sequence - self.lane.offset) & 0xFFFF)

    def _resend(self, sequence: int, burst: Burst, index: int) -> None:
        payload = burst.payloads[index]
        if self._rtx is None:
            head = burst.header(index, self.lane.payload_type, sequence)
        else:
            head = burst.header(index, self._rtx, self._rtx_sequence, self._rtx_ssrc)
            head += sequence.to_bytes(2, "big")
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        length, tag = len(head) + len(payload), self.lane.tag_bytes
        self._put(Layout(head + payload + bytes(tag), length + tag, 1, length))

    async def _correct(self, packet: Any) -> bool:
        """Put one moment on both clocks into a sender report, and what this viewer was sent.

        True: it is to be sent, and then again, corrected anew.
        """
        if not isinstance(packet, RtcpSrPacket):
            return False
        late = self._reports >= _EARLY_REPORTS
        if late:
            await self._broadcast.report_due()
        self._reports += 1
        ntp, monotonic_s = now()
        info = packet.sender_info
        info.ntp_timestamp = ntp
        info.rtp_timestamp = self._broadcast.rtp_time(monotonic_s)
        info.packet_count = self.packets & 0xFFFFFFFF
        info.octet_count = self.octets & 0xFFFFFFFF
        return late
