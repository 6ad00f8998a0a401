"""The store: bytes at rest and to the card, CPU, and how long queries take, beside other stores."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench import store_bytes, store_paced, store_queries, store_servers, store_writer
from bench.disk import disk
from bench.figure import of_parts

if TYPE_CHECKING:
    from bench.figure import Figure

PARTS = {
    "bytes": store_bytes.measure,
    "by-the-book": store_bytes.by_the_book,
    "writer": store_writer.measure,
    "recent": store_queries.recent,
    "year": store_queries.year,
    "servers": store_servers.measure,
}


def measure(paced_s: int = 0) -> list[Figure]:
    """Run the workload (20 devices of 10 metrics at 1 Hz) faster than real time, with real commits.

    With `paced_s` then for so many seconds in real time. Raises Incomplete.
    """
    for name in store_servers.missing():
        print(f"  {name} is not installed here and not measured")
    with disk(12_288) as place:
        print(f"  device bytes: {place.what}; commits at their number of samples, faster than real time")
        parts = {name: partial(part, place) for name, part in PARTS.items()}
        if paced_s:
            parts["paced"] = partial(store_paced.measure, paced_s)
        return of_parts(parts)
