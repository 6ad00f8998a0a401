"""Decoded columns behind each other, and in another order, without an object for each value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hub.store.format.columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def joined(found: Sequence[Column]) -> Column:
    """Put columns, of which each has values, behind each other."""
    parts: dict[int, list[Any]] = {}
    for column in found:
        for tag, part in column.parts.items():
            parts.setdefault(tag, []).append(part)
    whole = {tag: _concatenated(parts[tag]) for tag in sorted(parts)}
    if len(whole) == 1:
        return Column(None, whole)
    return Column(np.concatenate([_tags(column) for column in found]), whole)


def reordered(column: Column, order: npt.NDArray[np.intp]) -> Column:
    """Return the values at those places, in that order."""
    if column.tags is None:
        ((tag, part),) = column.parts.items()
        return Column(None, {tag: _at(part, order)})
    tags = column.tags[order]
    found = {}
    for tag, part in column.parts.items():
        ranks = np.cumsum(column.tags == tag) - 1
        found[tag] = _at(part, ranks[order[tags == tag]])
    return Column(tags, found)


def _tags(column: Column) -> npt.NDArray[np.uint8]:
    if column.tags is not None:
        return column.tags
    ((tag, part),) = column.parts.items()
    return np.full(len(part), tag, dtype=np.uint8)


def _concatenated(parts: list[Any]) -> Any:
    """Join what arrays and lists hold; of a type that arrays hold, memory has lists."""
    if all(isinstance(part, list) for part in parts):
        return [value for part in parts for value in part]
    return np.concatenate([np.asarray(part) for part in parts])


def _at(part: Any, places: npt.NDArray[np.intp]) -> Any:
    return [part[place] for place in places.tolist()] if isinstance(part, list) else part[places]
