"""The store: bytes at rest and to the card, CPU, and how long queries take, beside other stores."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench import store_bytes, store_paced, store_queries, store_servers, store_writer
from bench.disk import disk

if TYPE_CHECKING:
    from bench.figure import Figure


def measure(paced_s: int = 0) -> list[Figure]:
    """Run the workload (20 devices of 10 metrics at 1 Hz) faster than real time, with real commits.

    With `paced_s` then for so many seconds in real time.
    """
    figures: list[Figure] = []
    for name in store_servers.missing():
        print(f"  {name} is not installed here and not measured")
    with disk(12_288) as place:
        print(f"  device bytes: {place.what}; commits at their number of samples, faster than real time")
        for part in (
            store_bytes.measure,
            store_bytes.by_the_book,
            store_writer.measure,
            store_queries.year,
            store_servers.measure,
        ):
            print(f"  load {os.getloadavg()[0]:.1f} before {part.__module__}.{part.__name__}", flush=True)
            figures += part(place)
    return figures + (store_paced.measure(paced_s) if paced_s else [])
