"""Run benches: `python -m bench [NAME…] [--json]`. Prints a table each; with --json one JSON object last."""

from __future__ import annotations

import argparse
import os
import platform
from typing import TYPE_CHECKING

import msgspec

from bench import commands, dashboard, fanout, footprint, ingest, latency, store, video

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.figure import Figure

BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "latency": latency.measure,
    "footprint": footprint.measure,
    "store": store.measure,
    "ingest": ingest.measure,
    "fanout": fanout.measure,
    "commands": commands.measure,
    "video": video.measure,
    "dashboard": dashboard.measure,
}


def main() -> None:
    """Run the benches that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of: {', '.join(BENCHES)} (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument(
        "--paced", type=int, default=0, metavar="S", help="store: feed all for S seconds in real time too"
    )
    wanted = parser.parse_args()
    unknown = [name for name in wanted.names if name not in BENCHES]
    if unknown:
        parser.error(f"no bench called {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    results: dict[str, list[Figure]] = {}
    for name in wanted.names or BENCHES:
        results[name] = store.measure(wanted.paced) if name == "store" else BENCHES[name]()
        print(f"\n{name}")
        for figure in results[name]:
            print(f"  {figure.line()}")
    if wanted.json:
        print(msgspec.json.encode(results).decode())


if __name__ == "__main__":
    main()
