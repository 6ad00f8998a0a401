"""An RTSP camera (RFC 2326) as far as a client needs one: H.264 over TCP, interleaved. A fake camera's front,
with the real packets of a real encoder behind it.
"""

from __future__ import annotations

import base64
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from hub.camera.viewing.burst import bursts
from hub.camera.viewing.rtp import h264_payloads, nal_units

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from hub.camera.media import AccessUnit

FPS = 30


class RtspCamera:
    """Serves the same access units to each client, from the first on, at their speed; then it hangs up."""

    def __init__(self, units: Sequence[AccessUnit], port: int = 0) -> None:
        self._units = units
        self._server = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = f"rtsp://user:s3cret@127.0.0.1:{self._server.getsockname()[1]}/stream"
        self.asked: list[str] = []
        self._client = socket.socket()

    def __enter__(self) -> RtspCamera:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for open_socket in (self._server, self._client):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._client = client = self._server.accept()[0]
                with client, suppress(OSError):
                    self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        lines = client.makefile("rb")
        while request := lines.readline().decode().strip():
            method = request.split()[0]
            self.asked.append(method)
            sequence = ""
            while (line := lines.readline().decode().strip()) != "":
                if line.lower().startswith("cseq:"):
                    sequence = line.split(":")[1].strip()
            client.sendall(self._reply(method, sequence))
            if method == "PLAY":
                self._play(client)
                return

    def _reply(self, method: str, sequence: str) -> bytes:
        head = f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n"
        if method == "OPTIONS":
            return f"{head}Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n".encode()
        if method == "DESCRIBE":
            sdp = self._sdp()
            return f"{head}Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}".encode()
        if method == "SETUP":
            head += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        return f"{head}Session: 12345678\r\n\r\n".encode()

    def _sdp(self) -> str:
        sets = [unit for unit in nal_units(self._units[0].data) if unit[0] & 0x1F in (7, 8)]
        sprop = ",".join(base64.b64encode(unit).decode() for unit in sets)
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sprop}\r\na=control:track1\r\n"
        )

    def _play(self, client: socket.socket) -> None:
        sequence, began = 0, time.monotonic()
        for index, unit in enumerate(self._units):
            # as many cameras do: parameter sets in the SDP alone
            kept = [part for part in nal_units(unit.data) if part[0] & 0x1F not in (7, 8)]
            data = b"".join(b"\x00\x00\x01" + part for part in kept)
            payloads = h264_payloads(data)
            made = bursts(
                payloads, sequence=sequence, timestamp=index * 90_000 // FPS, ssrc=1, keyframe=False, limit=48
            )
            for burst in made:
                for place, payload in enumerate(burst.payloads):
                    packet = burst.header(place, 96, (burst.first_sequence + place) & 0xFFFF) + payload
                    client.sendall(b"$\x00" + len(packet).to_bytes(2, "big") + packet)
            sequence += len(payloads)
            time.sleep(max(0.0, began + index / FPS - time.monotonic()))
