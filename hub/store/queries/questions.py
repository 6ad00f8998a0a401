"""How a question gets its answer: file and memory as they are at one moment, within a budget."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hub.store.folder import StoreError
from hub.store.format.hotlog import clean
from hub.store.format.names import every_metric
from hub.store.queries.chunks import Chunks, Open
from hub.store.queries.series import Moved, Series

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Sequence

    from hub.store.queries.budget import Budget
    from hub.store.queries.reader import Readers
    from hub.store.writing.writer import Writer

T = TypeVar("T")

_SEALING_S = 0.005
_LOOKS = 400


class _Unsure(Exception):
    """Only a commit tells which of the readings in memory are there already."""


class Questions:
    """Asks about metrics. Memory is copied when a question's turn has come: those that wait hold nothing."""

    def __init__(self, readers: Readers, writer: Writer, settle: Callable[[], Awaitable[bool]]) -> None:
        self._readers = readers
        self._writer = writer
        self._settle = settle
        self._own = threading.local()

    async def about(self, metrics: Sequence[tuple[str, str]], query: Callable[[list[Series]], T]) -> T:
        """Run a query over metrics, each (device, metric). Raises QueryRefused, StoreError."""
        return await self._ask(
            lambda _: [(clean(device), clean(metric)) for device, metric in metrics], query
        )

    async def about_all(self, device: str | None, query: Callable[[list[Series]], T]) -> T:
        """Run a query over all metrics that are stored, of one device or of all. Raises as `about`."""
        return await self._ask(lambda connection: every_metric(connection, device), query)

    async def _ask(
        self,
        wanted: Callable[[sqlite3.Connection], list[tuple[str, str]]],
        query: Callable[[list[Series]], T],
    ) -> T:
        surely = False
        for _ in range(_LOOKS):
            try:
                return await self._readers.bounded(partial(self._turn, wanted, query, surely))
            except _Unsure:
                await self._settle()
                surely = True
            except Moved:
                await asyncio.sleep(_SEALING_S)
        raise StoreError("the store is being replaced; ask again in a moment")

    def _lately(self) -> Open:
        """Return the chunks that this thread has open."""
        lately: Open | None = getattr(self._own, "open", None)
        if lately is None:
            lately = self._own.open = Open()
        return lately

    def _turn(
        self,
        wanted: Callable[[sqlite3.Connection], list[tuple[str, str]]],
        query: Callable[[list[Series]], T],
        surely: bool,
        connection: sqlite3.Connection,
        budget: Budget,
    ) -> T:
        found = []
        chunks = Chunks(connection, self._lately())
        for device, metric in wanted(connection):
            held = self._writer.held(device, metric, surely=surely)
            if held is None:
                raise _Unsure
            found.append(Series(connection, device, metric, held, budget, chunks))
        return query(found)
