"""Live fan-out: what happened, gathered in ticks, given to every subscriber, replayable from a ring.

The bus knows no subscriber's format and no subscriber's speed: `deliver` must return at once, and each
subscriber bounds and counts its own backlog. Slow disks do not reach this far: readings are published
before they are committed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from hub.model import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

EventKind: TypeAlias = Literal["device", "removed", "command", "alert", "log", "enrolment"]

LATE_MS = 60_000
"""How old a sample may be when it arrives, where the hub has to guess."""

_READING_COST = 64
_EVENT_COST = 512
_MARK_MS = 1000
_MARKS = 3600


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something besides samples that viewers are told of. `data` is a value that msgspec can encode."""

    kind: EventKind
    device: str | None
    data: Any


class Batch(msgspec.Struct, frozen=True, kw_only=True, dict=True, weakref=True):
    """What came within one tick. `n` is the hub's time in ms, or one more than the batch before."""

    n: int
    readings: tuple[Reading, ...]
    events: tuple[Event, ...]

    @property
    def cost(self) -> int:
        """A cheap estimate of the memory that keeping this batch takes, in bytes."""
        values = sum(len(reading.values) for reading in self.readings)
        return _READING_COST * (len(self.readings) + values) + _EVENT_COST * len(self.events)

    @property
    def from_ms(self) -> int | None:
        """The earliest source time among its readings."""
        return min((reading.source_time_ms for reading in self.readings), default=None)


Deliver: TypeAlias = "Callable[[Batch], None]"


class Ring:
    """The newest batches, bounded in (estimated) bytes; of those it let go, from which time they were."""

    def __init__(self, size_bytes: int, start_n: int) -> None:
        self._batches: deque[Batch] = deque()
        self._size_bytes = size_bytes
        self._cost = 0
        self._horizon = start_n
        # (last n, earliest source time) of what was let go, a mark for a second or more. Both grow from mark
        # to mark: a mark that a later one undercuts says nothing and goes.
        self._marks: deque[tuple[int, int]] = deque()

    def keep(self, batch: Batch) -> None:
        """Append a batch, and let go of the oldest ones where they are too many."""
        self._batches.append(batch)
        self._cost += batch.cost
        while self._cost > self._size_bytes and len(self._batches) > 1:
            oldest = self._batches.popleft()
            self._cost -= oldest.cost
            self._horizon = oldest.n
            if oldest.from_ms is not None:
                self._mark(oldest.n, oldest.from_ms)

    def after(self, n: int) -> list[Batch] | None:
        """Return the batches after number `n`; None where some of them were let go."""
        if n < self._horizon:
            return None
        found = list(takewhile(lambda batch: batch.n > n, reversed(self._batches)))
        found.reverse()
        return found

    def lost_from_ms(self, n: int) -> int | None:
        """Return the earliest source time among the batches after `n`, also those that were let go."""
        lost = next((from_ms for mark_n, from_ms in self._marks if mark_n > n), None)
        kept = (batch.from_ms for batch in self._batches if batch.n > n)
        return min((time for time in (lost, *kept) if time is not None), default=None)

    def _mark(self, n: int, from_ms: int) -> None:
        marks = self._marks
        while marks and marks[-1][1] >= from_ms:
            marks.pop()
        if marks and n // _MARK_MS == marks[-1][0] // _MARK_MS:
            marks[-1] = (n, marks[-1][1])
        else:
            marks.append((n, from_ms))
        if len(marks) > _MARKS:
            _, oldest_ms = marks.popleft()
            marks[0] = (marks[0][0], oldest_ms)


class Bus:
    """Gathers and fans out. Every method is called on the event loop's thread.

    The first item after a quiet tick goes out at once (leading edge); while busy, one batch leaves per
    `tick_s`. The ring keeps the newest batches up to `ring_bytes` (estimated) for replay.
    """

    def __init__(
        self,
        *,
        epoch: str,
        now_ms: Callable[[], int],
        tick_s: float = 0.025,
        ring_bytes: int = 8 << 20,
    ) -> None:
        self.epoch = epoch
        self.last_n = now_ms()
        self._now_ms = now_ms
        self._tick_s = tick_s
        self._ring = Ring(ring_bytes, self.last_n)
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
            # call_later(0) gathers what arrives in the same turn of the loop (a chunk of a port's bytes)
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
        if epoch != self.epoch or n > self.last_n:
            return None
        return self._ring.after(n)

    def lost_from_ms(self, epoch: str, n: int) -> int:
        """Return the source time from which on a client that stands at `n` may lack samples.

        Of another process's epoch nothing is known but that `n` was the time of a batch that the client had:
        what came then was up to LATE_MS old.
        """
        now_ms = self._now_ms()
        if epoch != self.epoch:
            return max(0, min(n, now_ms) - LATE_MS)
        from_ms = self._ring.lost_from_ms(n)
        return now_ms if from_ms is None else from_ms

    def _flush(self) -> None:
        if not self._readings and not self._events:
            self._tick = None
            return
        self.last_n = max(self.last_n + 1, self._now_ms())
        batch = Batch(n=self.last_n, readings=tuple(self._readings), events=tuple(self._events))
        self._readings.clear()
        self._events.clear()
        self._ring.keep(batch)
        self._tick = asyncio.get_running_loop().call_later(self._tick_s, self._flush)
        for deliver in tuple(self._subscribers):
            try:
                deliver(batch)
            except Exception:
                # One subscriber's defect must not silence the others.
                log.exception("a live subscriber failed and was left out of batch %d", batch.n)
