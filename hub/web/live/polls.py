"""Long polls by filter: what is there is written once for all who ask for the same, and so is the news."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from hub.web.api.views import LatestItem
from hub.web.gate.places import Places
from hub.web.problem import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub.bus import Batch, Bus
    from hub.devices import Registry
    from hub.health import Health
    from hub.web.live.filters import Filter
    from hub.web.parts import StreamLimits

_KEPT = 64
"""So many filters' last samples are kept as text, for whoever asks next."""


class Told(msgspec.Struct, frozen=True):
    """The last samples as JSON, and its ETag."""

    body: bytes
    tag: str
    version: int
    """The registry's, when it was written."""


class Waiting:
    """A request that has the samples of `tag`; `alive` says whether its client is still there."""

    def __init__(self, tag: str, alive: Callable[[], bool]) -> None:
        self.tag = tag
        self.alive = alive
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """Have it answered."""
        if not self.ended.done():
            self.ended.set_result(None)


class Polls:
    """The last samples, and who waits for others. Loop thread only."""

    def __init__(self, bus: Bus, registry: Registry, limits: StreamLimits, health: Health) -> None:
        self.places = Places("long polls", limits)
        self._bus = bus
        self._registry = registry
        self._count = health.long_polls
        self._check_s = limits.check_s
        self._told: dict[Filter, Told] = {}
        self._waiting: dict[Filter, set[Waiting]] = {}
        self._unsubscribe: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def now(self, wanted: Filter) -> Told:
        """Return the last samples."""
        told = self._told.pop(wanted, None)
        if told is None or told.version != self._registry.version:
            told = self._written(wanted)
        self._told[wanted] = told
        if len(self._told) > _KEPT:
            del self._told[next(iter(self._told))]
        return told

    async def news(self, wanted: Filter, tag: str, wait_s: float, alive: Callable[[], bool]) -> Told:
        """Return the samples as soon as they differ from `tag`; as they are after `wait_s`, or at the end."""
        waiting = Waiting(tag, alive)
        self._join(wanted, waiting)
        try:
            # Looked at once more: nothing may slip in between the caller's look and the wait.
            if self.now(wanted).tag == tag and not self._closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(waiting.ended, wait_s)
        finally:
            self._leave(wanted, waiting)
        return self.now(wanted)

    def close(self) -> None:
        """Answer everybody who waits, now and from now on."""
        self._closed = True
        for waiting in self._waiting.values():
            for one in waiting:
                one.end()

    def _join(self, wanted: Filter, waiting: Waiting) -> None:
        if not self._waiting:
            self._unsubscribe = self._bus.subscribe(self._deliver)
            self._schedule()
        self._waiting.setdefault(wanted, set()).add(waiting)
        self._count.inc()

    def _leave(self, wanted: Filter, waiting: Waiting) -> None:
        self._waiting[wanted].discard(waiting)
        self._count.dec()
        if not self._waiting[wanted]:
            del self._waiting[wanted]
        if not self._waiting:
            if self._unsubscribe is not None:
                self._unsubscribe()
            if self._timer is not None:
                self._timer.cancel()
            self._unsubscribe = self._timer = None

    def _deliver(self, batch: Batch) -> None:
        for wanted, waiting in self._waiting.items():
            if any(wanted.picks(reading.device, reading.metrics) for reading in batch.readings):
                tag = self.now(wanted).tag
                for one in waiting:
                    if one.tag != tag:
                        one.end()

    def _check(self) -> None:
        """Give up the places of clients that went: nobody hears their answers."""
        for waiting in self._waiting.values():
            for one in waiting:
                if not one.alive():
                    one.end()
        self._schedule()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._check_s, self._check)

    def _written(self, wanted: Filter) -> Told:
        body = encode({"items": list(_items(self._registry, wanted)), "next": None})
        return Told(body, hashlib.blake2b(body, digest_size=12).hexdigest(), self._registry.version)


def _items(registry: Registry, wanted: Filter) -> Iterator[LatestItem]:
    for state in registry.all():
        if not wanted.takes_device(state.id):
            continue
        for metric, sample in sorted(state.latest.items()):
            if wanted.metrics.take(metric):
                yield LatestItem(
                    device=state.id,
                    metric=metric,
                    value=sample.value,
                    quality=sample.quality,
                    source_time=sample.source_time,
                    hub_time=sample.hub_time,
                )
