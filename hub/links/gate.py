"""Who decides which boards are let in, as links see it; `hub.enrolment` is one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hub.links.aside import Again, Aside
    from hub.links.link import Sink
    from hub.model import Born


class Entry(Enum):
    """What a board finds that says who it is."""

    OPEN = auto()
    """It is let in; where there is a key for it, it is asked for that meanwhile."""
    PROVE = auto()
    """It is let in when it has proved its key."""
    WAIT = auto()
    """It waits for somebody to accept it."""


@dataclass(frozen=True)
class Standing:
    """How a board stands: the key that it must prove, and the one that it is to be given."""

    entry: Entry
    key: bytes | None = None
    next_key: bytes | None = None
    asked: bool = True
    """False where nobody is asked for a key."""


class Guest(Protocol):
    """A board's open session, as the gate sees it."""

    name: str
    """Where it is: a port's path, the broker."""

    def let_in(self, standing: Standing) -> None:
        """Let the board in now, or give one that is in a key."""

    def turn_out(self, reason: str) -> None:
        """End the session."""


class Gate(Protocol):
    """Decides about boards. Called on the event loop's thread; never blocks, never raises."""

    def bar(self, device: str, place: str) -> str | None:
        """Return why a board that says hello is turned away, or None."""

    def crowded(self, device: str, place: str, why: str) -> None:
        """Learn that a board says hello whose id is taken by another, which is online."""

    def knock(self, device: str, guest: Guest) -> Standing:
        """Return how a board stands whose session has opened."""

    def wait(self, born: Born, guest: Guest, sink: Sink, again: Again) -> Aside:
        """Have a board wait; return what keeps what it says until then.

        `again` is called with what is left out or dropped.
        """

    def proved(self, device: str, guest: Guest, key: bytes) -> None:
        """Learn which key a board has proved."""

    def failed(self, device: str, guest: Guest, why: str) -> None:
        """Learn that a board did not prove its key, and is refused."""

    def left(self, device: str, guest: Guest) -> None:
        """Learn that a session ended."""


class OpenGate:
    """Lets every board in, and asks none for anything."""

    def bar(self, device: str, place: str) -> str | None:
        """Return None."""
        return None

    def crowded(self, device: str, place: str, why: str) -> None:
        """Do nothing."""

    def knock(self, device: str, guest: Guest) -> Standing:
        """Return that the board is let in."""
        return Standing(Entry.OPEN, asked=False)

    def wait(self, born: Born, guest: Guest, sink: Sink, again: Again) -> Aside:
        """Never be called."""
        raise NotImplementedError

    def proved(self, device: str, guest: Guest, key: bytes) -> None:
        """Do nothing."""

    def failed(self, device: str, guest: Guest, why: str) -> None:
        """Do nothing."""

    def left(self, device: str, guest: Guest) -> None:
        """Do nothing."""
