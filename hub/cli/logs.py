"""The hub's log on stderr: a line an event, whatever devices and clients call themselves."""

from __future__ import annotations

import logging
import sys


class Lines(logging.Formatter):
    """Writes what is not printable as an escape: no name or path forges a line, or steers a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line of a record."""
        text = record.message
        if not text.isprintable():
            record.message = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
        return super().formatMessage(record)


def to_stderr(verbose: int) -> None:
    """Log to stderr; with `verbose` 1 also what the hub does in detail, with 2 what its libraries do."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose > 1 else logging.INFO, handlers=[handler])
    if verbose:
        logging.getLogger("hub").setLevel(logging.DEBUG)
    for chatty in ("aioice", "aiortc", "libav"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
