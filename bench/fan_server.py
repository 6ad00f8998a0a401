"""The servers of the fan-out bench and their clients as processes, and what is measured of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

HUB, NCHAN, NAIVE = "hub", "Nchan", "naive aiohttp"
MODULES = {HUB: "bench.fan_hub", NCHAN: "bench.fan_nchan", NAIVE: "bench.fan_naive"}
SETTLE_S = 1.5
MEASURE_S = 5.0
ALONE_S = 3.0
_SCHEDULED = 2
"""CPUCLOCK_SCHED: time on a core as the scheduler counts it, whose ticks `times` would round to."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of one server."""

    per_s: float
    cpu_ns: float
    alone_ns: float = 0.0
    """Of it, what publishing takes when nobody listens."""
    cpu_share: float
    p50_ms: float
    p99_ms: float
    rss_mb: float
    gaps: float
    client_share: float
    """How busy the clients kept their core: near 1 they are what is measured."""


class Child:
    """A bench process with lines of JSON on its stdout, and commands on its stdin."""

    def __init__(self, module: str, core: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self.process.pid, {_core(core)})

    def say(self, text: object) -> None:
        """Send a line."""
        stream: IO[str] = self.process.stdin  # type: ignore[assignment] # a pipe was asked for
        stream.write(f"{text}\n")
        stream.flush()

    def hear(self) -> Any:
        """Return the next line's JSON. Raises RuntimeError where the process ended."""
        stream: IO[str] = self.process.stdout  # type: ignore[assignment] # a pipe was asked for
        line = stream.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended")
        return msgspec.json.decode(line)

    def end(self) -> None:
        """Close its stdin, which ends it."""
        self.process.communicate(timeout=30)


class Server:
    """One of the servers, with clients on it."""

    def __init__(self, name: str) -> None:
        # Nchan's publisher shares the clients' core: nginx itself is moved to the server's.
        self._child = Child(MODULES[name], 1 if name == NCHAN else 0)
        said = self._child.hear()
        self._where = urlsplit(said["url"])
        self._requests = said["requests"]
        self.process = psutil.Process(said["pid"] or self._child.process.pid)
        self.process.cpu_affinity([_core(0)])

    @property
    def url(self) -> str:
        """Where it serves."""
        return str(self._where.geturl())

    @property
    def header(self) -> str:
        """What its first client says of itself."""
        return str(self._requests[0]).partition("Authorization: ")[2].partition("\r\n")[0]

    @contextmanager
    def clients(self, count: int, *, stalled: int = 0) -> Iterator[Child]:
        """Connect so many clients until the end of the block."""
        load = Child("bench.fan_load", 1)
        config = {
            "host": self._where.hostname,
            "port": self._where.port,
            "requests": self._requests,
            "clients": count,
            "stalled": stalled,
        }
        load.say(msgspec.json.encode(config).decode())
        load.hear()
        try:
            yield load
        finally:
            self._child.say(0)
            load.end()

    def alone_share(self, rate: float) -> float:
        """Return the share of a core that it takes to publish so many events a second to nobody."""
        self._child.say(rate)
        time.sleep(SETTLE_S)
        before, began = _cpu_s(self.process.pid), time.monotonic()
        time.sleep(ALONE_S)
        used_s, wall_s = _cpu_s(self.process.pid) - before, time.monotonic() - began
        self._child.say(0)
        return used_s / wall_s

    def measure(
        self, load: Child, rate: float, seconds: float = MEASURE_S, *, alone_ns: float = 0.0
    ) -> Measured:
        """Publish at `rate` events a second and measure after it has settled."""
        self._child.say(rate)
        load.say(SETTLE_S)
        load.hear()
        clients = load.process.pid
        before, began, own_s = _cpu_s(self.process.pid), time.monotonic(), _cpu_s(clients)
        load.say(seconds)
        got = load.hear()
        cpu_s, wall_s = _cpu_s(self.process.pid) - before, time.monotonic() - began
        return Measured(
            per_s=got["per_s"],
            alone_ns=alone_ns,
            cpu_ns=cpu_s / max(1.0, got["per_s"] * wall_s) * 1e9,
            cpu_share=cpu_s / wall_s,
            p50_ms=got["p50_ms"],
            p99_ms=got["p99_ms"],
            rss_mb=self.process.memory_info().rss / 1e6,
            gaps=got["gaps"],
            client_share=(_cpu_s(clients) - own_s) / wall_s,
        )

    def end(self) -> None:
        """Stop the server."""
        self._child.end()


def _cpu_s(pid: int) -> float:
    """Return the CPU time of a process, all of its threads, to the ns (clock_getcpuclockid(3) of Linux)."""
    return time.clock_gettime((~pid << 3) | _SCHEDULED)


def _core(number: int) -> int:
    cores = sorted(os.sched_getaffinity(0))
    return cores[number % len(cores)]


@contextmanager
def server(name: str) -> Iterator[Server]:
    """Run a server until the end of the block."""
    running = Server(name)
    try:
        yield running
    finally:
        running.end()
