"""Which form of a long proof runs: the short one in `make test`, the whole in `make soak`."""

from __future__ import annotations

import os

SOAK = os.environ.get("OUTPOST_SOAK") == "1"


def times(short: int, whole: int) -> int:
    """Return how often something is done in this run."""
    return whole if SOAK else short
