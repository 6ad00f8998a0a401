"""A hub's side of readings: what a board sends becomes events, each reading once and in order."""

from .events import Lost, Taken
from .message import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .birth import Birth
    from .events import Event
    from .known import Boot


class Intake:
    """The readings of one port. `troubles` gathers what an operator should read."""

    def __init__(self) -> None:
        self.gaps = 0
        self.refused = 0
        self.outbox_depth = 0
        self.outbox_dropped = 0
        self.troubles: list[str] = []

    def reading(self, boot: "Boot", birth: "Birth", message: "list[Any]") -> "list[Event]":
        """Take in a reading; return what goes on now."""
        return self._deliver(boot, birth, boot.inbox.put(message))

    def keepalive(self, boot: "Boot", birth: "Birth", message: "list[Any]") -> "list[Event]":
        """Learn what the outbox holds and what was sent; return what goes on now, and what is lost."""
        _, sent_seq, first_seq, next_seq, dropped = message
        self.outbox_depth = max(0, next_seq - first_seq)
        self.outbox_dropped = dropped
        lost, ready = boot.inbox.gone(first_seq)
        if boot.fresh:  # what another hub acknowledged before is no loss
            lost = min(lost, dropped)
        boot.fresh = False
        events: list[Event] = []
        if lost:
            self.gaps += lost
            events.append(Lost(lost))
        events.extend(self._deliver(boot, birth, ready))
        boot.inbox.sent(sent_seq)
        return events

    def _deliver(self, boot: "Boot", birth: "Birth", messages: "list[list[Any]]") -> "list[Event]":
        clock = boot.clock
        events: list[Event] = []
        for message in messages:
            seq, ticks, index = message[:3]
            try:
                group = birth.group(index)
                values = group.values(message[3:])
            except WireError as error:
                self.refused += 1
                self.troubles.append(f"reading {seq} was refused: {error}")
                continue
            moment = clock.monotonic_ms(ticks)
            events.append(
                Taken(seq, ticks, group, values, moment, clock.bound_ms(ticks), clock.mapped_back(ticks))
            )
        return events
