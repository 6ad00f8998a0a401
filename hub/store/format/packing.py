"""Columns that grow: 8 bytes a number in place of an object each, as long as all are of one type."""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from hub.model import Value

Growing: TypeAlias = "list[Value] | array[float] | array[int]"
"""Values in the order in which they came; an array where all are floats, or all integers of 64 bits."""
Values: TypeAlias = "Sequence[Value] | npt.NDArray[Any]"
"""Values to be coded; an array's are of its type."""

_CODES: dict[type, str] = {float: "d", int: "q"}


def grown(column: Growing, more: Sequence[Value]) -> Growing:
    """Return a column with more values behind its own, which is changed or replaced."""
    code = _code(more)
    if not column and code is not None:
        column = array(code)
    if not isinstance(column, array):
        column.extend(more)
        return column
    if column.typecode != code:
        return [*column, *more]
    column.frombytes(struct.pack(f"{len(more)}{code}", *more))  # a third of what `extend` takes
    return column


def settled(column: Growing) -> Values:
    """Return a column's values to be coded; packed ones as a copy, since what is lent cannot grow."""
    return np.array(column) if isinstance(column, array) else column


def listed(column: Values) -> Sequence[Value]:
    """Return values as Python's own."""
    return column.tolist() if isinstance(column, np.ndarray) else column


def _code(values: Sequence[Value]) -> str | None:
    kinds = set(map(type, values))
    return _CODES.get(kinds.pop()) if len(kinds) == 1 else None
