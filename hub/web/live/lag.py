"""What a client gets that lags behind or comes back too late: the latest, or a `reset`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.web.live.sse import Frame, event_text, frame_of, id_line

if TYPE_CHECKING:
    from hub.bus import Bus
    from hub.web.live.filters import Filter


def latest_frame(bus: Bus, since: int, wanted: Filter) -> Frame | None:
    """Return the latest sample of each metric, and every event, after `since`; None where there is none.

    Where the ring has lost some of that already, a `reset` says so, and what it still has follows.
    """
    batches = bus.replay(bus.epoch, since)
    if batches is None:
        return Frame.of(reset(bus, (bus.epoch, since)))
    return frame_of(batches, wanted, bus.epoch, since=since, latest=True) if batches else None


def reset(bus: Bus, position: tuple[str, int] | None) -> bytes:
    """Return the event for a client whose position the ring cannot help; it goes on at the newest id.

    `from` is the time from which the client has to fetch history, None where its id says nothing.
    """
    data = {
        "reason": "what came after this id is not known here (any more): fetch it from history",
        "from": None if position is None else bus.lost_from_ms(*position),
    }
    return event_text("reset", data) + id_line(bus.epoch, bus.last_n) + b"\n"
