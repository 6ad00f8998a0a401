"""Commands: the WebSocket round trip to a virtual board, the hub's own share of it, and the router's rate."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from bench.boards import boards, config
from bench.figure import Figure, percentile
from hil.hub import HubProcess

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

ROUNDS = 1000
WARM_UP = 50
TO_BOARD = 500
ONLINE_S = 30.0


def measure() -> list[Figure]:
    """Return p50 and p99 in milliseconds, with and without a board, and commands a second."""
    own, per_s = _own_share()
    whole = _to_a_board()
    return [
        Figure(what="WebSocket to virtual board and back, p50", value=percentile(whole, 0.50), unit="ms"),
        Figure(what="WebSocket to virtual board and back, p99", value=percentile(whole, 0.99), unit="ms"),
        Figure(what="the hub's own share of it, p50", value=percentile(own, 0.50), unit="ms", target=1.5),
        Figure(what="the hub's own share of it, p99", value=percentile(own, 0.99), unit="ms", target=5),
        Figure(what="a command through the router, audited", value=1e6 / per_s, unit="µs", target=500),
    ]


def _own_share() -> tuple[list[float], float]:
    """Measure round trips to a hub whose link answers at once; loopback and this client are part of them."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.command_hub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            hub = msgspec.json.decode(process.stdout.readline())
            trips = asyncio.run(
                _trips(hub["url"], hub["token"], "d0", {"command": "led", "params": {"state": "on"}}, ROUNDS)
            )
        finally:
            process.stdin.close()
    return trips, hub["per_s"]


def _to_a_board() -> list[float]:
    asked = {"command": "led", "params": {"state": "on"}}
    with (
        boards(1) as running,
        tempfile.TemporaryDirectory() as data,
        HubProcess(Path(data) / "data", config=config(running)) as hub,
    ):
        return asyncio.run(_trips(hub.url, hub.token, running[0].uid, asked, TO_BOARD))


async def _trips(url: str, token: str, device: str, asked: dict[str, Any], count: int) -> list[float]:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        await _online(session, url, device)
        async with session.ws_connect(f"{url}/api/v1/control", protocols=("outpost.v1",)) as socket:
            trips = [await _trip(socket, {"device": device, **asked}) for _ in range(WARM_UP + count)]
    return trips[WARM_UP:]


async def _trip(socket: ClientWebSocketResponse, params: dict[str, Any]) -> float:
    request = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "command.send", "params": params})
    began = time.perf_counter()
    await socket.send_str(request.decode())
    while True:
        answer = msgspec.json.decode(await socket.receive_str(timeout=30))
        if "id" in answer:
            break
    taken_ms = (time.perf_counter() - began) * 1000
    if answer.get("result", {}).get("state") != "succeeded":
        raise RuntimeError(f"a command failed: {answer}")
    return taken_ms


async def _online(session: aiohttp.ClientSession, url: str, device: str) -> None:
    async with asyncio.timeout(ONLINE_S):
        while True:
            async with session.get(f"{url}/api/v1/devices/{device}") as response:
                if response.status == 200 and (await response.json())["online"]:
                    return
            await asyncio.sleep(0.1)
