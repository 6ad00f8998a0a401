"""Readings put back in order: each once, with the missing asked for again."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELD = 256
"""Readings that may wait for one before them; later ones are left to be asked for again."""
NAK_RANGES = 4
NAK_READINGS = 64


class Inbox:
    """One boot's readings by seq. `want` is the next that goes on; all before went on or are lost."""

    def __init__(self, want: int) -> None:
        self.want = want
        self.duplicates = 0
        self.resends = 0
        self._known = want  # one past the highest seq that was certainly sent
        self._held: dict[int, list[Any]] = {}
        self._asked_ms = 0.0
        self._asked_want = -1
        self._fresh: list[tuple[int, int]] = []

    def put(self, message: "list[Any]") -> "list[list[Any]]":
        """Take in a reading; return those that go on now, in order."""
        seq = message[0]
        if seq < self.want or seq in self._held:
            self.duplicates += 1
            return []
        if seq >= self.want + HELD:
            self._known = max(self._known, seq + 1)
            return []
        if seq > self._known:
            self._fresh.append((self._known, seq))
        self._known = max(self._known, seq + 1)
        self._held[seq] = message
        return self._drain()

    def sent(self, next_seq: int) -> None:
        """Learn that the board has sent everything before `next_seq`."""
        self._known = max(self._known, next_seq)

    def gone(self, first_seq: int) -> "tuple[int, list[list[Any]]]":
        """Learn that readings before `first_seq` are gone.

        Return how many of them were missing, and the readings that go on now.
        """
        if first_seq <= self.want:
            return 0, []
        before = sorted([seq for seq in self._held if seq < first_seq])
        lost = first_seq - self.want - len(before)
        ready = [self._held.pop(seq) for seq in before]
        self.want = first_seq
        self._known = max(self._known, first_seq)
        return lost, ready + self._drain()

    def forget_held(self) -> None:
        """Drop what is held out of order (the session ended): it will be sent again."""
        self._held.clear()
        self._fresh.clear()
        self._known = self.want

    def naks(self, now_ms: float, every_ms: float) -> "list[tuple[int, int]]":
        """Return the ranges to ask for: a new hole at once, an old one every `every_ms`."""
        if self.want >= self._known:
            self._fresh.clear()
            return []
        fresh, self._fresh = self._fresh[:NAK_RANGES], []
        if now_ms - self._asked_ms >= every_ms:
            fresh = self._holes()
        if fresh:
            self._asked_ms = now_ms
        ranges = [(max(start, self.want), min(end, start + NAK_READINGS)) for start, end in fresh]
        ranges = [(start, end) for start, end in ranges if start < end]
        self.resends += sum([end - start for start, end in ranges])
        return ranges

    def _drain(self) -> "list[list[Any]]":
        ready = []
        while self.want in self._held:
            ready.append(self._held.pop(self.want))
            self.want += 1
        return ready

    def _holes(self) -> "list[tuple[int, int]]":
        holes = []
        start = self.want
        for seq in sorted(self._held):
            if seq > start:
                holes.append((start, seq))
            start = seq + 1
        if start < self._known:
            holes.append((start, self._known))
        return holes[:NAK_RANGES]
