"""`python -m hil.vm build | path`: build the virtual board's MicroPython VM, or say where it is."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from hil.vm import build, places
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 1 failed, 2 bad usage (by argparse)."""
    parser = argparse.ArgumentParser(
        prog="python -m hil.vm", description="The MicroPython VM behind the virtual board."
    )
    parser.add_argument(
        "action",
        choices=("build", "path"),
        help="build: build it once (offline when built); path: print where",
    )
    action = parser.parse_args(argv).action
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if action == "path":
            sys.stdout.write(f"{places.require_vm()}\n")
        else:
            built = build.build()
            sys.stdout.write(f"{places.wasm_path()} {'built' if built else 'is built already'}\n")
    except OutpostError as error:
        sys.stderr.write(f"hil.vm: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
