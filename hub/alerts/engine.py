"""Every rule on every metric that it takes. Pure: readings, names and time come in, turns come out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from hub.alerts.rule import Condition, Ready
from hub.alerts.watch import Turn, Watch
from hub.model import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hub.model import Reading, Value

log = logging.getLogger(__name__)

MOST_WATCHES = 10_000
"""Rules times metrics; of what goes beyond, nothing is watched, and the log says so."""


class Place(NamedTuple):
    """A rule on a metric."""

    rule: str
    device: str
    metric: str


class Turned(NamedTuple):
    """A rule on a metric that raises an alert or clears it."""

    turn: Turn
    ready: Ready
    place: Place
    time_ms: int
    value: Value


class Engine:
    """The watches. `open_` are the places whose alerts were raised before and not cleared."""

    def __init__(self, rules: Iterable[Ready], open_: Iterable[Place], now_ms: int) -> None:
        self._rules = {ready.rule.id: ready for ready in rules if ready.rule.enabled}
        self._open = set(open_)
        self._watches: dict[Place, Watch] = {}
        self._of: dict[tuple[str, str], list[tuple[Place, Watch]]] = {}
        for place in self._open:
            if place.rule in self._rules:
                self._on(place.device, place.metric, now_ms)

    def replace(self, ready: Ready | None, rule: str, now_ms: int) -> list[Place]:
        """Put a rule in place of the one of that id, or none; return the places where it was raised.

        It begins anew: what was raised is for the caller to clear.
        """
        raised = [place for place, watch in self._watches.items() if place.rule == rule and watch.raised]
        self._rules.pop(rule, None)
        if ready is not None and ready.rule.enabled:
            self._rules[rule] = ready
        self._open = {place for place in self._open if place.rule != rule}
        known = list(self._of)
        self._watches = {place: watch for place, watch in self._watches.items() if place.rule != rule}
        self._of = {
            of: [(place, watch) for place, watch in watches if place.rule != rule]
            for of, watches in self._of.items()
        }
        if ready is not None and ready.rule.enabled:
            for device, metric in known:
                self._watch(ready, device, metric, now_ms, self._of[device, metric])
        return raised

    def know(self, device: str, metrics: Iterable[str], now_ms: int) -> None:
        """Take in that a device has metrics: a silence of those that are new counts from now on."""
        for metric in metrics:
            self._on(device, metric, now_ms)

    def forget(self, device: str) -> list[Place]:
        """Watch nothing of a device any more; return the places where a rule was raised."""
        raised = [place for place, watch in self._watches.items() if place.device == device and watch.raised]
        self._open = {place for place in self._open if place.device != device}
        self._watches = {place: watch for place, watch in self._watches.items() if place.device != device}
        self._of = {of: watches for of, watches in self._of.items() if of[0] != device}
        return raised

    def take(self, reading: Reading) -> Iterator[Turned]:
        """Take in a reading; yield what it brings about. A value that could not be read tells nothing."""
        for metric, value in zip(reading.metrics, reading.values, strict=True):
            if value is None or reading.quality is Quality.BAD:
                continue
            for place, watch in self._on(reading.device, metric, reading.hub_time_ms):
                turn = watch.sample(reading.source_time_ms, value, reading.hub_time_ms)
                if turn is not None:
                    yield Turned(turn, self._rules[place.rule], place, reading.source_time_ms, value)

    def tick(self, now_ms: int) -> list[Turned]:
        """Take in that time passes; return what that brings about."""
        return [
            Turned(turn, self._rules[place.rule], place, now_ms, watch.value)
            for place, watch in self._watches.items()
            if (turn := watch.tick(now_ms)) is not None
        ]

    def _on(self, device: str, metric: str, now_ms: int) -> list[tuple[Place, Watch]]:
        found = self._of.get((device, metric))
        if found is None:
            found = self._of[device, metric] = []
            for ready in self._rules.values():
                self._watch(ready, device, metric, now_ms, found)
        return found

    def _watch(
        self, ready: Ready, device: str, metric: str, now_ms: int, into: list[tuple[Place, Watch]]
    ) -> None:
        if not ready.takes(device, metric):
            return
        if len(self._watches) >= MOST_WATCHES:
            log.error(
                "rule %s: %d metrics are watched already; not %s/%s",
                ready.rule.id,
                MOST_WATCHES,
                device,
                metric,
            )
            return
        place = Place(ready.rule.id, device, metric)
        watch = Watch(ready, now_ms, raised=place in self._open)
        self._watches[place] = watch
        into.append((place, watch))


def replay(ready: Ready, rows: Iterable[tuple[int, Value]], until_ms: int) -> int:
    """Return how often a rule would have raised an alert over rows of one metric, in the order of time."""
    count, watch = 0, None
    silent = ready.rule.condition is Condition.SILENT
    for time_ms, value in rows:
        if watch is None:
            watch = Watch(ready, time_ms)
        # As the hub's clock would have ticked between two samples.
        count += watch.tick(time_ms) is Turn.RAISE
        if value is not None or not silent:
            count += watch.sample(time_ms, value) is Turn.RAISE
    if watch is not None:
        count += watch.tick(until_ms) is Turn.RAISE
    return count
