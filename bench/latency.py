"""Latency: from the moment a board writes a sample's frame to the moment a stream client has its value."""

from __future__ import annotations

import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bench.boards import TappedBoard, boards, config
from bench.figure import Figure, percentile
from bench.stream import Stream
from hil.hub import HubProcess

if TYPE_CHECKING:
    from collections.abc import Callable

DURATION_S = 30
INTERVAL_MS = 100
BOARDS = 4


def measure() -> list[Figure]:
    """Run four boards at ten samples a second each; return p50, p95 and p99 in milliseconds."""
    with boards(BOARDS) as running, tempfile.TemporaryDirectory() as data:
        with HubProcess(Path(data) / "data", config=config(running)) as hub:
            _wait(lambda: len(_online(hub)) == BOARDS, 20)
            for tapped in running:
                _post(
                    hub,
                    f"/api/v1/devices/{tapped.uid}/commands",
                    {"command": "set_interval", "params": {"metric": "sequence", "interval_ms": INTERVAL_MS}},
                )
            with Stream(hub.url, hub.token, "?metric=sequence") as stream:
                time.sleep(DURATION_S)
                got = list(stream.samples)
        delays = [delay for tapped in running for delay in _delays(tapped, got)]
    wanted = BOARDS * DURATION_S * 1000 / INTERVAL_MS
    return [
        Figure(what="board's write to SSE client, p50", value=percentile(delays, 0.50), unit="ms"),
        Figure(what="board's write to SSE client, p95", value=percentile(delays, 0.95), unit="ms", target=60),
        Figure(what="board's write to SSE client, p99", value=percentile(delays, 0.99), unit="ms"),
        Figure(what="samples measured, of those expected", value=100 * len(delays) / wanted, unit="%"),
    ]


def _delays(tapped: TappedBoard, got: list[tuple[float, list[Any]]]) -> list[float]:
    sent = tapped.sent_at("sequence")
    return [
        (moment - sent[value]) * 1000
        for moment, (device, _metric, _time, value, _quality) in got
        if device == tapped.uid and value in sent
    ]


def _online(hub: HubProcess) -> list[str]:
    return [
        item["id"]
        for item in _get(hub, "/api/v1/devices")["items"]
        if item["online"] and item["link"] == "serial"
    ]


def _get(hub: HubProcess, path: str) -> Any:
    return _ask(urllib.request.Request(hub.url + path, headers=_headers(hub)))


def _post(hub: HubProcess, path: str, body: dict[str, Any]) -> Any:
    headers = _headers(hub) | {"Content-Type": "application/json"}
    return _ask(urllib.request.Request(hub.url + path, data=msgspec.json.encode(body), headers=headers))


def _headers(hub: HubProcess) -> dict[str, str]:
    return {"Authorization": f"Bearer {hub.token}"}


def _ask(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=20) as answer:
        return msgspec.json.decode(answer.read())


def _wait(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the boards did not come online")
        time.sleep(0.1)
