"""A peer's data channels, by aiortc's SCTP: one carries telemetry, others are closed. No peer is trusted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hub.camera.errors import SeamBroken
from hub.camera.viewing.seams import bound_inbound
from hub.camera.viewing.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import RTCDataChannel, RTCPeerConnection

    from hub.camera.viewing.telemetry import Instruments

log = logging.getLogger(__name__)

CHANNELS_LIMIT = 8
INBOUND_BYTES = 128 << 10


class SideChannel:
    """Costs nothing for a peer whose offer has no data section. `give_up` ends the peer.

    Without `instruments` no channel is served. `clock` is that of hub.camera.telemetry.
    """

    def __init__(
        self,
        peer: RTCPeerConnection,
        instruments: Instruments | None,
        *,
        clock: Callable[[], tuple[int, int] | None],
        give_up: Callable[[], None],
    ) -> None:
        self.telemetry: Telemetry | None = None
        self._peer = peer
        self._instruments = instruments
        self._clock = clock
        self._give_up = give_up
        self._count = 0
        peer.on("datachannel", self._came)

    def guard(self) -> None:
        """Bound what the peer may leave with us; after its offer was applied. Ends a peer that cannot be."""
        if self._peer.sctp is None:
            return
        try:
            bound_inbound(self._peer.sctp, INBOUND_BYTES, self._give_up)
        except SeamBroken as error:
            log.warning("data channels are not served: %s", error)
            self._instruments = None

    def close(self) -> None:
        """Send nothing more; may be called twice."""
        if self.telemetry is not None:
            self.telemetry.close()

    def _came(self, channel: RTCDataChannel) -> None:
        self._count += 1
        if self._count > CHANNELS_LIMIT:
            self._give_up()
        elif self._instruments is None or self.telemetry is not None:
            channel.close()
        else:
            telemetry = Telemetry(channel, self._instruments, clock=self._clock, flooded=self._give_up)
            self.telemetry = telemetry
            channel.on("message", telemetry.heard)
            channel.on("close", telemetry.close)
