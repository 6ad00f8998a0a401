"""Where the pages of lists begin, as a client hands it back."""

from __future__ import annotations

import re

from hub.store.queries.budget import QueryRefused


def parse_cursor(text: str) -> tuple[int, int]:
    """Read a cursor of a time and a place within it, which this store made. Raises QueryRefused."""
    found = re.fullmatch(r"([0-9]{1,16})-([0-9]{1,18})", text)
    if found is None:
        raise _unknown(text)
    return int(found[1]), int(found[2])


def row_before(text: str | None) -> int:
    """Read a cursor of a row, below which the page goes on; None is the first page's. Raises QueryRefused."""
    if text is None:
        return 2**62
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise _unknown(text)
    return int(text)


def _unknown(text: str) -> QueryRefused:
    return QueryRefused(
        f"the cursor {text[:40]!r} is not one this hub gave; start again without it", "cursor"
    )
