"""Alerts as other rooms see them: the bus drives rules; what they raise is kept, announced, acted on."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

import msgspec

from hub.alerts.deeds import Deeds, Seams
from hub.alerts.engine import Engine, Place, Turned
from hub.alerts.preview import Preview, preview
from hub.alerts.rules import Rules
from hub.alerts.watch import Turn
from hub.alerts.words import reason
from hub.bus import Bus, Event
from hub.model import OutpostError
from hub.store import alerts as table
from hub.store.alerts import Alert, AlertFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.alerts.rule import Ready
    from hub.bus import Batch
    from hub.devices import DeviceState, Registry
    from hub.health import Health
    from hub.store.store import Store

log = logging.getLogger(__name__)

TICK_S = 1.0


class NoSuchAlert(OutpostError):
    """No alert of that id is active."""

    def __init__(self, identity: str) -> None:
        super().__init__(f"no alert {identity[:40]!r} is active; what was cleared needs no acknowledgement")


class Alerts:
    """The rules, and the alerts that are active. Loop thread only; `run` must be running for time to pass."""

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        registry: Registry,
        health: Health,
        now_ms: Callable[[], int],
        seams: Seams,
    ) -> None:
        self._store = store
        self._bus = bus
        self._registry = registry
        self._health = health
        self._now_ms = now_ms
        self._deeds = Deeds(seams, health)
        self._active: dict[Place, Alert] = {}
        self._engine = Engine((), (), now_ms())
        self.rules = Rules(store, now_ms, self._rule_changed)

    async def load(self) -> None:
        """Take up rules and active alerts where the last run left them. Raises StoreError."""
        for problem in await self.rules.load():
            log.error("a stored rule is left out: %s", problem)
        items, _ = await self._store.ask(
            lambda connection: table.alerts(connection, AlertFilter(active=True), table.KEPT_ALERTS, None)
        )
        for alert in reversed(items):
            ready = self.rules.get(alert.rule)
            place = Place(alert.rule, alert.device, alert.metric)
            if ready is None or not ready.rule.enabled or place in self._active:
                self._keep(_cleared(alert, self._now_ms(), "the rule is gone"))
            else:
                self._active[place] = alert
        self._engine = Engine(self.rules.ready, self._active, self._now_ms())
        for state in self._registry.all():
            self._know(state)
        self._count()

    async def run(self) -> None:
        """Watch the bus and the time, until cancelled."""
        leave = self._bus.subscribe(self._deliver)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._deeds.run())
                while True:
                    await asyncio.sleep(TICK_S)
                    self.tick()
        finally:
            leave()

    def tick(self) -> None:
        """Let time pass for what no value comes for."""
        for turned in self._engine.tick(self._now_ms()):
            self._turn(turned)

    # --- what callers ask for ---

    def active(self) -> list[Alert]:
        """Return the alerts that are not cleared, newest first."""
        return sorted(self._active.values(), key=lambda alert: -alert.raised_time)

    async def history(
        self, wanted: AlertFilter, limit: int, before: str | None
    ) -> tuple[list[Alert], str | None]:
        """Return alerts, newest first, and the cursor to older ones. Raises QueryRefused, StoreError."""
        return await self._store.ask(lambda connection: table.alerts(connection, wanted, limit, before))

    def find(self, identity: str) -> Alert:
        """Return an active alert. Raises NoSuchAlert."""
        found = next((alert for alert in self._active.values() if alert.id == identity), None)
        if found is None:
            raise NoSuchAlert(identity)
        return found

    def acknowledge(self, identity: str, by: str) -> Alert:
        """Note that somebody saw an alert; the first one counts. Raises NoSuchAlert."""
        alert = self.find(identity)
        if alert.acknowledged_time is None:
            alert = msgspec.structs.replace(alert, acknowledged_time=self._now_ms(), acknowledged_by=by)
            self._active[Place(alert.rule, alert.device, alert.metric)] = alert
            self._keep(alert)
        return alert

    async def preview(self, ready: Ready) -> Preview:
        """Return what a rule would have raised in the last day. Raises QueryRefused, StoreError."""
        return await preview(self._store, self._registry, ready, self._now_ms())

    # --- what happens ---

    def _deliver(self, batch: Batch) -> None:
        for event in batch.events:
            if event.kind == "device" and event.device is not None:
                state = self._registry.get(event.device)
                if state is not None:
                    self._know(state)
        for reading in batch.readings:
            for turned in self._engine.take(reading):
                self._turn(turned)
        for event in batch.events:
            if event.kind == "removed" and event.device is not None:
                self._forget(event.device)

    def _forget(self, device: str) -> None:
        """End what is raised of a device that was removed, and is not back."""
        if self._registry.get(device) is None:
            self._clear(self._engine.forget(device), "the device was removed")

    def _clear(self, places: Iterable[Place], why: str) -> None:
        for place in places:
            alert = self._active.pop(place, None)
            if alert is not None:
                self._end(_cleared(alert, self._now_ms(), why), None)

    def _know(self, state: DeviceState) -> None:
        self._engine.know(state.id, [metric.name for metric in state.birth.metrics], self._now_ms())

    def _turn(self, turned: Turned) -> None:
        if turned.turn is Turn.RAISE:
            self._raise(turned)
            return
        alert = self._active.pop(turned.place, None)
        if alert is not None:
            self._end(_cleared(alert, max(turned.time_ms, alert.raised_time), None), turned.ready)

    def _raise(self, turned: Turned) -> None:
        rule, place = turned.ready.rule, turned.place
        alert = Alert(
            id=secrets.token_hex(8),
            rule=rule.id,
            title=rule.name,
            severity=rule.severity,
            device=place.device,
            metric=place.metric,
            text=reason(rule, place.metric, turned.value, self._unit(place)),
            value=turned.value,
            raised_time=turned.time_ms,
        )
        self._active[place] = alert
        log.warning("alert %s: %s (%s/%s): %s", alert.id, rule.id, place.device, place.metric, alert.text)
        self._health.alerts.labels(rule.severity).inc()
        self._keep(alert)
        self._count()
        self._deeds.put(alert, rule.actions, asyncio.get_running_loop().time())

    def _end(self, alert: Alert, ready: Ready | None) -> None:
        log.info("alert %s: cleared: %s (%s/%s)", alert.id, alert.rule, alert.device, alert.metric)
        self._keep(alert)
        self._count()
        if ready is not None:
            self._deeds.put(alert, ready.rule.actions, asyncio.get_running_loop().time())

    def _rule_changed(self, rule: str, ready: Ready | None) -> None:
        why = "the rule was removed" if ready is None else "the rule was changed"
        self._clear(self._engine.replace(ready, rule, self._now_ms()), why)
        if ready is None:
            self._deeds.forget(rule)

    def _keep(self, alert: Alert) -> None:
        self._store.record(f"alert {alert.id}", table.put(alert))
        self._bus.publish(Event(kind="alert", device=alert.device, data=alert))

    def _unit(self, place: Place) -> str:
        state = self._registry.get(place.device)
        metrics = () if state is None else state.birth.metrics
        return next((metric.unit for metric in metrics if metric.name == place.metric), "")

    def _count(self) -> None:
        self._health.alerts_active.set(len(self._active))


def _cleared(alert: Alert, time_ms: int, why: str | None) -> Alert:
    return msgspec.structs.replace(alert, cleared_time=time_ms, cleared_why=why)
