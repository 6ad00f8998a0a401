"""The link to the machine that the hub runs on: the Pi itself is a device like any other."""

from __future__ import annotations

import asyncio
import logging
import platform
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.links.pins.plan import Plan
from hub.links.pins.watch import PiSensors
from hub.links.vitals import Vitals, model
from hub.model import Birth, Born, LinkKind, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.links.link import Sink
    from hub.model import Command

log = logging.getLogger(__name__)

DEVICE = "host"

# The rates need a span to be taken over; a screen should not wait a whole interval for the first values.
_FIRST_SPAN_S = 0.5


class HostLink:
    """The host as the device `host`: its vitals, one reading each `interval_s`, and the sensors wired to it.

    `data` is the folder whose disk is watched; `now_ms` the wall clock (UTC ms), `monotonic_s` the clock of
    rates and uptime (CLOCK_MONOTONIC counts from boot on Linux); `sys_root` is where sysfs is mounted, `pins`
    what is wired to the Pi itself.
    """

    kind = LinkKind.HOST
    name = "host"

    def __init__(
        self,
        *,
        data: Path,
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float] = time.monotonic,
        interval_s: float = 5.0,
        sys_root: Path = Path("/sys"),
        pins: Plan | None = None,
    ) -> None:
        self._data = data
        self._now_ms = now_ms
        self._monotonic_s = monotonic_s
        self._interval_s = interval_s
        self._sys_root = sys_root
        self._sensors = PiSensors(
            pins or Plan((), None, sys_root), device=DEVICE, now_ms=now_ms, monotonic_s=monotonic_s
        )

    async def run(self, sink: Sink) -> None:
        """Yield the birth, then readings, until cancelled; another birth when a sensor comes that is new."""
        vitals = await asyncio.to_thread(
            Vitals, data=self._data, monotonic_s=self._monotonic_s, sys_root=self._sys_root
        )

        def born() -> None:
            sink(Born(self._birth(vitals), self.kind))

        self._sensors.prepare(vitals.metrics)
        born()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sensors.run(sink, born))
            group.create_task(self._tell_vitals(vitals, sink))

    async def _tell_vitals(self, vitals: Vitals, sink: Sink) -> None:
        names = tuple(metric.name for metric in vitals.metrics)
        await asyncio.sleep(min(_FIRST_SPAN_S, self._interval_s))
        due_s = self._monotonic_s()
        while True:
            values = await asyncio.to_thread(vitals.read)
            now_ms = self._now_ms()
            sink(
                Reading(
                    device=DEVICE, metrics=names, values=values, source_time_ms=now_ms, hub_time_ms=now_ms
                )
            )
            # From the due time, so that intervals do not grow by what the reading took; never in arrears.
            due_s = max(due_s + self._interval_s, self._monotonic_s())
            await asyncio.sleep(due_s - self._monotonic_s())

    async def send(self, command: Command) -> Any:
        """Do a command of one of the Pi's outputs. Raises Refused, NoAnswer."""
        return await self._sensors.send(command)

    def cancel(self, command_id: str) -> None:
        """Do nothing: the host has no commands."""

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Do nothing: the host keeps no outbox."""

    def forget(self, _device: str) -> bool:
        """Do nothing: nothing is kept of other machines' hosts."""
        return True

    def _birth(self, vitals: Vitals) -> Birth:
        interval_ms = round(self._interval_s * 1000)
        return Birth(
            device=DEVICE,
            name=socket.gethostname() or DEVICE,
            model=model(self._sys_root) or platform.machine(),
            firmware=f"{platform.system()} {platform.release()}",
            metrics=tuple(
                msgspec.structs.replace(metric, interval_ms=interval_ms) for metric in vitals.metrics
            )
            + self._sensors.metrics,
            commands=self._sensors.commands,
        )
