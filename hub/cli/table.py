"""Tables, ages and sizes for terminals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under a head, each column as wide as its widest cell."""
    widths = [max(len(str(row[column])) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    )


def age(time_ms: int, now_ms: int | None = None) -> str:
    """Return how long ago a UTC millisecond time was: `3 s ago`, `2 h ago`."""
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    seconds = max(0, (now - time_ms) // 1000)
    return f"{span(seconds)} ago"


def span(seconds: int) -> str:
    """Return a time in its largest whole unit: `3 s`, `2 h`."""
    for unit_s, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"


def size(count: int) -> str:
    """Return bytes as `1.2 GB`, `640.0 kB`, `12 B`; of 1000, as cards are sold."""
    for limit, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count} B"
