"""Viewers who can be reached through a TURN server alone: a real coturn on the loopback."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from aiortc import RTCConfiguration, RTCIceServer

from hub.camera.camera import Camera
from hub.camera.viewing.ice import IceServers
from hub.camera.viewing.outlet import RelayOutlet
from hub.health import Health
from tests.broker import free_port
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import CONFIG, running_camera

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, PASSWORD = "outpost", "s3cret"


@pytest.fixture
def turn_port(tmp_path: Path) -> Iterator[int]:
    server = shutil.which("turnserver")
    assert server is not None, "no coturn here: run `make test`, which installs it"
    port = free_port()
    process = subprocess.Popen(
        [
            server, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}",
            "--lt-cred-mech", f"--user={USER}:{PASSWORD}", "--realm=outpost", "--allow-loopback-peers",
            "--no-tls", "--no-dtls", "--no-cli", f"--pidfile={tmp_path}/turn.pid",
            f"--userdb={tmp_path}/turn.db", "--log-file=stdout", "--min-port=49152", "--max-port=65535",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "coturn ended"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def relayed_only(sdp: str) -> str:
    """Leave the relay's candidates alone."""
    return re.sub(r"a=candidate:(?!.* typ relay).*\r\n", "", sdp)


@pytest.mark.e2e
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_viewer_behind_a_relay_sees_the_clock(turn_port: int, transport: str) -> None:
    uri = f"turn:127.0.0.1:{turn_port}?transport={transport}"
    camera = Camera(
        CONFIG, health=Health(), now_ms=now_ms, ice=IceServers((uri,), username=USER, password=PASSWORD)
    )
    relay = RTCConfiguration([RTCIceServer(uri, USER, PASSWORD)])
    async with running_camera(camera), Peer(configuration=relay) as peer:
        handle = await camera.answer(relayed_only(await peer.offer()))
        answer = relayed_only(handle.answer_sdp)
        assert "typ relay" in answer
        await peer.accept(answer)
        first = await peer.clock_ms()
        assert await peer.clock_ms() > first
        delivery = camera._viewers[handle.id].delivery
        assert delivery is not None
        assert isinstance(delivery._outlet, RelayOutlet)
        await asyncio.wait_for(camera.hang_up(handle.id), 20)
