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
    lines: asyncio.Queue[str] = asyncio.Queue()

    def hear() -> None:
        lines.put_nowait(line := sys.stdin.readline())
        if not line:
            # At its end it would be readable for ever.
            loop.remove_reader(sys.stdin.fileno())

    loop.add_reader(sys.stdin.fileno(), hear)
    rate, due, at = 0.0, 0.0, time.monotonic()
    while True:
        while not lines.empty():
            line = lines.get_nowait()
            if not line:
                return
            rate, due, at = float(line), 0.0, time.monotonic()
        now = time.monotonic()
        due, at = due + (now - at) * rate, now
        while due >= 1:
            publish()
            due -= 1
        await asyncio.sleep(min(_LOOK_S, max(_TICK_S, (1 - due) / rate)) if rate else _TICK_S)
