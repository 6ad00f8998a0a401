"""A measured figure, beside its target."""

from __future__ import annotations

import msgspec


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


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
