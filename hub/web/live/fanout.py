"""Live streams by filter: one encoded frame for all who want the same."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from hub.web.gate.places import Places
from hub.web.live.groups import Group, PacedGroup
from hub.web.live.lag import latest_frame
from hub.web.live.subscriber import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.bus import Batch, Bus
    from hub.health import Health
    from hub.web.live.filters import Filter
    from hub.web.live.groups import Made
    from hub.web.live.sse import Form
    from hub.web.parts import StreamLimits


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
        made: Made = {}
        for group in self._groups.values():
            group.deliver(batch, made)

    def _check(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for group in self._groups.values():
            group.check(now_s)
        self._schedule()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.limits.check_s, self._check)
