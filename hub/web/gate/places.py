"""What stays open is counted: for each caller, and for all together."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hub.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.web.parts import StreamLimits


class Places:
    """The places of one kind (`streams`), as many as `limits` say. Loop thread only."""

    def __init__(self, kind: str, limits: StreamLimits) -> None:
        self._kind = kind
        self._limits = limits
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, caller: str) -> Iterator[None]:
        """Hold a place. Raises Problem 429 where the caller has too many, 503 where all together have."""
        if self._held[caller] >= self._limits.per_caller:
            raise Problem(
                429,
                f"{caller} has {self._limits.per_caller} {self._kind} open;"
                " close some, or share one between tabs",
                headers={"Retry-After": "5"},
            )
        if self._held.total() >= self._limits.total:
            raise Problem(503, f"the hub serves no more {self._kind}", headers={"Retry-After": "5"})
        self._held[caller] += 1
        try:
            yield
        finally:
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]
