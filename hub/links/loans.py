"""Serial ports that the hub has lent to another program for a time, as `outpost flash` asks for. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LENT = "its port is lent to another program"


class Loans:
    """The loans that run; `clock_ms` is monotonic. A loan ends by itself, whatever its taker does."""

    def __init__(self, clock_ms: Callable[[], float]) -> None:
        self._clock_ms = clock_ms
        self._loans: list[tuple[frozenset[str], float]] = []

    def lend(self, paths: Iterable[str], seconds: float) -> None:
        """Lend the device that `paths` lead to; a loan that runs is replaced, and keeps its paths."""
        wanted = frozenset(paths).union(*(known for known, _ in self._running() if _meet(known, paths)))
        self._loans = [loan for loan in self._running() if not loan[0] & wanted]
        self._loans.append((wanted, self._clock_ms() + 1000 * seconds))

    def lent(self, path: str) -> bool:
        """Tell whether a device is lent now."""
        return any(_meet(known, (path,)) for known, _ in self._running())

    def end(self, path: str) -> None:
        """End a device's loan."""
        self._loans = [loan for loan in self._running() if not _meet(loan[0], (path,))]

    def _running(self) -> list[tuple[frozenset[str], float]]:
        now = self._clock_ms()
        return [loan for loan in self._loans if loan[1] > now]


def same(path: str, other: str) -> bool:
    """Tell whether two paths lead to one device; equal ones do so also while it is away."""
    return path == other or os.path.realpath(path) == os.path.realpath(other)


def _meet(paths: Iterable[str], others: Iterable[str]) -> bool:
    return any(same(path, other) for path in paths for other in others)
