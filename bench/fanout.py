"""Fan-out: the hub beside Nchan and a naive aiohttp server, one after the other in one run.

The server has one core to itself, the clients (and Nchan's publisher) the other. The hub checks rights,
filters, numbers and keeps for replay; the others do not.
"""

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

from bench import fan_nchan
from bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

HUB, NCHAN, NAIVE = "hub", "Nchan", "naive aiohttp"
MODULES = {HUB: "bench.fan_hub", NCHAN: "bench.fan_nchan", NAIVE: "bench.fan_naive"}
SETTLE_S = 1.5
MEASURE_S = 6.0
_CLIENTS_BUSY = 0.8
RATES = (1000, 2000, 4000, 8000, 16_000, 24_000, 32_000, 48_000, 64_000)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of one server."""

    per_s: float
    cpu_ns: float
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

    def measure(self, load: Child, rate: float, seconds: float = MEASURE_S) -> Measured:
        """Publish at `rate` events a second and measure after it has settled."""
        self._child.say(rate)
        load.say(SETTLE_S)
        load.hear()
        clients = psutil.Process(load.process.pid)
        before, began, own_s = _cpu_s(self.process), time.monotonic(), _cpu_s(clients)
        load.say(seconds)
        got = load.hear()
        cpu_s, wall_s = _cpu_s(self.process) - before, time.monotonic() - began
        return Measured(
            per_s=got["per_s"],
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


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


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


def measure() -> list[Figure]:
    """Return CPU per delivery in ns, delays in ms, memory in MB (10⁶ bytes), for each server and shape."""
    names = [HUB, NCHAN, NAIVE]
    problem = fan_nchan.missing()
    if problem is not None:
        print(f"  {problem}; it is left out")
        names.remove(NCHAN)
    figures: list[Figure] = []
    for clients, rate, share, p99_ms in ((100, 200, 30, None), (1000, 20, 90, 25)):
        found = {name: _shape(name, clients, rate) for name in names}
        for name, one in found.items():
            figures += _figures(name, f"{clients:,} x {rate}/s", one, p99_ms if name == HUB else None)
        if NCHAN in found:
            ratio = 100 * found[HUB].cpu_ns / found[NCHAN].cpu_ns
            what = f"{clients:,} x {rate}/s, hub's CPU of Nchan's"
            figures.append(Figure(what=what, value=ratio, unit="%", target=share))
    for name in names:
        figures += _most(name)
    return figures + _idle() + _stalled()


def _shape(name: str, clients: int, rate: float) -> Measured:
    with server(name) as running, running.clients(clients) as load:
        found = running.measure(load, rate)
    if found.per_s < 0.97 * clients * rate:
        print(f"  {name} delivered {found.per_s:.0f}/s of {clients * rate}/s: is the machine busy?")
    if found.client_share > _CLIENTS_BUSY:
        print(
            f"  {name}: the clients took {found.client_share:.0%} of their core: its delays are also theirs"
        )
    return found


def _figures(name: str, shape: str, found: Measured, p99_ms: float | None) -> list[Figure]:
    cpu_ns = 2500.0 if name == HUB and p99_ms is None else None
    return [
        Figure(what=f"{shape}, {name}, CPU a delivery", value=found.cpu_ns, unit="ns", target=cpu_ns),
        Figure(what=f"{shape}, {name}, p50", value=found.p50_ms, unit="ms"),
        Figure(what=f"{shape}, {name}, p99", value=found.p99_ms, unit="ms", target=p99_ms),
        Figure(what=f"{shape}, {name}, RSS", value=found.rss_mb, unit="MB"),
        Figure(what=f"{shape}, {name}, clients' own CPU", value=100 * found.client_share, unit="%"),
    ]


def _most(name: str) -> list[Figure]:
    """Raise the rate with 100 clients until a server no longer delivers it all."""
    best = None
    with server(name) as running, running.clients(100) as load:
        for rate in RATES:
            found = running.measure(load, rate, 3)
            if found.per_s < 0.95 * rate * 100 or found.gaps:
                break
            best = found
    if best is None:
        return []
    target = 500.0 if name == HUB else None
    return [
        Figure(what=f"most with 100 clients, {name}", value=best.per_s / 1000, unit="k/s"),
        Figure(
            what=f"most with 100 clients, {name}, CPU a delivery",
            value=best.cpu_ns,
            unit="ns",
            target=target,
        ),
    ]


def _idle() -> list[Figure]:
    with server(HUB) as running, running.clients(10) as load:
        found = running.measure(load, 5, 20)
    return [
        Figure(what="idle (10 x 5/s), hub, p50", value=found.p50_ms, unit="ms", target=0.6),
        Figure(what="idle (10 x 5/s), hub, p99", value=found.p99_ms, unit="ms", target=5),
    ]


def _stalled() -> list[Figure]:
    with server(HUB) as running:
        with running.clients(100) as load:
            before = running.measure(load, 200)
        with running.clients(100, stalled=1) as load:
            after = running.measure(load, 200, 12)
    return [
        Figure(what="one of 101 stalled, hub, p99 of the others", value=after.p99_ms, unit="ms"),
        Figure(
            what="one of 101 stalled, hub, RSS more",
            value=after.rss_mb - before.rss_mb,
            unit="MB",
            target=0.5,
        ),
    ]
