"""One codec's stream of a camera: everybody who takes its access units, and who asks for keyframes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.camera.viewing.broadcast import Broadcast
from hub.camera.viewing.fanout import Fanout

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.camera.media import Codec
    from hub.camera.viewing.fanout import Subscription
    from hub.camera.viewing.srtp import Workbench


_LATER_TICKS = 45
"""Half a millisecond: who changes layers may get one picture of both, which must not look like one."""


class Channel:
    """Loop thread only. `on_change` hears how many take units: the codec runs while it is not 0.

    With `main` it is the low layer of that channel.
    """

    def __init__(
        self,
        codec: Codec,
        ssrc: int,
        *,
        on_change: Callable[[int], None] = lambda _: None,
        want_keyframe: Callable[[], None] = lambda: None,
        main: Channel | None = None,
    ) -> None:
        self.codec = codec
        self.direct = True
        """Whether viewers may be sent to past aiortc; no longer, once that failed."""
        self.workbench: Workbench | None = None
        """Made by the first viewer: pylibsrtp is not loaded before."""
        self.want_keyframe = want_keyframe
        self.fanout = Fanout(on_change=on_change)
        self.low: Channel | None = None
        """The same with less to carry, for bad paths; None where there is none."""
        origin = None if main is None else main.broadcast.origin + _LATER_TICKS
        self.broadcast: Broadcast = Broadcast(codec, ssrc, self.fanout.join, origin=origin)
        if main is not None:
            main.low = self

    def subscribe(self) -> Subscription:
        """Take access units one by one, from a keyframe on that is made for it."""
        subscription = self.fanout.subscribe()
        self.want_keyframe()
        return subscription
