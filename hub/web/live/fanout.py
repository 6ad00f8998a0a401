"""Live streams by filter: one encoded frame for all who want the same."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from hub.web.gate.places import Places
from hub.web.live.sse import Frame, comment, event_text, frame_of, id_line
from hub.web.live.subscriber import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.bus import Batch, Bus
    from hub.health import Health
    from hub.web.live.filters import Filter
    from hub.web.live.sse import Form
    from hub.web.parts import StreamLimits


class Group:
    """Subscribers with one filter. Each frame goes to all of them, with every batch of the bus."""

    def __init__(self, wanted: Filter, bus: Bus) -> None:
        self.wanted = wanted
        self.members: list[Subscriber] = []
        self._bus = bus

    def join(self, subscriber: Subscriber) -> None:
        """Take in a subscriber that has all that the bus has given out."""
        self.members.append(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a subscriber."""
        self.members.remove(subscriber)

    def deliver(self, batch: Batch) -> None:
        """Give every member what it wants of `batch`."""
        frame = frame_of((batch,), self.wanted, self._bus.epoch, since=batch.n - 1)
        if frame is not None:
            for subscriber in self.members:
                subscriber.give(frame)

    def alive(self) -> Frame:
        """Return a sign of life that moves the clients' ids on to what they have."""
        return Frame.of(comment(self._bus.epoch, self._bus.last_n))

    def close(self) -> None:
        """End for good."""


class PacedGroup(Group):
    """Subscribers whose filter bounds the rate: what came since a member's last frame, taken from the ring.

    Leading edge, as on the bus: at once after quiet, then once an interval.
    """

    def __init__(self, wanted: Filter, bus: Bus, max_hz: float) -> None:
        super().__init__(wanted, bus)
        self._interval_s = 1 / max_hz
        self._at: dict[Subscriber, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def join(self, subscriber: Subscriber) -> None:
        """Take in a subscriber that has all that the bus has given out."""
        super().join(subscriber)
        self._at[subscriber] = self._bus.last_n

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a subscriber."""
        super().leave(subscriber)
        del self._at[subscriber]

    def deliver(self, batch: Batch) -> None:
        """Give every member the latest, unless it had some within the interval."""
        if self._timer is None:
            self._flush()

    def alive(self) -> Frame:
        """Return a sign of life; ids move on where nothing is held back."""
        return super().alive() if self._timer is None else Frame.of(b": alive\n\n")

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _flush(self) -> None:
        self._timer = None
        frames: dict[int, Frame | None] = {}
        for subscriber in self.members:
            at = self._at[subscriber]
            if at not in frames:
                frames[at] = latest_frame(self._bus, at, self.wanted)
            self._at[subscriber] = self._bus.last_n
            frame = frames[at]
            if frame is not None:
                subscriber.give(frame)
        if any(frame is not None for frame in frames.values()):
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._flush)


class Fanout:
    """Every live stream. Loop thread only."""

    def __init__(self, bus: Bus, limits: StreamLimits, health: Health) -> None:
        self.limits = limits
        self.places = Places("streams", limits)
        self._bus = bus
        self._health = health
        self._groups: dict[Filter, Group] = {}
        self._unsubscribe: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """How many streams are open."""
        return sum(len(group.members) for group in self._groups.values())

    def attach(self, transport: asyncio.Transport, wanted: Filter, form: Form) -> Subscriber:
        """Send every batch from now on to `transport`; its request ends with `Subscriber.ended`."""
        subscriber = Subscriber(
            transport,
            wanted,
            form=form,
            limits=self.limits,
            catch_up=partial(latest_frame, self._bus),
            dropped=self._health.stream_dropped.inc,
            now_s=asyncio.get_running_loop().time(),
        )
        if not self._groups:
            self._unsubscribe = self._bus.subscribe(self._deliver)
            self._schedule()
        group = self._groups.get(wanted)
        if group is None:
            pace = wanted.max_hz
            group = Group(wanted, self._bus) if pace is None else PacedGroup(wanted, self._bus, pace)
            self._groups[wanted] = group
        group.join(subscriber)
        self._health.subscribers.set(self.count)
        return subscriber

    def detach(self, subscriber: Subscriber) -> None:
        """Forget a stream."""
        group = self._groups[subscriber.wanted]
        group.leave(subscriber)
        if not group.members:
            group.close()
            del self._groups[subscriber.wanted]
        if not self._groups:
            if self._unsubscribe is not None:
                self._unsubscribe()
            if self._timer is not None:
                self._timer.cancel()
            self._unsubscribe = self._timer = None
        self._health.subscribers.set(self.count)

    def close(self) -> None:
        """End every stream."""
        for group in self._groups.values():
            for subscriber in group.members:
                subscriber.end()

    def _deliver(self, batch: Batch) -> None:
        for group in self._groups.values():
            group.deliver(batch)

    def _check(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for group in self._groups.values():
            alive = group.alive()
            for subscriber in group.members:
                subscriber.check(now_s, alive)
        self._schedule()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.limits.check_s, self._check)


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
