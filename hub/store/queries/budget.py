"""What one query may cost, so that none can take the hub's memory or its readers for long."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DECODED = 100_000_000
"""The most samples that one query opens; it holds a window's (15 min) at a time, or what is left of them."""
MAX_AT_ONCE = 2_000_000
"""The most samples of one metric that it holds at a time: 32 MB."""


class QueryRefused(OutpostError):
    """A question the store will not answer; the message says why and what to ask instead.

    `parameter` names what of the question is wrong, where it is one thing.
    """

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class QueryBusy(QueryRefused):
    """Too many questions at once; the same may be asked again soon."""


class QueryCancelled(OutpostError):
    """Nobody waits for the answer any more."""


class Budget:
    """The time and the samples that a query has left. `cancel` is for any thread."""

    def __init__(
        self,
        limit_s: float,
        *,
        max_decoded: int = MAX_DECODED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._end = math.inf
        self._max_decoded = max_decoded
        self._decoded = 0
        self.cancelled = False

    def begin(self) -> None:
        """Have its time begin: its turn has come. Raises QueryCancelled."""
        self._end = self._clock() + self._limit_s
        self.spend()

    def cancel(self) -> None:
        """Have the query end at the next look."""
        self.cancelled = True

    @property
    def over(self) -> bool:
        """Tell that the query must end."""
        return self.cancelled or self._clock() > self._end

    def spend(self, samples: int = 0) -> None:
        """Count samples that were opened. Raises QueryRefused (time, samples) and QueryCancelled."""
        self._decoded += samples
        if self.cancelled:
            raise QueryCancelled("the query was given up")
        if self._clock() > self._end:
            raise self.too_slow()
        if self._decoded > self._max_decoded:
            raise QueryRefused(
                f"this opens more than {self._max_decoded:,} samples, the most of one query;"
                " ask for a shorter span",
                "from",
            )

    def too_slow(self) -> QueryRefused:
        """Return the refusal of what takes too long."""
        return QueryRefused(f"the query took longer than {self._limit_s:g} s; ask for a shorter span", "from")
