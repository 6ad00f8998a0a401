"""Subscribers who want the same, and so get the same bytes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from hub.web.live.lag import latest_frame
from hub.web.live.sse import Frame, comment, frame_of, let_through
from hub.web.live.subscriber import write_all

if TYPE_CHECKING:
    from hub.bus import Batch, Bus
    from hub.web.live.filters import Filter
    from hub.web.live.sse import Form, Passed
    from hub.web.live.subscriber import Clear, Subscriber

Made: TypeAlias = "dict[Passed, Frame | None]"
"""The frames of one batch, by what they let through of it."""


class Group:
    """Subscribers with one filter. Each frame goes to all of them, with every batch of the bus."""

    def __init__(self, wanted: Filter, bus: Bus) -> None:
        self.wanted = wanted
        self.members: list[Subscriber] = []
        self._bus = bus
        self._clear: dict[Form, list[Clear]] = {}
        self._others: list[Subscriber] = []
        self._sorted = False

    def join(self, subscriber: Subscriber) -> None:
        """Take in a subscriber that has all that the bus has given out."""
        self.members.append(subscriber)
        self._sorted = False

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a subscriber."""
        self.members.remove(subscriber)
        self._sorted = False

    def deliver(self, batch: Batch, made: Made) -> None:
        """Give every member what it wants of `batch`, of which `made` has the frames that others got."""
        through = let_through(batch, self.wanted)
        if through not in made:
            made[through] = frame_of((batch,), self.wanted, self._bus.epoch, since=batch.n - 1)
        frame = made[through]
        if frame is None:
            return
        if not self._sorted:
            self._sort()
        for subscriber in self._others:
            subscriber.give(frame)
            if subscriber.clear() is not None:
                self._sorted = False
        for form, members in self._clear.items():
            if write_all(form(frame), members):
                self._sorted = False

    def check(self, now_s: float) -> None:
        """Once a second or so: see how each member fares."""
        alive = self.alive()
        for subscriber in self.members:
            subscriber.check(now_s, alive)
        # A sign of life may not have gone whole.
        self._sorted = False

    def _sort(self) -> None:
        """Tell those who only need a write, by the form of it, from those to whom more has to be done."""
        self._clear, self._others, self._sorted = {}, [], True
        for subscriber in self.members:
            clear = subscriber.clear()
            if clear is None:
                self._others.append(subscriber)
            else:
                self._clear.setdefault(subscriber.form, []).append(clear)

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

    def deliver(self, batch: Batch, made: Made) -> None:
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
