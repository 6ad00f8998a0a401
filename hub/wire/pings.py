"""Pings on their way: which number went out when. Sent often at first, so that the clock is soon known."""

PING_MS = 1000
FIRST_PING_MS = 100
FIRST_PINGS = 8
UNDER_WAY = 8


class Pings:
    """The pings of one boot's session."""

    def __init__(self, now_ms: float) -> None:
        self._due_ms = now_ms
        self._number = 0
        self._quick = FIRST_PINGS
        self._sent: dict[int, float] = {}

    def due(self, now_ms: float) -> bool:
        """Whether the next ping should go out."""
        return now_ms >= self._due_ms

    def send(self, now_ms: float) -> int:
        """Return the number of the ping that goes out now."""
        self._number += 1
        self._quick -= 1
        self._due_ms = now_ms + (FIRST_PING_MS if self._quick > 0 else PING_MS)
        if len(self._sent) >= UNDER_WAY:
            del self._sent[next(iter(self._sent))]
        self._sent[self._number] = now_ms
        return self._number

    def answered(self, number: int) -> "float | None":
        """Return when ping `number` went out, once; None for a number that is not waited for."""
        return self._sent.pop(number, None)

    def restart(self) -> None:
        """Forget what is under way, as another boot will not answer it; ping often again."""
        self._sent.clear()
        self._quick = FIRST_PINGS
