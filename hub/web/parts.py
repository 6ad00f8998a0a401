"""What the web room is handed: the other rooms, and its own limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hub.alerts import Alerts
    from hub.bus import Bus
    from hub.camera.camera import Camera
    from hub.commands import Commands, Desired
    from hub.config import Config
    from hub.devices import Registry
    from hub.enrolment import Enrolment
    from hub.health import Health
    from hub.model import CommandResult, FirmwareOffer, Identity
    from hub.removal import Removal
    from hub.store.store import Store
    from hub.web.gate.claim import Claim

STATIC = Path(__file__).with_name("static")


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one live stream may cost, and how it is kept alive."""

    buffer_bytes: int = 64 << 10
    """Bytes that may wait for one subscriber; more is dropped and counted."""
    stall_s: float = 15.0
    """A subscriber that takes nothing for so long is cut."""
    comment_s: float = 15.0
    check_s: float = 1.0
    per_caller: int = 100
    """Streams that one token or user may have open, and as many long polls."""
    total: int = 2000


class PortLender(Protocol):
    """Who has the serial ports and can lend one to another program (`hub.links.ports`)."""

    async def release(self, port: str, seconds: float) -> bool:
        """Close a port for so long, or until `resume`; return whether the hub had it."""

    def resume(self, port: str) -> None:
        """Take a lent port back."""


class Updater(Protocol):
    """Who has firmware for boards (`hub.update`)."""

    async def offer(self, device: str) -> FirmwareOffer:
        """Return what there is for a device. Raises UnknownDevice."""

    async def update(
        self, device: str, *, force: bool, key: str | None, caller: str, origin: str
    ) -> CommandResult:
        """Update a device; return how it ended. Raises UnknownDevice, CommandRefused."""


class Parts(msgspec.Struct, kw_only=True):
    """The rooms that the web room serves. Which hosts may be named follows from `config`."""

    config: Config
    registry: Registry
    store: Store
    bus: Bus
    commands: Commands
    cameras: Mapping[str, Camera]
    health: Health
    now_ms: Callable[[], int]
    claim: Claim
    desired: Desired
    alerts: Alerts
    enrolment: Enrolment | None = None
    removal: Removal | None = None
    serial: PortLender | None = None
    updates: Updater | None = None
    static: Path = STATIC
    stream: StreamLimits = StreamLimits()


PARTS: web.AppKey[Parts] = web.AppKey("parts")
IDENTITY: web.RequestKey[Identity] = web.RequestKey("identity")


def parts_of(request: web.Request) -> Parts:
    """Return the rooms that serve this request."""
    return request.app[PARTS]
