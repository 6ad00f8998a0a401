"""The hub's own web room as benches serve it: over a real store, without cameras."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hub.alerts import Alerts
from hub.commands import Desired
from hub.config import Config
from hub.web.acting import Acting
from hub.web.gate.claim import Claim
from hub.web.parts import Parts

if TYPE_CHECKING:
    from pathlib import Path

    from hub.bus import Bus
    from hub.commands import Commands
    from hub.devices import Registry
    from hub.health import Health
    from hub.store.store import Store


def now_ms() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000


def parts_of(
    folder: Path, *, registry: Registry, store: Store, bus: Bus, commands: Commands, health: Health
) -> Parts:
    """Return what a web room is made of, over these rooms; `folder` is the store's."""
    acting = Acting(secrets=folder, commands=commands, cameras={}, publish=None)
    return Parts(
        config=Config(),
        registry=registry,
        store=store,
        bus=bus,
        commands=commands,
        cameras={},
        health=health,
        now_ms=now_ms,
        claim=Claim(now_ms=now_ms),
        desired=Desired(commands=commands, registry=registry, store=store, bus=bus, now_ms=now_ms),
        alerts=Alerts(store=store, bus=bus, registry=registry, health=health, now_ms=now_ms, seams=acting),
    )
