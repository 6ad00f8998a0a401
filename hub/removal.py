"""Removal: a device that is gone is taken off the hub while it runs; what it measured stays."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import msgspec

from hub.bus import Bus, Event
from hub.devices import DeviceState, Registry, UnknownDevice
from hub.enrolment import BoardStanding
from hub.model import LinkKind, OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.commands import Desired
    from hub.enrolment import Enrolment
    from hub.health import Health
    from hub.store.store import Store

log = logging.getLogger(__name__)

QUIET_MS = 60_000
"""An MQTT device, which has no session, may be online for ever: silent for so long, it counts as gone."""


class StillThere(OutpostError):
    """The device is online: it would be back at once."""


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """A device is not on the hub's list any more. Its samples stay until retention takes them."""

    device: str
    time: int
    broker_cleared: bool
    """False: the MQTT broker was away, and may retain messages of the device by which it comes back."""


class Removal:
    """Takes devices off the hub, with all that it holds of them but samples, commands and logs."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: Store,
        bus: Bus,
        desired: Desired,
        enrolment: Enrolment | None,
        health: Health,
        now_ms: Callable[[], int],
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._desired = desired
        self._enrolment = enrolment
        self._health = health
        self._now_ms = now_ms

    def remove(self, device: str, by: str) -> Removed:
        """Remove a device that is gone. Raises UnknownDevice, StillThere, and StoreError with nothing done.

        Loop thread only. What is recorded is committed as other changes are (`Store.recorded`).
        """
        state = self._registry.get(device)
        if state is None:
            raise UnknownDevice(device)
        self._check_gone(state)
        self._take_key(device, by)
        cleared = self._registry.remove(device)
        self._desired.forget(device)
        self._store.drop_birth(device)
        for figure in state.figures:
            with contextlib.suppress(KeyError):  # told before they were first measured
                self._health.link_figure.remove(device, figure)
        self._health.devices_online.set(self._registry.online_count())
        log.info("device %s (%s) is removed by %s", device, state.birth.name, by)
        removed = Removed(device=device, time=self._now_ms(), broker_cleared=cleared)
        self._bus.publish(Event(kind="removed", device=device, data=removed))
        return removed

    def _check_gone(self, state: DeviceState) -> None:
        """Raise StillThere where a device has a session, or spoke a moment ago."""
        if not state.online:
            return
        name = state.id if state.birth.name == state.id else f"{state.birth.name} ({state.id})"
        if state.link is LinkKind.HOST:
            raise StillThere(f"{name} is this hub itself, which stays on its own list")
        if state.link is not LinkKind.MQTT or state.birth.boot_id is not None:
            raise StillThere(f"{name} is online on {state.link}; disconnect it first")
        quiet_ms = self._now_ms() - state.last_seen
        if 0 <= quiet_ms < QUIET_MS:
            raise StillThere(
                f"{name} spoke {quiet_ms // 1000} s ago, and would be back with its next message: stop it, "
                f"and try again when it has been silent for {QUIET_MS // 1000} s"
            )

    def _take_key(self, device: str, by: str) -> None:
        """Forget the key of a board that is accepted. One that was rejected stays rejected."""
        enrolment = self._enrolment
        if enrolment is None:
            return
        if any(one.device == device and one.state is BoardStanding.ACCEPTED for one in enrolment.items()):
            enrolment.forget(device, by)
