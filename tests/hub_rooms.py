"""The hub's rooms between a serial link and the disk, in a test's own process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hub.bus import Bus
from hub.devices import Registry
from hub.health import Health
from hub.ingest import Ingest
from hub.model import LinkKind
from hub.store.settings import StoreSettings
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from hub.links.link import Link, Sink
    from hub.store.store import Store

QUICK = StoreSettings(ack_interval_s=0.05, idle_interval_s=0.05)
FOR_EVER_MS = 2**53 - 1


class Rooms:
    """What a serial link yields into, with a real store behind it."""

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self.store = store
        self.registry = Registry()
        self.bus = Bus(epoch="0badcafe", now_ms=now_ms)
        self.ingest = Ingest(
            registry=self.registry,
            store=store,
            bus=self.bus,
            health=Health(),
            now_ms=now_ms,
        )
        self.sink: Sink = self.ingest.sink_for(LinkKind.SERIAL)

    def attach(self, link: Link) -> None:
        """Make `link` the one that acks go to."""
        self.registry.attach(link)

    async def rows(self, device: str, metric: str) -> list[Any]:
        """Return every stored row of a metric by time: (time, value, quality)."""
        rows: list[Any] = []
        after: str | None = None
        while True:
            page = await self.store.samples_raw(device, metric, 0, FOR_EVER_MS, 10_000, after)
            rows += page.rows
            after = page.next
            if after is None:
                return rows


@contextlib.asynccontextmanager
async def rooms(folder: Path, now_ms: Callable[[], int]) -> AsyncIterator[Rooms]:
    """Open a store in `folder` and put the rooms before it."""
    store = open_fresh(folder, health=Health(), now_ms=now_ms, settings=QUICK)
    await store.start()
    try:
        yield Rooms(store, now_ms)
    finally:
        await store.close()
