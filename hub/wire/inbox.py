"""Readings put back in order: each once, with the missing asked for again."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELD = 256
"""Readings that may wait for one before them; later ones are left to be asked for again."""
NAK_RANGES = 8
NAK_READINGS = 64
"""Asked for at most at one time, which keeps a board's input ring and its pace."""


class Inbox:
    """One boot's readings by seq. `want` is the next that goes on; all before went on or are lost."""

    def __init__(self, want: int) -> None:
        self.want = want
        self.duplicates = 0
        self.resends = 0
        self._known = want  # one past the highest seq that was certainly sent
        self._held: dict[int, list[Any]] = {}
        self._asked_ms: dict[int, float] = {}

    def put(self, message: "list[Any]") -> "list[list[Any]]":
        """Take in a reading; return those that go on now, in order."""
        seq = message[0]
        if seq < self.want or seq in self._held:
            self.duplicates += 1
            return []
        if seq >= self.want + HELD:
            self._known = max(self._known, seq + 1)
            return []
        self._asked_ms.pop(seq, None)
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
        self._asked_ms.clear()
        self._known = max(self._known, first_seq)
        return lost, ready + self._drain()

    def forget_held(self) -> None:
        """Drop what is held out of order (the session ended): it will be sent again."""
        self._held.clear()
        self._asked_ms.clear()
        self._known = self.want

    def rewind(self, want: int) -> None:
        """Want the readings from `want` on once more: what went on was dropped before it was stored."""
        self.want = min(want, self.want)
        self.forget_held()

    def naks(self, now_ms: float, every_ms: float) -> "list[tuple[int, int]]":
        """Return the ranges to ask for: what is newly missing, and again what was asked `every_ms` ago."""
        if self.want >= self._known:
            return []
        ranges: list[tuple[int, int]] = []
        count = 0
        for seq in range(self.want, min(self._known, self.want + HELD)):
            if seq in self._held or now_ms - self._asked_ms.get(seq, -every_ms) < every_ms:
                continue
            if ranges and ranges[-1][1] == seq:
                ranges[-1] = (ranges[-1][0], seq + 1)
            elif len(ranges) == NAK_RANGES:
                break
            else:
                ranges.append((seq, seq + 1))
            self._asked_ms[seq] = now_ms
            count += 1
            if count == NAK_READINGS:
                break
        self.resends += count
        return ranges

    def _drain(self) -> "list[list[Any]]":
        ready = []
        while self.want in self._held:
            ready.append(self._held.pop(self.want))
            self.want += 1
        return ready
