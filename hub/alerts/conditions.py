"""When a condition holds, from one value to the next. Pure: time comes with the values."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from hub.alerts.rule import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.alerts.rule import Ready, Rule
    from hub.model import Value

_PARTS = 512
"""A window is remembered in so many parts, however fast its samples come."""

Holds: TypeAlias = "Callable[[int, Value, bool], bool]"
"""`(time_ms, value, raised)`: whether the condition holds; while it is raised, hysteresis counts."""


def evaluator(ready: Ready) -> Holds:
    """Return what tells of each value, in the order of time, whether the rule's condition holds."""
    rule = ready.rule
    match rule.condition:
        case Condition.ABOVE:
            return lambda _, value, raised: _number(value) > _edge(rule, raised, -1)
        case Condition.BELOW:
            return lambda _, value, raised: -_number(value) > -_edge(rule, raised, 1)
        case Condition.RISES:
            return Change(ready, 1).holds
        case Condition.FALLS:
            return Change(ready, -1).holds
        case Condition.BECOMES:
            return Edge(rule).holds
        case Condition.SILENT:
            return lambda *_: False


def _edge(rule: Rule, raised: bool, back: int) -> float:
    return (rule.threshold or 0.0) + (back * rule.hysteresis if raised else 0.0)


def _number(value: Value) -> float:
    """Return what a rule compares; what is no number compares as none does."""
    return float(value) if isinstance(value, (int, float)) else math.nan


class Change:
    """How far a value rose (`sign` 1) or fell (-1) above its least within the window.

    The candidates for the least are kept in order, so that a window costs little however long it is.
    """

    def __init__(self, ready: Ready, sign: int) -> None:
        self._rule = ready.rule
        self._window_ms = ready.window_ms
        self._sign = sign
        self._least: deque[tuple[int, float]] = deque()

    def holds(self, time_ms: int, value: Value, raised: bool) -> bool:
        """Take in a value, and tell whether the change is beyond the threshold."""
        number = self._sign * _number(value)
        if math.isnan(number):
            return False
        least = self._least
        while least and least[-1][1] >= number:
            least.pop()
        # Two of one part of the window: the earlier, which is the lower, stands for both.
        if not least or time_ms - least[-1][0] > self._window_ms // _PARTS:
            least.append((time_ms, number))
        while least and least[0][0] < time_ms - self._window_ms:
            least.popleft()
        rose = number - least[0][1] if least else 0.0
        return rose > _edge(self._rule, raised, -1)


class Edge:
    """Whether a value changed to the one that the rule waits for, and still is."""

    def __init__(self, rule: Rule) -> None:
        self._value = rule.value
        self._before: bool | None = None
        self._came = False

    def holds(self, _: int, value: Value, raised: bool) -> bool:
        """Take in a value. What is so from the first value on did not become so, unless it is raised."""
        if isinstance(self._value, bool) and isinstance(value, (int, float)):
            now = bool(value) is self._value
        else:
            now = value == self._value
        self._came = now and (self._came or raised or self._before is False)
        self._before = now
        return self._came
