"""Times, values and qualities as other programs write them, and what of them could not be read."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from hub.iso_time import NoSuchTime, iso_ms
from hub.model import OutpostError, Quality
from hub.store.format.hotlog import QUALITIES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from hub.model import Value

TimeForm: TypeAlias = Literal["auto", "iso", "s", "ms"]

_SECONDS_TO = 1e11
"""A time in numbers below it is seconds (until the year 5138), from it on ms (since March 1973)."""
_EXAMPLES = 5


class ImportFailed(OutpostError):
    """What is to be imported cannot be read; the message says why and what to do."""


class Skipped:
    """Rows that could not be read: how many for which reason, and the first of them."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.examples: list[str] = []

    def add(self, where: str, reason: str) -> None:
        """Count one."""
        self.reasons[reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{where}: {reason}")

    @property
    def count(self) -> int:
        """How many there were."""
        return self.reasons.total()


def value_of(text: str) -> Value:
    """Return the value that a text is of: empty none, True and False, a number, else itself.

    >>> [value_of(text) for text in ("", "true", "7", "7.0", "nan", "open", "1_0", "٣")]
    [None, True, 7, 7.0, None, 'open', '1_0', '٣']
    """
    if text == "":
        return None
    if text in ("True", "true", "False", "false"):
        return text in ("True", "true")
    number = number_of(text)
    if number is None:
        return text
    return number if math.isfinite(number) else None


def number_of(text: str) -> int | float | None:
    """Return the number that a text writes in ASCII, which may be nan or inf; None where it writes none."""
    if not text.isascii() or "_" in text:
        return None
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return None


def quality_of(text: str) -> int:
    """Return a quality's number; empty is good. Raises ValueError."""
    try:
        return QUALITIES.index(Quality(text or "good"))
    except ValueError:
        raise ValueError("a quality that is none of good, uncertain, bad") from None


def _of_number(text: str, scale: int) -> int:
    number = number_of(text)
    if number is None or not math.isfinite(number):
        raise ValueError("a time that is no number")
    return round(number * scale)


def _of_iso(text: str, zone: tzinfo) -> int:
    try:
        return iso_ms(text, zone)
    except NoSuchTime as error:
        raise ValueError(f"a time that does not exist: {error}") from None
    except ValueError:
        raise ValueError("a time that is neither ISO 8601 nor seconds or milliseconds since 1970") from None


def _of_any(text: str, zone: tzinfo) -> int:
    number = number_of(text)
    if number is None:
        return _of_iso(text, zone)
    return _of_number(text, 1000 if abs(number) < _SECONDS_TO else 1)


IMPORTED_TIMES: dict[TimeForm, Callable[[str, tzinfo], int]] = {
    "auto": _of_any,
    "iso": _of_iso,
    "s": lambda text, _: _of_number(text, 1000),
    "ms": lambda text, _: _of_number(text, 1),
}
"""How a text becomes UTC ms; each raises ValueError that says what is wrong."""
