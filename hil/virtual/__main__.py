"""`python -m hil.virtual --link PATH`: one virtual board, by hand or as the demo's child."""

from __future__ import annotations

import argparse
import hashlib
import logging
import re
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from hil.virtual import image
from hil.virtual.board import VirtualBoard
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a board until SIGTERM or SIGINT. Returns 0, or 2 with the reason on stderr."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="hil.virtual: %(message)s", stream=sys.stderr)
    ends = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # every thread inherits it: only sigwait takes them
    link: Path = options.link.absolute()
    name = options.name or link.name
    with ExitStack() as stack:
        try:
            folder = options.flash or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="board-")))
            if options.profile == "demo":
                image.assemble(folder, image.demo_configuration(name))
            board = VirtualBoard(folder, uid=options.uid or stable_uid(link.name), link=link)
            stack.callback(board.stop)
            board.start()
        except (OutpostError, OSError) as error:
            sys.stderr.write(f"hil.virtual: {error}\n")
            return 2
        sys.stdout.write(f"virtual board {board.uid} ({name}) at {link}\n")
        sys.stdout.flush()
        signal.sigwait(ends)
    return 0


def stable_uid(link_name: str) -> str:
    """Return the unique id of the board at a link of this name: the same each time, a Pico's in its form."""
    return "e661" + hashlib.sha256(link_name.encode()).hexdigest()[:12]


def _uid(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{16}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 16 hex digits")
    return text.lower()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hil.virtual",
        description="Starts a virtual board: our firmware on a real MicroPython VM behind a pty.",
    )
    parser.add_argument(
        "--link", type=Path, required=True, metavar="PATH", help="make PATH a link to the board's serial port"
    )
    parser.add_argument(
        "--uid", type=_uid, metavar="HEX", help="unique id, 16 hex digits (default: from the link's name)"
    )
    parser.add_argument(
        "--flash",
        type=Path,
        metavar="DIR",
        help="folder that is the board's flash (default: forgotten at the end)",
    )
    parser.add_argument("--name", help="the device's name (default: the link's)")
    parser.add_argument(
        "--profile",
        choices=("demo", "bare"),
        default="demo",
        help="demo: with firmware and demo sensors; bare: MicroPython alone (default: demo)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
