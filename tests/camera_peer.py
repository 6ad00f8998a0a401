"""A real WebRTC client for the camera's tests: aiortc's other end, receiving and decoding."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription

from hub.camera.sources import planes, stamp

if TYPE_CHECKING:
    from types import TracebackType

    import av
    from aiortc import MediaStreamTrack

    from hub.camera.camera import Camera


def now_ms() -> int:
    """Tell UTC in milliseconds."""
    return time.time_ns() // 1_000_000


class Peer:
    """Offers to receive video, and reads what comes; `async with` closes it as a browser's tab would."""

    def __init__(
        self,
        kind: str = "video",
        *,
        codec: str | None = None,
        data: str | None = None,
        configuration: RTCConfiguration = RTCConfiguration(iceServers=[]),  # noqa: B008 - nobody changes it
    ) -> None:
        self.connection = RTCPeerConnection(configuration)
        transceiver = self.connection.addTransceiver(kind, direction="recvonly")
        if codec is not None:
            known = RTCRtpReceiver.getCapabilities(kind)
            assert known is not None
            transceiver.setCodecPreferences(
                [item for item in known.codecs if item.mimeType in (f"{kind}/{codec}", f"{kind}/rtx")]
            )
        self.channel = self.connection.createDataChannel(data) if data is not None else None
        self._track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.connection.on("track", self._track.set_result)

    async def __aenter__(self) -> Peer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.connection.close()

    async def offer(self) -> str:
        """Make an offer with all candidates."""
        await self.connection.setLocalDescription()
        return str(self.connection.localDescription.sdp)

    async def watch(self, camera: Camera) -> str:
        """Become a viewer; gives the viewer's id."""
        handle = await camera.answer(await self.offer())
        await self.accept(handle.answer_sdp)
        return handle.id

    async def accept(self, answer_sdp: str) -> None:
        """Take the answer."""
        await self.connection.setRemoteDescription(RTCSessionDescription(answer_sdp, "answer"))

    async def picture(self, timeout_s: float = 20) -> av.VideoFrame:
        """Wait for the next decoded picture."""
        async with asyncio.timeout(timeout_s):
            track = await self._track
            return await track.recv()  # type: ignore[return-value]  # a video track gives video frames

    async def clock_ms(self, timeout_s: float = 20) -> int:
        """Wait for a picture whose burned-in clock is legible, and read it."""
        async with asyncio.timeout(timeout_s):
            while True:
                time_ms = stamp.read(planes.views(await self.picture(timeout_s))[0])
                if time_ms is not None:
                    return time_ms
