"""A video server to be measured, as a process of its own: `python -m bench.video_server MODE SOURCE`.

MODE is `outpost` (hub.camera as the hub runs it), `stock` (the same, with aiortc sending the packets) or
`encode` (aiortc alone, as its examples do: an encoder for each viewer). SOURCE is a camera source. It prints
its address.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import av
import uvloop
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import VideoStreamTrack

from hub.camera.camera import Camera
from hub.config import CameraConfig
from hub.health import Health

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

VIEWERS = 128
PAGE = """<video id=v autoplay muted playsinline></video>"""


async def _serve(mode: str, source: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        camera = None if mode == "encode" else _camera(source, tasks, direct=mode == "outpost")
        answer = _encode(source) if camera is None else _whep(camera)

        async def whep(request: web.Request) -> web.Response:
            return web.Response(status=201, text=await answer(await request.text()))

        async def page(_: web.Request) -> web.Response:
            if camera is not None:
                camera.expect_viewer()
            return web.Response(text=PAGE, content_type="text/html")

        async def encoders(_: web.Request) -> web.Response:
            return web.Response(text=str(camera.encoders if camera is not None else "unknown"))

        app = web.Application()
        app.add_routes([web.post("/whep", whep), web.get("/", page), web.get("/encoders", encoders)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()


def _camera(source: str, tasks: asyncio.TaskGroup, *, direct: bool) -> Camera:
    camera = Camera(
        CameraConfig(id="bench", source=source),
        health=Health(),
        now_ms=lambda: time.time_ns() // 1_000_000,
        max_clients=VIEWERS,
    )
    for channel in camera._feed.channels.values():
        channel.direct = direct
    tasks.create_task(camera.run())
    return camera


def _whep(camera: Camera) -> Callable[[str], Awaitable[str]]:
    async def answer(offer: str) -> str:
        return (await camera.answer(offer)).answer_sdp

    return answer


class _Decoded(VideoStreamTrack):
    """A file's raw pictures, thirty a second, again and again."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._frames = self._read(path)

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = await asyncio.to_thread(next, self._frames)
        frame.pts, frame.time_base = pts, time_base
        return frame

    def _read(self, path: str) -> Iterator[av.VideoFrame]:
        while True:
            with av.open(path) as container:
                yield from container.decode(video=0)


def _encode(source: str) -> Callable[[str], Awaitable[str]]:
    track, relay = _Decoded(source.removeprefix("file:")), MediaRelay()
    peers: set[RTCPeerConnection] = set()

    async def answer(offer: str) -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.add(peer)
        peer.addTrack(relay.subscribe(track, buffered=False))
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription()
        return str(peer.localDescription.sdp)

    return answer


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
