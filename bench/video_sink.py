"""Cheap viewers, as a process of their own: `python -m bench.video_sink KIND COUNT ADDRESS`.

Each shakes hands by aiortc (ICE, DTLS), then counts datagrams without decrypting them. A `reporting` one
tells by RTCP what Chromium tells, and as often; a `silent` one nothing. ADDRESS is a WHEP endpoint, or
`janus:` and Janus's. A line in asks for a line out: JSON, [packets, pictures, lost] each.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

import aiohttp
import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, pack_remb_fci

BATCH = 8
CONNECT_S = 60
REPORT_S = 0.2
"""Chromium 156 sends a receiver report and a bandwidth estimate 4.9 times a second."""
ESTIMATE = 20_000_000


class Sink:
    """One viewer: counts what comes."""

    def __init__(self) -> None:
        self.packets = self.pictures = self.lost = 0
        self._sequence: int | None = None
        self._ssrc = 0
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._stands = asyncio.Event()
        self.peer.on("connectionstatechange", self._state_changed)

    def prefer_h264(self) -> None:
        """Offer to receive what all servers here send."""
        known = RTCRtpReceiver.getCapabilities("video")
        assert known is not None
        transceiver = self.peer.addTransceiver("video", direction="recvonly")
        transceiver.setCodecPreferences(
            [c for c in known.codecs if c.mimeType in ("video/H264", "video/rtx")]
        )

    async def connected(self) -> None:
        """Wait for DTLS, then take the socket's datagrams before aiortc does."""
        transport = self.peer.getReceivers()[0].transport
        async with asyncio.timeout(CONNECT_S):
            await self._stands.wait()
        for protocol in transport.transport._connection._protocols:  # ICE may yet change to another
            self._listen(protocol)

    async def report(self) -> None:
        """Report for ever, from a moment of its own on."""
        transport = self.peer.getReceivers()[0].transport
        await asyncio.sleep(random.uniform(0, REPORT_S))
        while True:
            report = RtcpReceiverInfo(
                ssrc=self._ssrc,
                fraction_lost=0,
                packets_lost=self.lost,
                highest_sequence=self._sequence or 0,
                jitter=0,
                lsr=0,
                dlsr=0,
            )
            estimate = pack_remb_fci(ESTIMATE, [self._ssrc])
            await transport._send_rtp(
                bytes(RtcpRrPacket(ssrc=1, reports=[report]))
                + bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=estimate))
            )
            await asyncio.sleep(REPORT_S)

    def _listen(self, protocol: Any) -> None:
        others = protocol.datagram_received

        def take(data: bytes, address: tuple[Any, ...]) -> None:
            if 128 <= data[0] < 192:
                if not 192 <= data[1] <= 208:
                    self._count(data)
            else:
                others(data, address)

        protocol.datagram_received = take

    def _state_changed(self) -> None:
        if self.peer.connectionState == "connected":
            self._stands.set()

    def _count(self, data: bytes) -> None:
        sequence = data[2] << 8 | data[3]
        if self._sequence is None:
            self._ssrc = int.from_bytes(data[8:12], "big")
        if self._sequence is not None:
            self.lost += (sequence - self._sequence - 1) & 0xFFFF
        self._sequence = sequence
        self.packets += 1
        self.pictures += data[1] >> 7


async def _whep(http: aiohttp.ClientSession, address: str) -> Sink:
    sink = Sink()
    sink.prefer_h264()
    await sink.peer.setLocalDescription()
    async with http.post(address, data=sink.peer.localDescription.sdp) as reply:
        answer = await reply.text()
    await sink.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await sink.connected()
    return sink


async def _janus(http: aiohttp.ClientSession, address: str) -> Sink:
    """Watch stream 1 by Janus's REST API: here the server offers."""
    sink = Sink()

    async def say(path: str, **what: object) -> Any:
        async with http.post(f"{address}{path}", json={"transaction": "t", **what}) as reply:
            return await reply.json(content_type=None)

    session = f"/{(await say('', janus='create'))['data']['id']}"
    attached = await say(session, janus="attach", plugin="janus.plugin.streaming")
    handle = f"{session}/{attached['data']['id']}"
    await say(handle, janus="message", body={"request": "watch", "id": 1})
    while True:
        async with http.get(f"{address}{session}?maxev=1") as reply:
            event = await reply.json(content_type=None)
        if "jsep" in event:
            break
    await sink.peer.setRemoteDescription(RTCSessionDescription(event["jsep"]["sdp"], "offer"))
    await sink.peer.setLocalDescription()
    jsep = {"type": "answer", "sdp": sink.peer.localDescription.sdp}
    await say(handle, janus="message", body={"request": "start"}, jsep=jsep)
    await sink.connected()
    return sink


async def _run(kind: str, count: int, address: str) -> None:
    join = _janus if address.startswith("janus:") else _whep
    address = address.removeprefix("janus:")
    async with aiohttp.ClientSession() as http:
        sinks: list[Sink] = []
        while len(sinks) < count:
            batch = min(BATCH, count - len(sinks))
            sinks += await asyncio.gather(*(join(http, address) for _ in range(batch)))
        reports = [asyncio.create_task(sink.report()) for sink in sinks if kind == "reporting"]
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps([[sink.packets, sink.pictures, sink.lost] for sink in sinks]), flush=True)
            for report in reports:
                if report.done():
                    report.result()


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
