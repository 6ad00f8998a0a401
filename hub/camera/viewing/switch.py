"""How a viewer goes from one layer to the other: it waits in the other's broadcast for the next keyframe."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from hub.camera.viewing.layers import LayerChoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.camera.viewing.burst import Burst
    from hub.camera.viewing.channel import Channel

log = logging.getLogger(__name__)

_RATE_S = 1.0
"""What was sent is measured over at least so long."""


class Switch:
    """A receiver (broadcast.py) that waits; `arrived` is called with the keyframe's first burst."""

    lane: None = None
    """It sends nothing itself."""

    def __init__(
        self, channel: Channel, arrived: Callable[[Burst], None], broke: Callable[[Exception], None]
    ) -> None:
        self.channel = channel
        self._arrived = arrived
        self._broke = broke
        channel.broadcast.add(self)
        channel.want_keyframe()

    def send(self, burst: Burst) -> None:
        """Hand over; see Receiver."""
        self._arrived(burst)

    def broke(self, error: Exception) -> None:
        """Pass on what the handing over raised."""
        self._broke(error)

    def close(self) -> None:
        """Wait no longer."""
        self.channel.broadcast.remove(self)


class LayerWatch:
    """Follows one viewer's reports and calls `change` with the channel it should be on. Loop thread only."""

    def __init__(
        self,
        main: Channel,
        change: Callable[[Channel], None],
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.choice = LayerChoice()
        self._main = main
        self._change = change
        self._now_s = now_s
        self._measured: tuple[float, int] = (now_s(), 0)
        self._rate = 0.0

    def lost(self, fraction: float) -> None:
        """Take a receiver report's loss."""
        self._judge(lambda now_s: self.choice.lost(fraction, now_s), f"{100 * fraction:.0f} % are lost")

    def estimated(self, bits_per_s: int, octets: int) -> None:
        """Take the browser's estimate; `octets` were sent so far."""
        now_s = self._now_s()
        passed_s = now_s - self._measured[0]
        if passed_s >= _RATE_S:
            self._rate = 8 * (octets - self._measured[1]) / passed_s
            self._measured = now_s, octets
        rate = self._rate
        self._judge(
            lambda now_s: self.choice.estimated(bits_per_s, rate, now_s),
            f"the path's estimate is {bits_per_s // 1000} kbit/s, {int(rate) // 1000} are sent",
        )

    def _judge(self, take: Callable[[float], None], reason: str) -> None:
        low = self._main.low
        if low is None:
            return
        before = self.choice.low
        take(self._now_s())
        if self.choice.low != before:
            log.info("a viewer goes to the %s layer: %s", "low" if self.choice.low else "main", reason)
            self._change(low if self.choice.low else self._main)
