"""How fast a caller may send: a token bucket each. Knows no clock."""

from __future__ import annotations

import math

import msgspec

_KEPT = 10_000


class PaceLimit(msgspec.Struct, frozen=True, kw_only=True):
    """`burst` at once, `per_s` in the long run: more than a rig needs, less than a runaway loop sends."""

    per_s: float = 500.0
    burst: int = 1000


class Pace:
    """The buckets of all callers. A caller that was forgotten has a full one."""

    def __init__(self, limit: PaceLimit) -> None:
        self._limit = limit
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str, now_s: float) -> int:
        """Take one, and return 0; or how many milliseconds to wait until there is one."""
        left, since_s = self._buckets.get(caller, (float(self._limit.burst), now_s))
        left = min(self._limit.burst, left + max(0.0, now_s - since_s) * self._limit.per_s)
        taken = left >= 1
        if caller not in self._buckets and len(self._buckets) >= _KEPT:
            self._buckets.clear()
        self._buckets[caller] = (left - taken, now_s)
        return 0 if taken else math.ceil((1 - left) / self._limit.per_s * 1000)
