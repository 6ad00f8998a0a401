"""Footprint: memory idle and at work, and the seconds from start to first sample."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from bench.boards import boards, config
from bench.figure import Figure, percentile
from bench.stream import Stream
from hil.hub import HubProcess

BOARDS = 4
STREAMS = 10
SETTLE_S = 10
STARTS = 5


def measure() -> list[Figure]:
    """Return RSS in MB (10⁶ bytes, the hub process alone), and seconds."""
    return [*_memory(), *_start(), _import()]


def _memory() -> list[Figure]:
    with tempfile.TemporaryDirectory() as data:
        with HubProcess(Path(data) / "idle", config=config([])) as hub:
            time.sleep(SETTLE_S)
            idle_mb = _rss_mb(hub)
            idle_cpu = _cpu_percent(hub)
        with boards(BOARDS) as running, HubProcess(Path(data) / "busy", config=config(running)) as hub:
            busy_mb, busy_cpu = _watched(hub)
    return [
        Figure(what="RSS, no board, nobody watching", value=idle_mb, unit="MB"),
        Figure(
            what=f"RSS, {BOARDS} boards, {STREAMS} live streams, video idle",
            value=busy_mb,
            unit="MB",
            target=110,
        ),
        Figure(what="CPU, no board, nobody watching", value=idle_cpu, unit="%"),
        Figure(what=f"CPU, {BOARDS} boards, {STREAMS} live streams", value=busy_cpu, unit="%"),
    ]


def _watched(hub: HubProcess) -> tuple[float, float]:
    with ExitStack() as stack:
        for _ in range(STREAMS):
            stack.enter_context(Stream(hub.url, hub.token))
        time.sleep(SETTLE_S)
        return _rss_mb(hub), _cpu_percent(hub)


def _start() -> list[Figure]:
    with boards(1) as running, tempfile.TemporaryDirectory() as data:
        serve_s, sample_s = [], []
        for number in range(STARTS):
            began = time.monotonic()
            with HubProcess(Path(data) / str(number), config=config(running)) as hub:
                serve_s.append(time.monotonic() - began)
                with Stream(hub.url, hub.token, f"?device={running[0].uid}") as stream:
                    while not stream.samples:
                        time.sleep(0.005)
                    sample_s.append(stream.samples[0][0] - began)
    return [
        Figure(what="start of the process to serving, median", value=percentile(serve_s, 0.5), unit="s"),
        Figure(
            what="start of the process to first sample, median",
            value=percentile(sample_s, 0.5),
            unit="s",
            target=3,
        ),
    ]


def _import() -> Figure:
    times = []
    for _ in range(STARTS):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", "import hub.app"], check=True)
        times.append(time.monotonic() - began)
    return Figure(what="python -c 'import hub.app', median", value=percentile(times, 0.5), unit="s")


def _rss_mb(hub: HubProcess) -> float:
    return float(psutil.Process(hub.pid).memory_info().rss) / 1e6


def _cpu_percent(hub: HubProcess) -> float:
    return float(psutil.Process(hub.pid).cpu_percent(interval=5))
