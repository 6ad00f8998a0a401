"""Sends a file's H.264 as plain RTP to a port here, at its speed: `python -m bench.rtp_feed FILE PORT`."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import closing

from hub.camera.media import RTP_CLOCK_HZ, Coded
from hub.camera.sources.demuxed_source import open_demuxed
from hub.camera.viewing.burst import bursts
from hub.camera.viewing.rtp import h264_payloads
from hub.config import CameraConfig


def main(path: str, port: int) -> None:
    """Send until killed."""
    reader = open_demuxed(CameraConfig(id="feed", source=f"file:{path}"), lambda: 0)
    sequence = 0
    with closing(reader), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while True:
            item = reader.read()
            assert isinstance(item, Coded), "the bench's file is passed on"
            time.sleep(max(0.0, (item.due_s or 0.0) - time.monotonic()))
            payloads = h264_payloads(item.data)
            made = bursts(
                payloads,
                sequence=sequence,
                timestamp=int(time.monotonic() * RTP_CLOCK_HZ) & 0xFFFFFFFF,
                ssrc=1,
                keyframe=item.keyframe,
                limit=48,
            )
            for burst in made:
                for index, payload in enumerate(burst.payloads):
                    head = burst.header(index, 96, (burst.first_sequence + index) & 0xFFFF)
                    out.sendto(head + payload, ("127.0.0.1", port))
            sequence = (sequence + len(payloads)) & 0xFFFF


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
