"""Fan-out: the hub beside Nchan and a naive aiohttp server in one run.

The server has one core to itself, the clients (and Nchan's publisher) the other. The hub checks rights,
filters, numbers and keeps for replay; the others do not. All of a server's CPU counts: also Nchan's for a
POST for each event, and the hub's for the timer that publishes in its process. How much of it goes to
publishing even when nobody listens has a row of its own.
"""

from __future__ import annotations

from operator import attrgetter

from bench import fan_nchan, fan_stalled
from bench.fan_server import HUB, MEASURE_S, NAIVE, NCHAN, Measured, server
from bench.figure import Figure

_ROUNDS = 3
_CLIENTS_BUSY = 0.8
RATES = (1000, 2000, 4000, 8000, 16_000, 24_000, 32_000, 48_000, 64_000)


def measure() -> list[Figure]:
    """Return CPU per delivery in ns, delays in ms, memory in MB (10⁶ bytes), for each server and shape."""
    names = [HUB, NCHAN, NAIVE]
    problem = fan_nchan.missing()
    if problem is not None:
        print(f"  {problem}; it is left out")
        names.remove(NCHAN)
    figures: list[Figure] = []
    for clients, rate, share, p99_ms in ((100, 200, 30, None), (1000, 20, 90, 25)):
        found = _in_turns(names, clients, rate)
        for name, one in found.items():
            figures += _figures(name, f"{clients:,} x {rate}/s", one, p99_ms if name == HUB else None)
        if NCHAN in found:
            ratio = 100 * found[HUB].cpu_ns / found[NCHAN].cpu_ns
            what = f"{clients:,} x {rate}/s, hub's CPU of Nchan's"
            figures.append(Figure(what=what, value=ratio, unit="%", target=share))
    for name in names:
        figures += _most(name)
    return figures + _idle() + fan_stalled.measure()


def _in_turns(names: list[str], clients: int, rate: float) -> dict[str, Measured]:
    """Measure each server several times, in turns; return of each the run whose CPU is the median."""
    found: dict[str, list[Measured]] = {name: [] for name in names}
    for _ in range(_ROUNDS):
        for name in names:
            found[name].append(_shape(name, clients, rate))
    return {name: sorted(runs, key=attrgetter("cpu_ns"))[len(runs) // 2] for name, runs in found.items()}


def _shape(name: str, clients: int, rate: float, seconds: float = MEASURE_S) -> Measured:
    with server(name) as running:
        alone_ns = running.alone_share(rate) / (clients * rate) * 1e9
        with running.clients(clients) as load:
            found = running.measure(load, rate, seconds, alone_ns=alone_ns)
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
        Figure(what=f"{shape}, {name}, of it to publish to nobody", value=found.alone_ns, unit="ns"),
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
