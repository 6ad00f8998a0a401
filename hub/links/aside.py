"""What a board says before it is let in: kept aside, bounded, and passed on or dropped as a whole. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from hub.model import LogLine, Quality, Reading, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.links.link import Sink

LINES = 50
AT_ONCE = 100
"""So many readings are passed on at one time, 20 times a second: hours of them must not hold up the hub."""
_OVERHEAD = 122
"""Of one reading in memory, beside its bytes: the objects that hold it, measured on CPython 3.11."""

Again: TypeAlias = "Callable[[str | None, int | None], None]"
"""Has a board say once more what comes after the reading (boot_id, seq); with None, what is not committed."""
_Packed: TypeAlias = tuple[tuple[Value, ...], int, int, Quality, int | None]
_Shape: TypeAlias = tuple[str | None, tuple[str, ...]]


class Budget:
    """Bytes that several may take from."""

    def __init__(self, size: int) -> None:
        self.left = size


class Aside:
    """What one board says that waits, oldest first, at most `most_bytes` and what `budget` has left.

    When it is full it takes no more readings, so that what follows can be had from the board's outbox again:
    nothing here is acknowledged.
    """

    def __init__(self, most_bytes: int, budget: Budget, again: Again) -> None:
        self.again = again
        """Has the board of the newest session say again what was left out."""
        self.kept = 0
        """Readings that are here."""
        self.left_out = 0
        """Readings that found no room; the board has them, as far as its outbox goes."""
        self.latest: dict[str, Value] = {}
        self._most = most_bytes
        self._budget = budget
        self._taken = 0
        self._dropped = False
        self._device = ""
        self._newest: tuple[str | None, int] = (None, -1)
        self._shapes: dict[_Shape, int] = {}
        self._readings: deque[tuple[int, bytes]] = deque()
        self._lines: deque[LogLine] = deque(maxlen=LINES)

    def take(self, event: Reading | LogLine) -> None:
        """Keep an event, as far as there is room. A reading that comes again is kept once."""
        if self._dropped:
            return
        if isinstance(event, LogLine):
            self._lines.append(event)
            return
        boot_id, seq = event.boot_id, event.seq or 0
        if boot_id == self._newest[0] and seq <= self._newest[1]:
            return
        self._device = event.device
        self.latest.update(zip(event.metrics, event.values, strict=True))
        if self._keep(event):
            self._newest = (boot_id, seq)

    def pass_on(self, sink: Sink, most: int) -> bool:
        """Hand up to `most` readings on, in order; return whether that was all.

        What found no room is asked for then, and comes by the session.
        """
        while self._lines:
            sink(self._lines.popleft())
        shapes = list(self._shapes)
        for _ in range(min(most, len(self._readings))):
            index, packed = self._readings.popleft()
            sink(self._unpacked(shapes[index], packed))
        if self._readings:
            return False
        missing = self.left_out
        self._empty()
        if missing:
            self.again(*self._newest)
        return True

    def drop(self) -> None:
        """Forget all, and take nothing more; the board is asked for what it still has when it comes again."""
        self._dropped = True
        self._readings.clear()
        self._lines.clear()
        self._empty()
        self.again(None, None)

    def _keep(self, reading: Reading) -> bool:
        shape = (reading.boot_id, reading.metrics)
        packed = msgspec.msgpack.encode(
            (reading.values, reading.source_time_ms, reading.hub_time_ms, reading.quality, reading.seq)
        )
        cost = len(packed) + _OVERHEAD
        if shape not in self._shapes:
            cost += _OVERHEAD + sum(map(len, reading.metrics))
        if self.left_out or self._taken + cost > self._most or cost > self._budget.left:
            self.left_out += 1
            return False
        self._taken += cost
        self._budget.left -= cost
        self.kept += 1
        self._readings.append((self._shapes.setdefault(shape, len(self._shapes)), packed))
        return True

    def _unpacked(self, shape: _Shape, packed: bytes) -> Reading:
        values, source_time_ms, hub_time_ms, quality, seq = msgspec.msgpack.decode(packed, type=_Packed)
        boot_id, metrics = shape
        return Reading(
            device=self._device,
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
        self._shapes.clear()
