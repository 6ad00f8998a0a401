"""Live streams: one encoded frame for all who want the same, and a bound on what a slow one may cost.

Nothing here waits for a client: a frame goes to the transport, or is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from hub.web.sse import Frame, batch_frame, comment, event_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.bus import Batch, Bus
    from hub.health import Health
    from hub.web.filters import Filter
    from hub.web.parts import StreamLimits

log = logging.getLogger(__name__)

_RESUME_PART = 4
"""A slow subscriber gets frames again when a quarter of its buffer is left to send."""


class Subscriber:
    """One live stream: its transport, what waits there, and what was dropped since it was last told."""

    def __init__(
        self,
        transport: asyncio.Transport,
        wanted: Filter,
        *,
        chunked: bool,
        limits: StreamLimits,
        dropped: Callable[[int], None],
        now_s: float,
    ) -> None:
        self.wanted = wanted
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport = transport
        self._chunked = chunked
        self._limits = limits
        self._count = dropped
        self._given = 0
        self._taken = 0
        self._taken_s = now_s
        self._comment_s = now_s + limits.comment_s
        self._samples = 0
        self._events = 0
        self._from_ms: int | None = None

    @property
    def lagging(self) -> bool:
        """True while frames are being dropped, and the gap was not told yet."""
        return self._samples + self._events > 0

    def give(self, frame: Frame) -> None:
        """Send a frame, or drop and count it where too much waits already."""
        transport = self._transport
        if transport.is_closing():
            self.end()
            return
        waiting = transport.get_write_buffer_size()
        full = waiting > 0 and waiting + len(frame.chunk) > self._limits.buffer_bytes
        if full or (self.lagging and not self._tell_gap(waiting)):
            self._drop(frame)
        else:
            self._write(frame)

    def check(self, now_s: float, alive: Frame) -> None:
        """Once a second or so: cut who takes nothing, tell of a gap, give a sign of life."""
        if self._transport.is_closing():
            self.end()
            return
        waiting = self._transport.get_write_buffer_size()
        taken = self._given - waiting
        if waiting == 0 or taken > self._taken:
            self._taken, self._taken_s = taken, now_s
        elif now_s - self._taken_s >= self._limits.stall_s:
            log.info("a stream was cut: its client took nothing for %g s", self._limits.stall_s)
            self._transport.abort()
            self.end()
            return
        if self.lagging:
            self._tell_gap(waiting)
        elif waiting == 0 and now_s >= self._comment_s:
            self._comment_s = now_s + self._limits.comment_s
            self._write(alive)

    def end(self) -> None:
        """Let the request that holds the stream return."""
        if not self.ended.done():
            self.ended.set_result(None)

    def _tell_gap(self, waiting: int) -> bool:
        """Tell what was dropped as soon as there is room again; False while there is none."""
        if waiting > self._limits.buffer_bytes // _RESUME_PART:
            return False
        gap = {
            "dropped": self._samples + self._events,
            "samples": self._samples,
            "events": self._events,
            "from": self._from_ms,
        }
        self._samples = self._events = 0
        self._from_ms = None
        self._write(Frame.of(event_text("gap", gap) + b"\n"))
        return True

    def _drop(self, frame: Frame) -> None:
        self._samples += frame.samples
        self._events += frame.events
        if frame.from_ms is not None:
            self._from_ms = frame.from_ms if self._from_ms is None else min(self._from_ms, frame.from_ms)
        self._count(frame.samples)

    def _write(self, frame: Frame) -> None:
        content = frame.chunk if self._chunked else frame.plain
        self._given += len(content)
        self._transport.write(content)


class Fanout:
    """Every live stream, by filter. Loop thread only."""

    def __init__(self, bus: Bus, limits: StreamLimits, health: Health) -> None:
        self.limits = limits
        self._bus = bus
        self._health = health
        self._groups: dict[Filter, list[Subscriber]] = {}
        self._unsubscribe: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """How many streams are open."""
        return sum(map(len, self._groups.values()))

    def attach(self, transport: asyncio.Transport, wanted: Filter, *, chunked: bool) -> Subscriber:
        """Send every batch from now on to `transport`, whose request ends with `Subscriber.ended`."""
        subscriber = Subscriber(
            transport,
            wanted,
            chunked=chunked,
            limits=self.limits,
            dropped=self._health.stream_dropped.inc,
            now_s=asyncio.get_running_loop().time(),
        )
        if not self._groups:
            self._unsubscribe = self._bus.subscribe(self._deliver)
            self._schedule()
        self._groups.setdefault(wanted, []).append(subscriber)
        self._health.subscribers.set(self.count)
        return subscriber

    def detach(self, subscriber: Subscriber) -> None:
        """Forget a stream."""
        group = self._groups[subscriber.wanted]
        group.remove(subscriber)
        if not group:
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
            for subscriber in group:
                subscriber.end()

    def _deliver(self, batch: Batch) -> None:
        for wanted, group in self._groups.items():
            frame = batch_frame(batch, wanted, self._bus.epoch)
            if frame is not None:
                for subscriber in group:
                    subscriber.give(frame)

    def _check(self) -> None:
        now_s = asyncio.get_running_loop().time()
        alive = Frame.of(comment(self._bus.epoch, self._bus.last_n))
        for group in self._groups.values():
            for subscriber in group:
                subscriber.check(now_s, alive)
        self._schedule()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.limits.check_s, self._check)


def bound_kernel_buffers(transport: asyncio.Transport, limits: StreamLimits) -> None:
    """Keep the kernel from hiding a stalled client: a small send buffer, and an end to unanswered data."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.buffer_bytes)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.stall_s * 1000))
