"""The hub's rooms with enrolment before them, on ports of a test's own. Not a test."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from hub.config import SerialConfig
from hub.enrolment import Enrolment
from hub.health import Health
from hub.links.ports import SerialPorts
from hub.model import Command
from tests.background_task import beside
from tests.hub_rooms import Rooms, rooms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from hub.enrolment import EnrolmentView
    from hub.model import Reading
    from hub.store.identity.rights import SecurityEvent

BY = "user:admin"


def wall_ms() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Desk:
    """A running hub without its web: registry, store, enrolment, and serial ports at `ports`."""

    def __init__(
        self, parts: Rooms, enrolment: Enrolment, link: SerialPorts, told: list[SecurityEvent]
    ) -> None:
        self.parts = parts
        self.enrolment = enrolment
        self.link = link
        self.told = told
        """What boards caused in the security log."""
        self._put: list[Reading] = []
        put = parts.store.put

        def noted(reading: Reading) -> None:
            self._put.append(reading)
            put(reading)

        parts.store.put = noted  # type: ignore[method-assign] # it does what it did, and is seen

    def view(self, device: str) -> EnrolmentView | None:
        """Return how a board stands: what waits or is refused goes before what was decided."""
        return next((one for one in self.enrolment.items() if one.device == device), None)

    def online(self, device: str) -> bool:
        """Whether the board is known and online."""
        state = self.parts.registry.get(device)
        return state is not None and state.online

    def key(self, device: str) -> Any:
        """Return what the hub shows of the board's key now."""
        state = self.parts.registry.get(device)
        return None if state is None or not state.online else state.key

    async def send(self, device: str, command: str, **params: Any) -> Any:
        """Send a command as the router does, but for its checks."""
        request = Command(
            id=f"{time.time_ns():016x}",
            device=device,
            command=command,
            params=params,
            ttl_ms=10_000,
            caller="test",
            origin="test",
            created_time=0,
        )
        return await self.link.send(request)

    def handed(self, device: str) -> list[Any]:
        """Return the values of `sequence` that were handed to the store, in that order.

        By these a test counts: what was taken within some milliseconds may be of one time in history.
        """
        return [
            reading.values[reading.metrics.index("sequence")]
            for reading in self._put
            if reading.device == device and "sequence" in reading.metrics
        ]

    async def stored(self, device: str, metric: str = "sequence") -> list[Any]:
        """Return the stored values of a metric, by time."""
        return [row.value for row in await self.parts.rows(device, metric)]


def enrolment_of(
    parts: Rooms, mode: str, told: Callable[[SecurityEvent], None] = lambda _event: None
) -> Enrolment:
    """Return the gate before a hub's rooms, with what is on the disk."""
    return Enrolment(
        mode=mode,
        enrolments=parts.store.enrolments,
        bus=parts.bus,
        health=Health(),
        put_security=told,
        now_ms=wall_ms,
    )


@contextlib.asynccontextmanager
async def desk(data: Path, *ports: Path, mode: str = "ask") -> AsyncIterator[Desk]:
    """Run a hub on the data folder; what it keeps in memory is gone after it."""
    told: list[SecurityEvent] = []
    async with rooms(data, wall_ms) as parts:
        enrolment = enrolment_of(parts, mode, told.append)
        link = SerialPorts(
            SerialConfig(ports=tuple(map(str, ports))),
            last_seq=parts.store.last_seq,
            now_ms=wall_ms,
            gate=enrolment,
        )
        parts.attach(link)
        async with beside(link.run(parts.sink)):
            yield Desk(parts, enrolment, link, told)
