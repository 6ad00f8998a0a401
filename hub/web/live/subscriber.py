"""One live stream: what it is given goes out at once, or is dropped and counted. Nothing waits."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from hub.web.live.sse import Frame, event_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.web.live.filters import Filter
    from hub.web.live.sse import Form
    from hub.web.parts import StreamLimits

log = logging.getLogger(__name__)

_RESUME_PART = 4
"""A slow subscriber gets frames again when a quarter of its buffer is left to send."""


class Subscriber:
    """A transport, what waits there, and what was dropped since its client was last told.

    `catch_up(since, wanted)` makes a frame of the latest that a client at `since` lacks; None where that is
    nothing. `dropped(count)` counts samples as they are dropped.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        wanted: Filter,
        *,
        form: Form,
        limits: StreamLimits,
        catch_up: Callable[[int, Filter], Frame | None],
        dropped: Callable[[int], None],
        now_s: float,
    ) -> None:
        self.wanted = wanted
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport = transport
        self._descriptor = _descriptor(transport)
        self.form = form
        self._limits = limits
        self._catch_up = catch_up
        self._count = dropped
        self._given = 0
        self._taken = 0
        self._taken_s = now_s
        self._comment_s = now_s + limits.comment_s
        self._since: int | None = None
        self._samples = 0
        self._events = 0
        self._from_ms: int | None = None

    def clear(self) -> Clear | None:
        """Return with what `write_all` reaches it; None while something waits or a gap is untold."""
        transport = self._transport
        if self._descriptor is None or self._since is not None or transport.get_write_buffer_size():
            return None
        return self._descriptor, transport.is_closing, self

    def wait(self, rest: bytes) -> None:
        """Keep what the kernel did not take of a frame until it does."""
        self._given += len(rest)
        self._transport.write(rest)

    def cut(self) -> None:
        """Break the connection."""
        self._transport.abort()
        self.end()

    def give(self, frame: Frame) -> None:
        """Send a frame, or drop and count it where too much waits already."""
        transport = self._transport
        if transport.is_closing():
            self.end()
            return
        waiting = transport.get_write_buffer_size()
        if self._since is None and (waiting == 0 or waiting + len(frame.chunk) <= self._limits.buffer_bytes):
            self._write(frame, waiting)
            return
        self._drop(frame)
        self._tell_gap(waiting)

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
            self.cut()
            return
        if self._since is not None:
            self._tell_gap(waiting)
        elif waiting == 0 and now_s >= self._comment_s:
            self._comment_s = now_s + self._limits.comment_s
            self._write(alive, waiting)

    def end(self) -> None:
        """Let the request that holds the stream return."""
        if not self.ended.done():
            self.ended.set_result(None)

    def _tell_gap(self, waiting: int) -> None:
        """As soon as there is room again: tell what was dropped, and give the latest of it (latest wins)."""
        if self._since is None or waiting > self._limits.buffer_bytes // _RESUME_PART:
            return
        latest = self._catch_up(self._since, self.wanted)
        if latest is not None and len(latest.chunk) > self._limits.buffer_bytes:
            latest = None
        samples = self._samples - (latest.samples if latest else 0)
        events = self._events - (latest.events if latest else 0)
        gap = {"dropped": samples + events, "samples": samples, "events": events, "from": self._from_ms}
        self._since = self._from_ms = None
        self._samples = self._events = 0
        text = event_text("gap", gap) + b"\n"
        self._write(Frame.of(text + latest.plain if latest else text), waiting)

    def _drop(self, frame: Frame) -> None:
        if self._since is None:
            self._since = frame.since
        self._samples += frame.samples
        self._events += frame.events
        self._count(frame.samples)
        if frame.from_ms is not None:
            self._from_ms = frame.from_ms if self._from_ms is None else min(self._from_ms, frame.from_ms)

    def _write(self, frame: Frame, waiting: int) -> None:
        content = self.form(frame)
        if waiting or self._descriptor is None:
            self.wait(content)
        else:
            write_all(content, [(self._descriptor, self._transport.is_closing, self)])


Clear: TypeAlias = "tuple[int, Callable[[], bool], Subscriber]"
"""A descriptor, whether it is closing (and so may be another's by now), and whose it is."""


def write_all(content: bytes, members: Iterable[Clear]) -> bool:
    """Write to all for whom nothing waits; return whether one of them did not take it whole.

    Straight to the kernel, as a transport does in the end. At 40 frames a second to each of 100 clients it
    is this loop that costs, so it touches little of each.
    """
    size, write, behind = len(content), os.write, False
    for descriptor, closing, subscriber in members:
        if closing():
            subscriber.end()
            continue
        try:
            sent = write(descriptor, content)
        except BlockingIOError:
            sent = 0
        except OSError:
            subscriber.cut()
            continue
        if sent != size:
            subscriber.wait(content[sent:])
            behind = True
    return behind


def _descriptor(transport: asyncio.Transport) -> int | None:
    """Return the file descriptor of a plain socket; None where TLS or something else lies between."""
    sock = transport.get_extra_info("socket")
    if sock is None or transport.get_extra_info("sslcontext") is not None:
        return None
    return int(sock.fileno())


def bound_kernel_buffers(transport: asyncio.Transport, limits: StreamLimits) -> None:
    """Keep the kernel from hiding a stalled client: a small send buffer, and an end to unanswered data."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.buffer_bytes)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.stall_s * 1000))
