"""A board under test: the hub's view of it, its commands, and the rig's hands on it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from hub.model import LinkKind, OutpostError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hil.bench import Bench
    from hil.client import HubClient, StoredSample
    from hub.model import CommandResult
    from hub.web.api.views import DeviceView, MetricView

ONLINE_TIMEOUT_S = 30.0
_POLL_S = 0.05

T = TypeVar("T")


class NotInTime(OutpostError):
    """What was waited for did not come."""


class Board:
    """One board, as tests use it. Times are UTC milliseconds of the hub."""

    def __init__(self, device: str, client: HubClient, bench: Bench) -> None:
        self.device = device
        self.client = client
        self.bench = bench

    async def view(self) -> DeviceView:
        """Return what the hub says of the board now."""
        return await self.client.device(self.device)

    async def online(self, timeout_s: float = ONLINE_TIMEOUT_S) -> DeviceView:
        """Wait until the board is online and has sent a value of each metric. Raises NotInTime."""

        async def ready() -> DeviceView | None:
            view = await self.view()
            return view if view.online and all(metric.last for metric in view.metrics) else None

        return await self.until(ready, "the board to be online with all its metrics", timeout_s)

    async def offline(self, timeout_s: float = ONLINE_TIMEOUT_S) -> DeviceView:
        """Wait until the hub has noticed that the board is gone. Raises NotInTime."""

        async def gone() -> DeviceView | None:
            view = await self.view()
            return None if view.online else view

        return await self.until(gone, "the hub to notice that the board is gone", timeout_s)

    async def metric(self, name: str) -> MetricView:
        """Return a metric with its last sample. Raises KeyError."""
        found = {metric.name: metric for metric in (await self.view()).metrics}
        if name not in found:
            raise KeyError(f"{self.device} has no metric {name!r}; it has: {', '.join(found)}")
        return found[name]

    async def send(self, command: str, *, ttl_ms: int = 5000, **params: Any) -> CommandResult:
        """Send a command and return its final result. Raises HubRefused."""
        return await self.client.send(self.device, command, params, ttl_ms=ttl_ms)

    async def samples(self, metric: str, from_ms: int = 0) -> list[StoredSample]:
        """Return the stored samples of a metric since a moment."""
        return await self.client.samples(self.device, metric, from_ms)

    async def until(
        self, condition: Callable[[], Awaitable[T | None]], what: str, timeout_s: float = ONLINE_TIMEOUT_S
    ) -> T:
        """Ask again until `condition` returns something true, and return that. Raises NotInTime."""
        end_s = time.monotonic() + timeout_s
        while True:
            found = await condition()
            if found:
                return found
            if time.monotonic() > end_s:
                console = "\n".join((await self.client.console(self.device))[-20:])
                raise NotInTime(f"waited {timeout_s} s for {what}; the board's console:\n{console}")
            await asyncio.sleep(_POLL_S)


async def find(client: HubClient, device: str | None, timeout_s: float = ONLINE_TIMEOUT_S) -> str:
    """Return the id of the board: `device`, or the only one online over a serial link. Raises NotInTime."""
    end_s = time.monotonic() + timeout_s
    while True:
        known = await client.devices()
        found = [
            item.id
            for item in known
            if item.online and item.link is LinkKind.SERIAL and device in (None, item.id)
        ]
        if len(found) == 1:
            return found[0]
        if time.monotonic() > end_s:
            ids = ", ".join(found) or "none"
            raise NotInTime(
                f"expected one online serial device, found: {ids}. Does the board run the firmware? "
                "With several boards, name `device` in the rig file"
            )
        await asyncio.sleep(_POLL_S)
