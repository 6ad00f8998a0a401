"""Run benches: `python -m bench [NAME…] [--json]`. Prints a table each; with --json one JSON object last."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from bench import commands, dashboard, fanout, footprint, ingest, latency, store, video
from bench.figure import Incomplete

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    """Run the benches that were named, or all; exit 1 where some of it failed."""
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
    benches: dict[str, Callable[[], list[Figure]]] = {
        **BENCHES,
        "store": partial(store.measure, wanted.paced),
    }
    results, failed = measured({name: benches[name] for name in wanted.names or benches})
    if wanted.json:
        print(msgspec.json.encode(results).decode())
    if failed:
        sys.exit(f"not all was measured; {'; '.join(failed)}")


def measured(
    benches: Mapping[str, Callable[[], list[Figure]]],
) -> tuple[dict[str, list[Figure]], list[str]]:
    """Run benches and print their tables; return what was measured, and what failed, which ends no other."""
    results: dict[str, list[Figure]] = {}
    failed = []
    for name, measure in benches.items():
        try:
            results[name] = measure()
        except Incomplete as error:
            results[name] = error.figures
            failed.append(f"{name}: {error}")
        except Exception as error:  # whatever it was, what the others measure is worth its time
            traceback.print_exc()
            results[name] = []
            failed.append(f"{name}: {error}")
        print(f"\n{name}")
        for figure in results[name]:
            print(f"  {figure.line()}")
    return results, failed


if __name__ == "__main__":
    main()
