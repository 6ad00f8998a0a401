"""One rule on one metric: well, about to be raised, raised, about to be cleared. Pure: knows no clock."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from hub.alerts.conditions import Holds, evaluator
from hub.alerts.rule import Condition

if TYPE_CHECKING:
    from hub.alerts.rule import Ready
    from hub.model import Value

JUMP_MS = 600_000
"""A sample older than the newest by up to this came late and is left out; by more, the clock was set back."""


class Turn(Enum):
    """What a value, or the time, brought about."""

    RAISE = "raise"
    CLEAR = "clear"


class Watch:
    """The state of a rule on one metric since `since_ms`. Raises and clears take turns, a raise first.

    `raised`: an alert of before a restart is open, so it is not raised again.
    """

    def __init__(self, ready: Ready, since_ms: int, *, raised: bool = False) -> None:
        self.raised = raised
        self.value: Value = None
        """The last value that was taken in."""
        self.newest_ms = since_ms
        self._ready = ready
        self._silent = ready.rule.condition is Condition.SILENT
        self._holds: Holds = evaluator(ready)
        self._turning_ms: int | None = None
        """Since when the condition is other than `raised` says."""
        self._sampled = False
        self._late_ms = 0

    def sample(self, time_ms: int, value: Value, arrived_ms: int | None = None) -> Turn | None:
        """Take in a value that could be read: of `time_ms`, at the hub since `arrived_ms`.

        A device that was away sends what it kept: its time then passes as its values tell, not as the hub's.
        """
        arrived_ms = time_ms if arrived_ms is None else arrived_ms
        if self._silent:
            self.newest_ms, self.value = max(self.newest_ms, arrived_ms), value
            return self._turn() if self.raised else None
        if self._sampled and self.newest_ms - JUMP_MS <= time_ms < self.newest_ms:
            return None
        if time_ms < self.newest_ms:
            self._turning_ms = None
        self._sampled = True
        self.newest_ms, self.value = time_ms, value
        self._late_ms = max(0, arrived_ms - time_ms)
        return self._judge(self._holds(time_ms, value, self.raised), time_ms)

    def tick(self, now_ms: int) -> Turn | None:
        """Take in that time passes without a value: what holds goes on to hold."""
        if self._silent:
            if self.raised or now_ms - self.newest_ms < self._ready.hold_ms:
                return None
            return self._turn()
        return self._ripe(now_ms - self._late_ms)

    def _judge(self, holds: bool, time_ms: int) -> Turn | None:
        if holds is self.raised:
            self._turning_ms = None
            return None
        if self._turning_ms is None:
            self._turning_ms = time_ms
        return self._ripe(time_ms)

    def _ripe(self, now_ms: int) -> Turn | None:
        """Turn where it has been otherwise for long enough."""
        if self._turning_ms is None:
            return None
        wait_ms = self._ready.clear_hold_ms if self.raised else self._ready.hold_ms
        return self._turn() if now_ms - self._turning_ms >= wait_ms else None

    def _turn(self) -> Turn:
        self.raised = not self.raised
        self._turning_ms = None
        return Turn.RAISE if self.raised else Turn.CLEAR
