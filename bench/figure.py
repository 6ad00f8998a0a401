"""A measured figure, beside its target."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a bench's table. `target` is the most that is good, None where there is none."""

    what: str
    value: float
    unit: str
    target: float | None = None

    def line(self) -> str:
        """Return the row as text."""
        digits = 1 if self.value >= 10 else 2
        row = f"{self.what:<56} {self.value:>9.{digits}f} {self.unit:<3}"
        if self.target is None:
            return row.rstrip()
        return (
            f"{row}  target ≤ {self.target:g} {self.unit}: {'met' if self.value <= self.target else 'MISSED'}"
        )


class Incomplete(Exception):
    """Some parts of a bench failed, which said why; `figures` are those of the others."""

    def __init__(self, failed: list[str], figures: list[Figure]) -> None:
        super().__init__(f"failed: {', '.join(failed)}")
        self.figures = figures


def of_parts(parts: Mapping[str, Callable[[], list[Figure]]]) -> list[Figure]:
    """Measure parts, and tell the load before each. Raises Incomplete after all where some failed."""
    figures: list[Figure] = []
    failed = []
    for name, measure in parts.items():
        print(f"  load {os.getloadavg()[0]:.1f} before {name}", flush=True)
        try:
            figures += measure()
        except Exception:  # whatever it was, what the others measure is worth its time
            traceback.print_exc()
            failed.append(name)
    if failed:
        raise Incomplete(failed, figures)
    return figures


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
