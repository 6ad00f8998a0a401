"""Ingest: link events become samples for the store and the bus, and commits become acks."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import msgspec

from hub.bus import Bus, Event
from hub.devices import DeviceState, Registry, TakenByAnotherLink, UnknownDevice, describe
from hub.link_history import LinkHistory, restart
from hub.links.link import NotReachable
from hub.log_pace import LogPace
from hub.model import Born, CommandProgress, Gone, Keyed, LinkHealth, LinkKind, LogLine, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.health import Health
    from hub.links.link import Sink
    from hub.model import LinkEvent
    from hub.store.store import Store
    from hub.store.writing.intake import Acked

log = logging.getLogger(__name__)


class Ingest:
    """The one sink of all links. Called on the event loop's thread; never blocks, never raises to a link."""

    def __init__(
        self, *, registry: Registry, store: Store, bus: Bus, health: Health, now_ms: Callable[[], int]
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._health = health
        self._now_ms = now_ms
        self._link_history = LinkHistory()
        self._log_pace = LogPace()
        self._progress: Callable[[CommandProgress], None] | None = None
        store.on_commit(self.acknowledge)

    def sink_for(self, kind: LinkKind) -> Sink:
        """Return the sink of one link: what it says of another link's device is refused and counted."""

        def sink(event: LinkEvent) -> None:
            try:
                self._take(event, kind)
            except Exception:
                # A defect here must cost one event, not the link that every other device hangs on.
                log.exception("an event of link %s could not be taken in", kind)

        return sink

    def on_progress(self, callback: Callable[[CommandProgress], None]) -> None:
        """Have `callback` called with what a device tells of a command that it has."""
        self._progress = callback

    def _take(self, event: LinkEvent, kind: LinkKind) -> None:
        if isinstance(event, Born):
            self._born(event)
            return
        state = self._registry.get(event.device)
        if state is None or state.link is not kind or _in_a_boards_name(event, state):
            self._health.readings_refused.labels(kind, "not its device").inc()
            return
        match event:
            case Reading():
                self._reading(event, kind)
            case Gone():
                self._gone(event)
            case Keyed():
                self._registry.keyed(event.device, event.key)
                self._announce(state)
            case LogLine():
                self._registry.note(event)
                self._bus.publish(Event(kind="log", device=event.device, data=event))
            case LinkHealth():
                self._measured(event, state)
            case CommandProgress() if self._progress is not None:
                self._progress(event)

    def acknowledge(self, acked: Iterable[Acked]) -> None:
        """Tell each device what of its outbox is committed."""
        for one in acked:
            try:
                link = self._registry.link_of(one.device)
            except (NotReachable, UnknownDevice):
                # It went before its ack, or was removed; it asks what is committed when it comes back.
                continue
            link.ack(one.device, one.boot_id, one.seq, again=one.again)

    def _reading(self, reading: Reading, kind: LinkKind) -> None:
        reading = _finite(reading)
        # The live path first: a slow disk must never delay a screen.
        self._registry.take(reading)
        self._bus.publish(reading)
        self._store.put(reading)
        self._health.samples.labels(kind).inc(len(reading.values))

    def _measured(self, event: LinkHealth, state: DeviceState) -> None:
        self._registry.measure(event.device, event.figures, self._now_ms())
        for figure, value in event.figures.items():
            self._health.link_figure.labels(event.device, figure).set(value)
        kept = self._link_history.due(state.birth, event.figures, self._now_ms())
        if kept is not None:
            self._store.put(kept)

    def _born(self, event: Born) -> None:
        now_ms = self._now_ms()
        before = self._registry.get(event.birth.device)
        booted = before is not None and before.birth.boot_id not in (None, event.birth.boot_id)
        try:
            state = self._registry.born(event.birth, event.link, now_ms)
        except TakenByAnotherLink as error:
            self._health.readings_refused.labels(event.link, "id taken").inc()
            end = self._log_pace.due(f"{event.link} {event.birth.device}", now_ms)
            if end is not None:
                log.warning("%s%s", error, end)
            return
        self._registry.keyed(state.id, event.key)
        self._store.put_birth(event.birth, event.link, now_ms)
        if booted:
            self._store.put(restart(event.birth, now_ms))
        end = self._log_pace.due(state.id, now_ms)
        if end is not None:
            log.info(
                "device %s (%s) is online on %s: %d metrics, %d commands%s",
                state.id,
                event.birth.name,
                event.link,
                len(event.birth.metrics),
                len(event.birth.commands),
                end,
            )
        self._announce(state)

    def _gone(self, event: Gone) -> None:
        state = self._registry.gone(event.device, event.reason)
        if state is None:
            return
        self._store.put_last(state.id)
        self._store.put_birth(state.birth, state.link, state.last_seen)
        end = self._log_pace.due(state.id, self._now_ms())
        if end is not None:
            log.info("device %s (%s) is offline: %s%s", state.id, state.birth.name, event.reason, end)
        self._announce(state)

    def _announce(self, state: DeviceState) -> None:
        self._health.devices_online.set(self._registry.online_count())
        self._bus.publish(Event(kind="device", device=state.id, data=describe(state)))


def _in_a_boards_name(event: LinkEvent, state: DeviceState) -> bool:
    """Whether a reading without a session's identity claims, over MQTT, to be of a board, which has one."""
    if state.link is not LinkKind.MQTT or not isinstance(event, Reading):
        return False
    return event.boot_id is None and state.birth.boot_id is not None


def _finite(reading: Reading) -> Reading:
    """Replace what JSON and charts cannot carry (NaN, ±∞) by None, whose quality is BAD."""
    if all(not isinstance(value, float) or math.isfinite(value) for value in reading.values):
        return reading
    values = tuple(None if isinstance(v, float) and not math.isfinite(v) else v for v in reading.values)
    return msgspec.structs.replace(reading, values=values)
