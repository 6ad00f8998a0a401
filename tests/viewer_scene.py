"""One viewer with the channels that it is fed from, for a real peer to connect to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hub.camera.media import Codec
from hub.camera.viewing.channel import Channel
from hub.camera.viewing.ice import IceServers
from hub.camera.viewing.offer import check_offer
from hub.camera.viewing.viewer import Viewer
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.camera_peer import Peer

SSRC, RTX_SSRC = 0x0EA51DE0, 0x0EA51DE1


class Scene:
    """A viewer with what it calls."""

    def __init__(self, *, connect_timeout_s: float = 30) -> None:
        self.keyframe_requests = 0
        self.channels = {codec: Channel(codec, SSRC, want_keyframe=self._keyframe) for codec in Codec}
        self.fanout = self.channels[Codec.H264].fanout
        self.gone: list[Viewer] = []
        self.viewer = Viewer(
            ice=IceServers(),
            channels=self.channels,
            ssrcs=(SSRC, RTX_SSRC),
            gone=self.gone.append,
            connect_timeout_s=connect_timeout_s,
        )

    def _keyframe(self) -> None:
        self.keyframe_requests += 1

    async def connect(self, peer: Peer) -> str:
        answer = await self.viewer.answer(check_offer(await peer.offer()))
        await peer.accept(answer)
        await until(lambda: len(self.fanout))
        return answer


@asynccontextmanager
async def scene(*, connect_timeout_s: float = 30) -> AsyncIterator[Scene]:
    made = Scene(connect_timeout_s=connect_timeout_s)
    try:
        yield made
    finally:
        await made.viewer.close()
