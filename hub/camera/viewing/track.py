"""What a viewer's aiortc sender is given for a track: nothing to send, or coded pictures where it must send.

aiortc calls `recv` first when the peer's connection stands. Then the viewer joins the broadcast, which sends
past aiortc. Where a seam for that is missing, aiortc packs and sends the same access units itself, at two to
four times the CPU.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from hub.camera.errors import SeamBroken
from hub.camera.media import RTP_TIME_BASE
from hub.camera.viewing.fanout import Unsubscribed
from hub.camera.viewing.seams import Connected, on_keyframe_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import RTCRtpSender

    from hub.camera.viewing.channel import Channel
    from hub.camera.viewing.delivery import Delivery
    from hub.camera.viewing.fanout import Subscription
    from hub.camera.viewing.offer import Chosen

log = logging.getLogger(__name__)


class ViewerTrack(MediaStreamTrack):
    """Call `feed` before the connection can stand; `broken` is called when the viewer cannot go on."""

    kind = "video"

    def __init__(self, broken: Callable[[], None]) -> None:
        super().__init__()
        self.delivery: Delivery | None = None
        self._broken = broken
        self._ended = asyncio.Event()
        self._begin: Callable[[], None] | None = None
        self._subscription: Subscription | None = None

    def feed(self, sender: RTCRtpSender, channel: Channel, chosen: Chosen, rtx_ssrc: int) -> None:
        """Tell what to send, and by which sender."""
        on_keyframe_request(sender, channel.want_keyframe)

        def begin() -> None:
            if channel.direct:
                try:
                    self.delivery = self._deliver(sender, channel, chosen, rtx_ssrc)
                except SeamBroken as error:
                    channel.direct = False
                    log.warning("sending through aiortc, which costs more CPU: %s", error)
            if self.delivery is None:
                self._subscription = channel.subscribe()

        self._begin = begin

    @property
    def direct(self) -> bool:
        """Whether packets go past aiortc."""
        return self.delivery is not None

    def clock(self) -> tuple[int, int] | None:
        """Give the RTP timestamp of this moment and the moment, UTC ms; None where aiortc keeps its own."""
        return None if self.delivery is None else self.delivery.clock()

    async def recv(self) -> Any:
        """Wait for the next coded picture, which never comes where the broadcast sends."""
        if self.readyState != "live":
            raise MediaStreamError
        if self._begin is not None:
            begin, self._begin = self._begin, None
            begin()
        if self._subscription is None:
            await self._ended.wait()
            raise MediaStreamError
        try:
            unit = await self._subscription.next()
        except Unsubscribed:
            raise MediaStreamError from None
        packet = av.Packet(unit.data)
        packet.pts, packet.time_base = unit.pts, RTP_TIME_BASE
        return packet

    def stop(self) -> None:
        """Leave the stream; may be called twice."""
        super().stop()
        self._ended.set()
        self._begin = None
        if self.delivery is not None:
            self.delivery.close()
        if self._subscription is not None:
            self._subscription.close()

    def _deliver(self, sender: RTCRtpSender, channel: Channel, chosen: Chosen, rtx_ssrc: int) -> Delivery:
        try:
            from hub.camera.viewing.delivery import Delivery  # noqa: PLC0415 - what it imports may be missing
            from hub.camera.viewing.srtp import Workbench  # noqa: PLC0415 - so too
        except ImportError as error:
            raise SeamBroken(str(error)) from error
        if channel.workbench is None:
            channel.workbench = Workbench()

        def broken(error: Exception) -> None:
            log.error("a viewer cannot be sent to: %s: %s", type(error).__name__, error)
            if isinstance(error, SeamBroken):
                channel.direct = False
            self._broken()

        return Delivery(
            Connected(sender),
            channel,
            chosen,
            rtx_ssrc=rtx_ssrc,
            workbench=channel.workbench,
            broken=broken,
        )
