"""What a store can be asked: each answer is of the file and of memory as they are at one moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from hub.store import audit, births
from hub.store.identity import rights
from hub.store.lifetime.forecast import Forecasts
from hub.store.queries import doubts, grid, history, known
from hub.store.queries.questions import Questions
from hub.store.queries.reader import Readers
from hub.store.queries.weighed import weighed_grid
from hub.store.sizes import sizes
from hub.store.writing.recent import Recent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hub.model import Birth, LinkKind, Sample
    from hub.store.audit import AuditEntry, CommandFilter
    from hub.store.format.columns import Ints
    from hub.store.identity.rights import SecurityEvent, SecurityKind
    from hub.store.lifetime.forecast import Forecast
    from hub.store.lifetime.policy import Policy
    from hub.store.queries.doubts import Doubts
    from hub.store.queries.grid import Grid, Joined
    from hub.store.queries.history import Bucket, Page
    from hub.store.queries.known import Known
    from hub.store.queries.weighed import Weighed
    from hub.store.settings import StoreSettings
    from hub.store.sizes import DeviceSize
    from hub.store.writing.writer import Writer

_SETTLE_S = 2.0
_RECORDED_S = 10.0
"""A worn card can take seconds for a commit; who changes a rule waits for it."""

T = TypeVar("T")


class Asked:
    """The reading side of a store. Queries are coroutines and see all that was put before them."""

    def __init__(
        self, database: Path, writer: Writer, now_ms: Callable[[], int], settings: StoreSettings
    ) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer = writer
        self._now_ms = now_ms
        self._readers = Readers(database, damaged=writer.damaged)
        self._forecasts = Forecasts(self._readers, settings.policy, now_ms, settings.wal_bytes)
        self._questions = Questions(self._readers, writer, self._settle)

    async def samples_raw(
        self, device: str, metric: str, from_ms: int, to_ms: int, limit: int, after: str | None = None
    ) -> Page:
        """Return a page of samples, `from_ms <= time < to_ms`, by time. Raises QueryRefused, StoreError."""
        return await self._questions.about(
            [(device, metric)],
            lambda found: history.raw(found[0], from_ms, to_ms, limit=limit, after=after),
        )

    async def samples_buckets(
        self, device: str, metric: str, from_ms: int, to_ms: int, points: int
    ) -> list[Bucket]:
        """Return at most `points` buckets that line up with time. Raises QueryRefused, StoreError."""
        return await self._questions.about(
            [(device, metric)], lambda found: history.buckets(found[0], from_ms, to_ms, points)
        )

    async def samples_weighed(
        self, metrics: Sequence[tuple[str, str]], from_ms: int, to_ms: int, points: int
    ) -> tuple[Ints, list[tuple[Ints, Weighed]]]:
        """Return buckets of metrics with means by time, on one grid. Raises QueryRefused, StoreError."""
        until_ms = self._now_ms()
        return await self._questions.about(
            metrics, lambda found: weighed_grid(found, from_ms, to_ms, points, until_ms)
        )

    async def samples_grid(
        self, metrics: Sequence[tuple[str, str]], from_ms: int, to_ms: int, points: int
    ) -> Grid:
        """Return buckets of several metrics on one grid of time. Raises QueryRefused, StoreError."""
        return await self._questions.about(metrics, lambda found: grid.grid(found, from_ms, to_ms, points))

    async def samples_doubts(
        self, metrics: Sequence[tuple[str, str]], from_ms: int, to_ms: int, points: int
    ) -> Doubts:
        """Return the buckets with samples that are not good. Raises QueryRefused, StoreError."""
        return await self._questions.about(
            metrics, lambda found: doubts.doubts(found, from_ms, to_ms, points)
        )

    async def samples_joined(
        self,
        metrics: Sequence[tuple[str, str]],
        from_ms: int,
        to_ms: int,
        limit: int,
        after: str | None = None,
    ) -> Joined:
        """Return a page of samples of several metrics, a row a time. Raises QueryRefused, StoreError."""
        return await self._questions.about(
            metrics, lambda found: grid.joined(found, from_ms, to_ms, limit=limit, after=after)
        )

    async def samples_at(
        self, metrics: Sequence[tuple[str, str]] | str | None, at_ms: int, back_ms: int
    ) -> list[Known]:
        """Return the last sample at a time of metrics, of a device's or (None) of all that are stored.

        Those without one in `at_ms - back_ms <= time <= at_ms` are left out. Raises QueryRefused, StoreError.
        """
        if metrics is None or isinstance(metrics, str):
            return await self._questions.about_all(metrics, lambda found: known.known(found, at_ms, back_ms))
        return await self._questions.about(metrics, lambda found: known.known(found, at_ms, back_ms))

    async def stored_metrics(self, device: str) -> list[str]:
        """Return the names of a device's metrics of which samples are stored. Raises StoreError."""
        return await self._questions.about_all(device, lambda found: [series.metric for series in found])

    async def latest(self) -> dict[str, dict[str, Sample]]:
        """Return each device's last sample of each metric. Raises StoreError."""
        await self._settle()
        return await self._readers.run(lambda connection: history.latest(connection, Recent.load(connection)))

    async def forecast(self, tried: Policy | None = None) -> Forecast:
        """Return what the rules, or others that are tried, would delete. Raises QueryRefused, StoreError."""
        return await self._forecasts.ask(tried)

    async def births(self) -> list[tuple[Birth, LinkKind, int]]:
        """Return each device's last birth, its link and when it was last seen. Raises StoreError."""
        await self._settle(notes=True)
        return await self._readers.run(births.births)

    async def commands(
        self, wanted: CommandFilter | None = None, *, limit: int = 100, before: str | None = None
    ) -> tuple[list[AuditEntry], str | None]:
        """Return commands, newest first, and the cursor to older ones. Raises QueryRefused, StoreError."""
        await self._settle(notes=True)
        asked = wanted or audit.CommandFilter()
        return await self._readers.run(lambda connection: audit.entries(connection, asked, limit, before))

    async def security_events(
        self, *, kind: SecurityKind | None = None, limit: int = 100, before: str | None = None
    ) -> tuple[list[SecurityEvent], str | None]:
        """Return the security log, newest first, and the cursor to older. Raises QueryRefused, StoreError."""
        await self._settle(notes=True)
        return await self._readers.run(lambda connection: rights.events(connection, kind, limit, before))

    async def ask(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query of the store's (`store.alerts`). Raises what it raises, QueryRefused and StoreError."""
        await self._settle(notes=True)
        return await self._readers.run(query)

    async def device_sizes(self) -> list[DeviceSize]:
        """Return how much each device's samples take, the largest first. Raises StoreError."""
        return await self._readers.run(sizes)

    async def recorded(self) -> str | None:
        """Wait until what was recorded before is on the medium; else return why it is not, for people."""
        tried = await self._settle(notes=True, timeout_s=_RECORDED_S)
        slow = None if tried else f"a commit takes longer than {_RECORDED_S:.0f} s"
        return self._writer.attempts.degraded or slow

    async def _settle(self, *, notes: bool = False, timeout_s: float = _SETTLE_S) -> bool:
        """Have what was put before committed, so that a query sees it; on a failing disk, go without.

        False where nothing came of it in time.
        """
        if self._loop is None or self._writer.attempts.degraded is not None:
            return False
        flushed = self._writer.flush(notes=notes)
        if flushed is None:
            return True
        _, waiting = await asyncio.wait([asyncio.wrap_future(flushed)], timeout=timeout_s)
        return not waiting
