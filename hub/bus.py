"""Live fan-out: what happened, gathered in ticks, given to every subscriber, replayable from a ring.

The bus knows no subscriber's format and no subscriber's speed: `deliver` must return at once, and each
subscriber bounds and counts its own backlog. Slow disks do not reach this far: readings are published
before they are committed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from hub.model import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

EventKind: TypeAlias = Literal["device", "command", "alert", "log"]

_READING_COST = 64
_EVENT_COST = 512


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something besides samples that viewers are told of. `data` is a value that msgspec can encode."""

    kind: EventKind
    device: str | None
    data: Any


class Batch(msgspec.Struct, frozen=True, kw_only=True, dict=True, weakref=True):
    """What came within one tick. `n` grows by one with each batch of an epoch."""

    n: int
    readings: tuple[Reading, ...]
    events: tuple[Event, ...]

    @property
    def cost(self) -> int:
        """A cheap estimate of the memory that keeping this batch takes, in bytes."""
        values = sum(len(reading.values) for reading in self.readings)
        return _READING_COST * (len(self.readings) + values) + _EVENT_COST * len(self.events)


Deliver: TypeAlias = "Callable[[Batch], None]"


class Bus:
    """Gathers and fans out. Every method is called on the event loop's thread.

    The first item after a quiet tick goes out at once (leading edge); while busy, one batch leaves per
    `tick_s`. The ring keeps the newest batches up to `ring_bytes` (estimated) for replay.
    """

    def __init__(self, *, epoch: str, tick_s: float = 0.025, ring_bytes: int = 8 << 20) -> None:
        self.epoch = epoch
        self.last_n = 0
        self._tick_s = tick_s
        self._ring: deque[Batch] = deque()
        self._ring_bytes = ring_bytes
        self._ring_cost = 0
        self._subscribers: list[Deliver] = []
        self._readings: list[Reading] = []
        self._events: list[Event] = []
        self._tick: asyncio.TimerHandle | None = None

    def publish(self, item: Reading | Event) -> None:
        """Hand `item` to every subscriber, now or with the tick that is under way."""
        if isinstance(item, Reading):
            self._readings.append(item)
        else:
            self._events.append(item)
        if self._tick is None:
            # call_soon gathers what arrives in the same turn of the loop (a chunk of a port's bytes)
            # before the first flush; the tick then starts.
            loop = asyncio.get_running_loop()
            self._tick = loop.call_later(0, self._flush)

    def subscribe(self, deliver: Deliver) -> Callable[[], None]:
        """Call `deliver` with each batch from now on; the function returned ends that."""
        self._subscribers.append(deliver)

        def unsubscribe() -> None:
            if deliver in self._subscribers:
                self._subscribers.remove(deliver)

        return unsubscribe

    def replay(self, epoch: str, n: int) -> list[Batch] | None:
        """Return the batches after number `n`; None where they are unknown here and history must help."""
        if epoch != self.epoch or not 0 <= n <= self.last_n:
            return None
        oldest = self._ring[0].n if self._ring else self.last_n + 1
        if n + 1 < oldest:
            return None
        return [batch for batch in self._ring if batch.n > n]

    def _flush(self) -> None:
        if not self._readings and not self._events:
            self._tick = None
            return
        self.last_n += 1
        batch = Batch(n=self.last_n, readings=tuple(self._readings), events=tuple(self._events))
        self._readings.clear()
        self._events.clear()
        self._keep(batch)
        self._tick = asyncio.get_running_loop().call_later(self._tick_s, self._flush)
        for deliver in tuple(self._subscribers):
            try:
                deliver(batch)
            except Exception:
                # One subscriber's defect must not silence the others.
                log.exception("a live subscriber failed and was left out of batch %d", batch.n)

    def _keep(self, batch: Batch) -> None:
        self._ring.append(batch)
        self._ring_cost += batch.cost
        while self._ring_cost > self._ring_bytes and len(self._ring) > 1:
            self._ring_cost -= self._ring.popleft().cost
