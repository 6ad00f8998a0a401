"""When a camera records by itself: windows of the week, or so much of every so often."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from hub.config.forms import ConfigError, duration_s

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_WINDOW = re.compile(rf"(?:([a-z,\- ]+?) +)?{_CLOCK} ?- ?(?:{_CLOCK}|(24:00))")
_EVERY = re.compile(r"every +(\S+) +for +(\S+)")
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """From one time of the day to another, on some days; over midnight it belongs to the day it begins on."""

    days: frozenset[int]
    """0 is Monday."""
    from_s: int
    """Since midnight."""
    to_s: int
    """Above a day where the window goes over midnight."""

    def left_s(self, now: datetime) -> float:
        """Give how long the window is open from `now` on, by the clock of `now`; 0 where it is closed."""
        second = _second_of_day(now)
        for days_ago in (0, 1):
            begun = (now - timedelta(days=days_ago)).weekday()
            at = second + days_ago * _DAY_S
            if begun in self.days and self.from_s <= at < self.to_s:
                return self.to_s - at
        return 0.0


@dataclass(frozen=True, slots=True)
class Every:
    """The first `length_s` of every `period_s`, counted from midnight."""

    period_s: int
    length_s: int

    def left_s(self, now: datetime) -> float:
        """See Window."""
        return max(0.0, self.length_s - _second_of_day(now) % self.period_s)


Rule: TypeAlias = Window | Every


def parse_rule(text: str, where: str) -> Rule:
    """Read `mon-fri 08:00-18:00`, `22:00-06:00` or `every 1h for 30s`. Raises ConfigError."""
    found = _EVERY.fullmatch(text.strip().lower())
    if found is not None:
        period_s, length_s = duration_s(found[1], where), duration_s(found[2], where)
        if length_s >= period_s or _DAY_S % period_s:
            raise ConfigError(
                f"{where}: {text!r}: the period must divide a day, and be longer than what is recorded of it"
            )
        return Every(period_s, length_s)
    window = _WINDOW.fullmatch(text.strip().lower())
    days = _days(window[1] or "mon-sun") if window is not None else frozenset[int]()
    if window is None or not days:
        raise ConfigError(
            f"{where}: {text!r} is neither days and times, as in `mon-fri 08:00-18:00`, "
            "nor an interval, as in `every 1h for 30s`"
        )
    from_s = _seconds(window[2], window[3])
    to_s = _DAY_S if window[6] else _seconds(window[4], window[5])
    return Window(days, from_s, to_s if to_s > from_s else to_s + _DAY_S)


def left_s(rules: tuple[Rule, ...], now: datetime) -> float:
    """Give for how long one of the rules has the camera record from `now` on; 0 where none has."""
    return max((rule.left_s(now) for rule in rules), default=0.0)


def _days(text: str) -> frozenset[int]:
    """Read `mon-fri,sun`; an empty set where it is no list of days."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            return frozenset()
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {day % 7 for day in range(begin, end + (1 if end >= begin else 8))}
    return frozenset(found)


def _seconds(hour: str, minute: str) -> int:
    return int(hour) * 3600 + int(minute) * 60


def _second_of_day(now: datetime) -> float:
    return now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6
