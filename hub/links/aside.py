"""What a board says before it is let in: kept aside, bounded, and passed on or dropped as a whole. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from hub.model import Born, LogLine, Quality, Reading, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.links.gate import Again
    from hub.model import LinkEvent

LINES = 50
_OVERHEAD = 122
"""Of one reading in memory, beside its bytes: the objects that hold it, measured on CPython 3.11."""

_Packed: TypeAlias = tuple[tuple[Value, ...], int, int, Quality, int | None]
_Shape: TypeAlias = tuple[str | None, tuple[str, ...]]


class Budget:
    """Bytes that several may take from."""

    def __init__(self, size: int) -> None:
        self.left = size


class Aside:
    """The readings of one board that waits, oldest first, at most `most_bytes` and what `budget` has left.

    When it is full it takes no more, so that what follows can be had from the board's outbox again: nothing
    here is acknowledged.
    """

    def __init__(self, most_bytes: int, budget: Budget, again: Again) -> None:
        self.born: Born | None = None
        self.kept = 0
        """Readings that are here."""
        self.left_out = 0
        """Readings that found no room; the board has them, as far as its outbox goes."""
        self.latest: dict[str, Value] = {}
        self._most = most_bytes
        self._budget = budget
        self._again = again
        self._taken = 0
        self._full = False
        self._dropped = False
        self._shapes: dict[_Shape, int] = {}
        self._readings: deque[tuple[int, bytes]] = deque()
        self._lines: deque[LogLine] = deque(maxlen=LINES)

    def take(self, event: LinkEvent) -> None:
        """Keep an event, as far as it is worth it."""
        if self._dropped:
            return
        match event:
            case Born():
                self.born = event
            case LogLine():
                self._lines.append(event)
            case Reading():
                self.latest.update(zip(event.metrics, event.values, strict=True))
                self._keep(event)

    def drain(self) -> Iterator[LinkEvent]:
        """Yield all in order, the birth first, and be empty. What found no room is asked for again."""
        if self.born is not None:
            yield self.born
        yield from self._lines
        self._lines.clear()
        shapes = list(self._shapes)
        boot_id: str | None = None
        seq: int | None = None
        while self._readings:
            index, packed = self._readings.popleft()
            reading = self._unpacked(shapes[index], packed)
            boot_id, seq = reading.boot_id, reading.seq
            yield reading
        if self._full:
            self._again(boot_id, seq)
        self._empty()

    def drop(self) -> None:
        """Forget all, and take nothing more; the board is asked for what it still has when it comes again."""
        self._dropped = True
        self._readings.clear()
        self._lines.clear()
        self._empty()
        self._again(None, None)

    def _keep(self, reading: Reading) -> None:
        shape = (reading.boot_id, reading.metrics)
        packed = msgspec.msgpack.encode(
            (reading.values, reading.source_time_ms, reading.hub_time_ms, reading.quality, reading.seq)
        )
        cost = len(packed) + _OVERHEAD
        if shape not in self._shapes:
            cost += _OVERHEAD + sum(map(len, reading.metrics))
        if self._full or self._taken + cost > self._most or cost > self._budget.left:
            self._full = True
            self.left_out += 1
            return
        self._taken += cost
        self._budget.left -= cost
        self.kept += 1
        self._readings.append((self._shapes.setdefault(shape, len(self._shapes)), packed))

    def _unpacked(self, shape: _Shape, packed: bytes) -> Reading:
        values, source_time_ms, hub_time_ms, quality, seq = msgspec.msgpack.decode(packed, type=_Packed)
        boot_id, metrics = shape
        assert self.born is not None  # noqa: S101 - a board's birth goes before its readings
        return Reading(
            device=self.born.birth.device,
            metrics=metrics,
            values=values,
            source_time_ms=source_time_ms,
            hub_time_ms=hub_time_ms,
            quality=quality,
            boot_id=boot_id,
            seq=seq,
        )

    def _empty(self) -> None:
        self._budget.left += self._taken
        self._taken = self.kept = self.left_out = 0
        self._full = False
        self._shapes.clear()
