"""The boards that wait to be accepted, bounded. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.links.aside import Aside, Budget

if TYPE_CHECKING:
    from hub.links.aside import Again
    from hub.links.gate import Guest
    from hub.links.link import Sink
    from hub.model import Born

MOST = 16
"""Boards that may wait at once."""
MOST_A_PLACE = 4
"""Of them on one port: what is plugged out there gives way to what comes, the longest gone first."""
BOARD_BYTES = 4 << 20
ALL_BYTES = 16 << 20
LINES, LINES_MS = 30, 60_000
"""So many lines a minute boards may cause in the security log."""


@dataclass
class Waiting:
    """One board that waits; `guest` is its session, None while it is away."""

    born: Born
    guest: Guest | None
    place: str
    sink: Sink
    aside: Aside
    since: int
    left: int = 0


class WaitingRoom:
    """The boards that wait, by id."""

    def __init__(self) -> None:
        self.boards: dict[str, Waiting] = {}
        self._budget = Budget(ALL_BYTES)

    def room_for(self, device: str, place: str) -> bool:
        """Whether a board that comes to `place` can wait."""
        return device in self.boards or len(self.boards) < MOST or self._away(place) is not None

    def enter(self, born: Born, guest: Guest, sink: Sink, again: Again, now_ms: int) -> tuple[Waiting, bool]:
        """Have a board wait; return it, and whether it is new. Another session of the same id is ended."""
        device = born.birth.device
        waiting = self.boards.get(device)
        if waiting is not None:
            if waiting.guest is not None and waiting.guest is not guest:
                waiting.guest.turn_out(f"a board with this id is on {guest.name} now")
            waiting.born, waiting.guest, waiting.place, waiting.sink = born, guest, guest.name, sink
            waiting.aside.again = again
            return waiting, False
        self._make_room(guest.name)
        aside = Aside(BOARD_BYTES, self._budget, again)
        waiting = self.boards[device] = Waiting(born, guest, guest.name, sink, aside, now_ms)
        return waiting, True

    def left(self, device: str, guest: Guest, now_ms: int) -> bool:
        """Note that a session ended; return whether it was of a board that waits."""
        waiting = self.boards.get(device)
        if waiting is None or waiting.guest is not guest:
            return False
        waiting.guest, waiting.left = None, now_ms
        return True

    def _make_room(self, place: str) -> None:
        here = [device for device, waiting in self.boards.items() if waiting.place == place]
        if len(here) >= MOST_A_PLACE or len(self.boards) >= MOST:
            gone = self._away(place)
            if gone is not None:
                self.boards.pop(gone).aside.drop()

    def _away(self, place: str) -> str | None:
        """Return which board that was at `place` is gone for longest."""
        gone = [
            (waiting.left, device)
            for device, waiting in self.boards.items()
            if waiting.place == place and waiting.guest is None
        ]
        return min(gone)[1] if gone else None


class LinePace:
    """How many lines boards may cause in the security log."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=LINES)

    def may(self, now_ms: int) -> bool:
        """Whether another line may be written now."""
        if len(self._times) == LINES and now_ms - self._times[0] < LINES_MS:
            return False
        self._times.append(now_ms)
        return True
