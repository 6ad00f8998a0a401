"""What waits for the next commit: bounded, and each board's reading once. Pure: no clock, no lock, no I/O."""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from hub.model import Reading  # noqa: TC001 - msgspec resolves the fields of Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Boot: TypeAlias = tuple[str, str]
"""(device, boot_id): the space in which a board's seq counts."""
Statement: TypeAlias = tuple[str, tuple[object, ...]]
"""SQL and its parameters."""

MAX_NOTES = 10_000


class Acked(msgspec.Struct, frozen=True):
    """All readings of that boot up to `seq` are committed."""

    device: str
    boot_id: str
    seq: int
    again: bool = False
    """What follows `seq` found no room when it came: the board must say it again, and there is room now."""


class Verdict(Enum):
    """What became of a reading that was offered."""

    TAKEN = auto()
    PENDING_AGAIN = auto()
    """A duplicate of a reading that waits for its commit, and will be acked with it."""
    COMMITTED_AGAIN = auto()
    """A duplicate of a committed reading: the board missed its ack."""
    FULL = auto()
    """No room. A board keeps it and sends it again, since it gets no ack; others' are lost."""


class Batch(msgspec.Struct):
    """What one transaction writes."""

    readings: list[Reading]
    notes: list[Statement]
    samples: int = 0
    """Room that the readings took in the queue."""


class _Cursor(msgspec.Struct):
    """How far one boot has come: `committed` ≤ `taken` ≤ `offered`."""

    committed: int
    taken: int
    offered: int
    refusing: bool = False
    """A reading found no room; acks are cumulative, so nothing after it is taken till the board goes back."""


class Intake:
    """The bounded queue before the writer.

    A board's readings come in the order of seq; one that is not above all taken before it is a duplicate.
    Room is counted in samples, those of the batch under way included.
    """

    def __init__(self, limit_samples: int, committed: Mapping[Boot, int]) -> None:
        self._limit = limit_samples
        self._boots = {boot: _Cursor(seq, seq, seq) for boot, seq in committed.items()}
        self._boards: deque[Reading] = deque()
        self._others: deque[Reading] = deque()
        self._notes: dict[str, tuple[Statement, ...]] = {}
        self._under_way: Batch | None = None
        self._refused: set[Boot] = set()
        self.samples = 0
        self.lost = 0
        """Readings lost for want of room since the start (a board's are not: it sends them again)."""

    def offer(self, reading: Reading) -> Verdict:
        """Take a reading, or say why not."""
        seq, boot_id = reading.seq, reading.boot_id
        if seq is None or boot_id is None:
            return self._enqueue(reading, self._others)
        boot = reading.device, boot_id
        cursor = self._boots.get(boot)
        if cursor is None:
            cursor = self._boots[boot] = _Cursor(-1, -1, -1)
        if seq > cursor.offered:
            cursor.offered = seq
            if cursor.refusing:
                return Verdict.FULL
        elif cursor.refusing:
            cursor.refusing = False
            self._refused.discard(boot)
        if seq <= cursor.committed:
            return Verdict.COMMITTED_AGAIN
        if seq <= cursor.taken:
            return Verdict.PENDING_AGAIN
        verdict = self._enqueue(reading, self._boards)
        if verdict is Verdict.TAKEN:
            cursor.taken = seq
        else:
            cursor.refusing = True
            self._refused.add(boot)
        return verdict

    def _enqueue(self, reading: Reading, queue: deque[Reading]) -> Verdict:
        samples = self.samples + (len(reading.values) or 1)
        if samples > self._limit:
            while samples > self._limit and self._others:
                samples -= _size(self._others.popleft())
                self.lost += 1
            if samples > self._limit:
                self.samples = samples - _size(reading)
                self.lost += queue is self._others
                return Verdict.FULL
        queue.append(reading)
        self.samples = samples
        return Verdict.TAKEN

    def note(self, key: str, statements: Iterable[Statement]) -> None:
        """Have statements written with the next batch; those that wait under the same key are replaced."""
        self._notes.pop(key, None)
        self._notes[key] = tuple(statements)
        if len(self._notes) > MAX_NOTES:
            del self._notes[next(iter(self._notes))]

    def take(self, limit_samples: int) -> Batch:
        """Return the next batch, or the same again until `done`. Boards come first, in their order."""
        if self._under_way is None:
            readings: list[Reading] = []
            room = limit_samples
            for queue in (self._boards, self._others):
                while queue and room > 0:
                    reading = queue.popleft()
                    room -= len(reading.values) or 1
                    readings.append(reading)
            notes = [statement for statements in self._notes.values() for statement in statements]
            self._notes.clear()
            if not (readings or notes):
                return Batch([], [])
            self._under_way = Batch(readings, notes, limit_samples - room)
        return self._under_way

    def done(self) -> list[Acked]:
        """Settle the batch under way, which is committed, and return what may be acked now."""
        batch, self._under_way = self._under_way, None
        if batch is None:
            return []
        self.samples -= batch.samples
        acked = []
        for boot, reading in last_of_boots(batch.readings).items():
            seq = self._boots[boot].committed = reading.seq or 0
            acked.append(Acked(*boot, seq))
        return acked

    def wanted_again(self) -> list[Acked]:
        """Return whose readings are wanted again, now that half of the room is free.

        Not those of whom some wait: they are asked when these are committed. To be asked for until they come.
        """
        if not self._refused or self.samples > self._limit // 2:
            return []
        cursors = [(boot, self._boots[boot]) for boot in self._refused]
        return [
            Acked(*boot, cursor.committed, again=True)
            for boot, cursor in cursors
            if cursor.taken == cursor.committed
        ]

    def committed(self, device: str, boot_id: str) -> int:
        """Return the highest seq of that boot that is committed, or -1."""
        cursor = self._boots.get((device, boot_id))
        return -1 if cursor is None else cursor.committed

    def waiting(self) -> Iterator[Reading]:
        """Yield what is not committed yet, in the order in which it will be."""
        return chain(() if self._under_way is None else self._under_way.readings, self._boards, self._others)

    def all_committed(self) -> dict[Boot, int]:
        """Return the highest committed seq of each boot that has one."""
        return {boot: cursor.committed for boot, cursor in self._boots.items() if cursor.committed >= 0}

    def forget(self, boots: Iterable[Boot]) -> None:
        """Drop what is known of boots that nothing waits for."""
        for boot in boots:
            cursor = self._boots.get(boot)
            if cursor is not None and cursor.taken == cursor.committed:
                del self._boots[boot]
                self._refused.discard(boot)

    @property
    def notes(self) -> bool:
        """True when statements wait."""
        return bool(self._notes) or (self._under_way is not None and bool(self._under_way.notes))

    @property
    def queued(self) -> bool:
        """True when something waits that is not in the batch under way."""
        return bool(self._boards or self._others or self._notes)

    @property
    def idle(self) -> bool:
        """True when there is nothing to write."""
        return self._under_way is None and not self.queued

    @property
    def readings(self) -> int:
        """How many readings wait, the batch under way included."""
        batch = self._under_way  # read once: health asks from other threads
        return len(self._boards) + len(self._others) + (0 if batch is None else len(batch.readings))


def boot_of(reading: Reading) -> Boot | None:
    """Whose acks the reading waits for; None where its device keeps no outbox."""
    return None if reading.boot_id is None or reading.seq is None else (reading.device, reading.boot_id)


def _size(reading: Reading) -> int:
    # One without samples, whose rules keep them from the store, waits for its ack as others do.
    return max(1, len(reading.values))


def last_of_boots(readings: Iterable[Reading]) -> dict[Boot, Reading]:
    """Return the last reading of each boot among readings; of each they are in the order of seq."""
    return {
        (reading.device, reading.boot_id): reading
        for reading in readings
        if reading.seq is not None and reading.boot_id is not None
    }
