"""What one client that stops reading costs: memory of the hub, and the delay of the others.

The hub's memory grows anyhow while its ring fills, and a little with each connection: so the ring is filled
first, and a run with one stalled client stands between two without.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from bench.fan_server import HUB, server
from bench.figure import Figure

if TYPE_CHECKING:
    from bench.fan_server import Server

CLIENTS = 100
RATE = 400
"""Fast enough that the kernel's and the hub's buffers for one client overflow well within a run."""
FILL_RATE, FILL_S = 8000, 12
"""More than the ring holds."""
RUN_S = 11
"""With its settling less than the 15 s after which the stalled client would be cut."""


def measure() -> list[Figure]:
    """Return the others' delay and the hub's memory, with one of 101 stalled and with none."""
    with server(HUB) as running:
        with running.clients(1) as load:
            running.measure(load, FILL_RATE, FILL_S)
        # The same clients all the time: connections leave more behind when they go than what is sought.
        with running.clients(CLIENTS) as load:
            running.measure(load, RATE, RUN_S)
            before = running.measure(load, RATE, RUN_S)
            dropped = _dropped(running)
            with running.clients(0, stalled=1):
                stalled = running.measure(load, RATE, RUN_S)
                dropped = _dropped(running) - dropped
            after = running.measure(load, RATE, RUN_S)
    if not dropped:
        raise RuntimeError("the stalled client's buffers did not overflow: nothing was measured of it")
    more_mb = stalled.rss_mb - (before.rss_mb + after.rss_mb) / 2
    return [
        Figure(what="none of 100 stalled, hub, p99", value=before.p99_ms, unit="ms"),
        Figure(what="one of 101 stalled, hub, p99 of the others", value=stalled.p99_ms, unit="ms"),
        Figure(what="one of 101 stalled, hub, samples dropped for it", value=dropped, unit=""),
        Figure(what="one of 101 stalled, hub, RSS more", value=more_mb, unit="MB", target=0.5),
    ]


def _dropped(running: Server) -> float:
    """Return how many samples the hub has dropped for slow streams."""
    asked = Request(f"{running.url}/metrics", headers={"Authorization": running.header})
    with urlopen(asked, timeout=10) as answer:
        found = re.search(
            r"^outpost_stream_dropped_samples_total (\S+)", answer.read().decode(), re.MULTILINE
        )
    return float(found[1]) if found else 0.0
