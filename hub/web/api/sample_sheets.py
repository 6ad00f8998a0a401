"""Answers of the store about samples, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model import Kind
from hub.store.queries.grid import MAX_CELLS, check_cells
from hub.store.queries.history import grid_of
from hub.store.queries.table import spread
from hub.web.api.sheet import Column, Sheet
from hub.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.store.queries.grid import Grid
    from hub.store.store import Store
    from hub.web.api.sample_names import Asked
    from hub.web.live.filters import Reach
    from hub.web.parts import Parts

_TIME = Column("time", "time")
_QUALITY = Column("quality", "text")
_BUCKET = (
    Column("min", "number"),
    Column("max", "number"),
    Column("mean", "number"),
    Column("count", "count"),
)
_FULL = (*_BUCKET, Column("last", "number"), Column("mean_by_time", "number"))
_KNOWN = (
    Column("device", "text"),
    Column("metric", "text"),
    Column("unit", "text"),
    _TIME,
    # Of all metrics, so of any kind: an Arrow stream has it as text.
    Column("value", "text"),
    _QUALITY,
)


class Question:
    """Metrics and a span of time. One metric answers with its own columns, several with one of each."""

    def __init__(self, store: Store, asked: Sequence[Asked], from_ms: int, to_ms: int) -> None:
        self._store = store
        self._asked = asked
        self._from_ms = from_ms
        self._to_ms = to_ms
        self._keys = [one.key for one in asked]

    def rows_at_most(self, wanted: int) -> int:
        """Return how many rows of a page an answer has room for, up to `wanted`."""
        return min(wanted, MAX_CELLS // len(self._asked))

    async def buckets(self, points: int, *, full: bool = False) -> Sheet:
        """Return buckets; `full` with their last values and means by time.

        Raises Problem 400, QueryRefused, StoreError.
        """
        for one in self._asked:
            if one.metric.kind not in (Kind.NUMBER, Kind.BOOLEAN):
                raise Problem(
                    400,
                    f"`points`: {one.name} is {one.metric.kind}, which has no mean; ask without points",
                    parameter="points",
                )
        if full:
            return await self._full(points)
        if len(self._asked) == 1:
            rows = await self._store.samples_buckets(*self._keys[0], self._from_ms, self._to_ms, points)
            return Sheet((_TIME, *_BUCKET), rows, self._head())
        found = await self._store.samples_grid(self._keys, self._from_ms, self._to_ms, points)
        columns = (Column(f"{one.name}.{part.name}", part.cells) for one in self._asked for part in _BUCKET)
        return Sheet((_TIME, *columns), _grid_rows(found), {**self._head(), "width_ms": found.width_ms})

    async def _full(self, points: int) -> Sheet:
        times, parts = await self._store.samples_weighed(self._keys, self._from_ms, self._to_ms, points)
        columns: list[list[object]] = [times.tolist()]
        for places, part in parts:
            spans = part.spans
            mean = spans.total / spans.count
            every = (spans.low, spans.high, mean, spans.count, spans.last, part.means)
            columns += [spread(values.tolist(), places, len(times)) for values in every]
        if len(self._asked) == 1:
            return Sheet((_TIME, *_FULL), list(zip(*columns, strict=True)), self._head())
        names = (Column(f"{one.name}.{part.name}", part.cells) for one in self._asked for part in _FULL)
        _, width_ms = grid_of(self._from_ms, self._to_ms, points)
        rows = list(zip(*columns, strict=True))
        return Sheet((_TIME, *names), rows, {**self._head(), "width_ms": width_ms})

    async def doubts(self, points: int) -> Sheet:
        """Return the worst quality of each bucket that is not all good. Raises QueryRefused, StoreError."""
        found = await self._store.samples_doubts(self._keys, self._from_ms, self._to_ms, points)
        names = ["quality"] if len(self._asked) == 1 else [f"{one.name}.quality" for one in self._asked]
        columns = (_TIME, *(Column(name, "text") for name in names))
        rows = list(zip(found.times, *found.worst, strict=True))
        return Sheet(columns, rows, {**self._head(), "width_ms": found.width_ms})

    async def page(self, limit: int, cursor: str | None) -> Sheet:
        """Return a page of samples. Raises QueryRefused, StoreError."""
        if len(self._asked) == 1:
            page = await self._store.samples_raw(*self._keys[0], self._from_ms, self._to_ms, limit, cursor)
            value = Column("value", self._asked[0].cells)
            return Sheet((_TIME, value, _QUALITY), page.table, self._head(), page.next)
        joined = await self._store.samples_joined(self._keys, self._from_ms, self._to_ms, limit, cursor)
        pairs = ((Column(one.name, one.cells), Column(f"{one.name}.quality", "text")) for one in self._asked)
        columns = (_TIME, *(column for pair in pairs for column in pair))
        return Sheet(columns, joined.table, self._head(), joined.next)

    def _head(self) -> dict[str, object]:
        said = [
            {"device": one.device, "metric": one.metric.name, "unit": one.metric.unit} for one in self._asked
        ]
        return {**said[0]} if len(said) == 1 else {"series": said}


def _grid_rows(found: Grid) -> list[tuple[object, ...]]:
    columns: list[list[object]] = [found.times.tolist()]
    for places, spans in found.parts:
        every = (spans.low, spans.high, spans.total / spans.count, spans.count)
        columns += [spread(values.tolist(), places, len(found.times)) for values in every]
    return list(zip(*columns, strict=True))


async def known_at(
    parts: Parts, reached: Reach, asked: Sequence[Asked], device: str | None, at_ms: int, back_ms: int
) -> Sheet:
    """Return the last sample at a time of those asked for; none: of a device's metrics, or of all in reach.

    Raises QueryRefused, StoreError.
    """
    if asked:
        check_cells(len(asked), 1, "metric")
    found = await parts.store.samples_at([one.key for one in asked] or device, at_ms, back_ms)
    rows = []
    for one in found:
        if not reached.includes(one.device):
            continue
        state = parts.registry.get(one.device)
        metrics = () if state is None else state.birth.metrics
        unit = next((metric.unit for metric in metrics if metric.name == one.metric), "")
        rows.append((one.device, one.metric, unit, one.time, one.value, one.quality))
    return Sheet(_KNOWN, rows, {"at": at_ms})
