"""The event that every server of the fan-out bench delivers: some 130 bytes, with the moment of its birth."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DEVICE = "bench-device"
METRIC = "sequence"
MARK = b"@"
"""Stands once in each event, before its moment in microseconds (CLOCK_MONOTONIC), 15 digits."""

_TICK_S = 0.005
_LOOK_S = 0.1
"""At the slowest rates it looks more often than it calls, so that a server's process is not all cold."""


def value() -> str:
    """Return the sample's value: the mark and the moment."""
    return f"@{time.monotonic_ns() // 1000:015d}"


def event(number: int) -> bytes:
    """Return the same event as the hub would write it for one sample, for servers that know no samples."""
    row = f'["{DEVICE}","{METRIC}",1781950000000,"{value()}","good"]'
    return f"id: 0123abcd-{1781950000000 + number}\nevent: samples\ndata: [{row}]\n\n".encode()


def many_files() -> None:
    """Let this process open as many sockets as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def publish_on_command(publish: Callable[[], None]) -> None:
    """Call `publish` so many times a second as the last line of stdin says, evenly; return at its end."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    pace = _Pace(publish, loop)

    def hear() -> None:
        if line := sys.stdin.readline():
            pace.set(float(line))
        else:
            # At its end it would be readable for ever.
            loop.remove_reader(sys.stdin.fileno())
            ended.set_result(None)

    loop.add_reader(sys.stdin.fileno(), hear)
    await ended
    pace.set(0)


class _Pace:
    """Calls at a rate. A timer alone: where it runs in a server's process, its CPU counts as the server's."""

    def __init__(self, publish: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self._publish = publish
        self._loop = loop
        self._rate = self._due = self._at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, rate: float) -> None:
        """Call so often from now on; 0: not at all."""
        if self._timer is not None:
            self._timer.cancel()
        self._rate, self._due, self._at, self._timer = rate, 0.0, time.monotonic(), None
        if rate:
            self._call()

    def _call(self) -> None:
        now = time.monotonic()
        self._due, self._at = self._due + (now - self._at) * self._rate, now
        while self._due >= 1:
            self._publish()
            self._due -= 1
        wait_s = min(_LOOK_S, max(_TICK_S, (1 - self._due) / self._rate))
        self._timer = self._loop.call_later(wait_s, self._call)
