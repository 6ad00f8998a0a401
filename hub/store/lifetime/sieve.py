"""Deadbands and least intervals: which samples of a reading are stored. Pure: no clock, no I/O.

A sample that a rule keeps from the store counts as handled: it was shown live, and its reading is acked with
the commit as any other. What is stored says what was: the first value, every change of quality or type, a
value that holds again and again (a gap stays a gap), the last one before a change (as PI's exception
reporting does), and the last of a session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model import Quality, Reading, Value
from hub.store.format.hotlog import clean

if TYPE_CHECKING:
    from hub.store.lifetime.policy import Policy, Sieve


class _Sample(msgspec.Struct, frozen=True):
    value: Value
    quality: Quality
    time_ms: int
    hub_time_ms: int


class _Track(msgspec.Struct):
    """What of a metric was stored last, and what came after it and was not."""

    stored: _Sample
    held: _Sample | None = None

    @property
    def newest(self) -> _Sample:
        return self.held or self.stored


class Sifting:
    """The rules against what comes. For one thread."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.idle = not policy.sieves
        """No rule keeps anything from the store."""
        self._sieves: dict[tuple[str, str], Sieve | None] = {}
        self._tracks: dict[str, dict[str, _Track]] = {}
        self.suppressed = 0
        """Samples that were not stored, since the start."""

    def adopt(self, policy: Policy) -> None:
        """Go by other rules from the next reading on."""
        self._policy = policy
        self._sieves.clear()
        # What was held back under the rules before still has its turn.
        self.idle = self.idle and not policy.sieves

    def sift(self, reading: Reading) -> list[Reading]:
        """Return what of a reading is stored: itself, less of it, more before it, or nothing.

        A reading that a device waits for comes back in any case, be it without samples, so that it is acked.
        """
        if self.idle or len(reading.metrics) != len(reading.values):
            return [reading]
        tracks = self._tracks.setdefault(reading.device, {})
        kept: list[int] = []
        before: dict[str, _Sample] = {}
        for place, name in enumerate(reading.metrics):
            rule = self._rule(reading.device, name)
            if rule is None or self._stored(rule, reading, place, tracks, before):
                kept.append(place)
        found = _readings(reading.device, before)
        dropped = len(reading.metrics) - len(kept)
        self.suppressed += dropped - len(before)
        if not dropped:
            return [*found, reading]
        if kept or reading.seq is not None:
            metrics = tuple(reading.metrics[place] for place in kept)
            values = tuple(reading.values[place] for place in kept)
            found.append(msgspec.structs.replace(reading, metrics=metrics, values=values))
        return found

    def flush(self, device: str | None = None) -> list[Reading]:
        """Return the last samples of a device, or of all, where they are not stored: its session ends."""
        found: list[Reading] = []
        for owner in [device] if device is not None else list(self._tracks):
            held = {
                name: track.held
                for name, track in self._tracks.pop(owner, {}).items()
                if track.held is not None
            }
            self.suppressed -= len(held)
            found += _readings(owner, held)
        return found

    def _rule(self, device: str, metric: str) -> Sieve | None:
        key = device, metric
        if key not in self._sieves:
            if len(self._sieves) > 20_000:
                self._sieves.clear()
            self._sieves[key] = self._policy.sieve(clean(device), clean(metric))
        return self._sieves[key]

    def _stored(
        self,
        rule: Sieve,
        reading: Reading,
        place: int,
        tracks: dict[str, _Track],
        before: dict[str, _Sample],
    ) -> bool:
        """Tell whether a sample is stored; note in `before` the one that is to be stored with it."""
        name, value = reading.metrics[place], reading.values[place]
        now = _Sample(value, reading.quality_of(value), reading.source_time_ms, reading.hub_time_ms)
        track = tracks.get(name)
        if track is None:
            tracks[name] = _Track(now)
            return True
        if now.time_ms <= track.newest.time_ms:
            return True  # late, or again: its identity decides
        if _suppressed(rule, track, now):
            track.held = now
            return False
        held = track.held
        if held is not None and _worth(rule, track.stored, held, now):
            before[name] = held
        tracks[name] = _Track(now)
        return True


def _suppressed(rule: Sieve, track: _Track, now: _Sample) -> bool:
    stored, newest = track.stored, track.newest
    if now.quality is not newest.quality or type(now.value) is not type(newest.value):
        return False
    age_ms = now.time_ms - stored.time_ms
    if age_ms >= rule.max_interval_ms:
        return False
    if age_ms < rule.min_interval_ms:
        return True
    return rule.deadband is not None and _within(rule.deadband, stored.value, now.value)


def _worth(rule: Sieve, stored: _Sample, held: _Sample, now: _Sample) -> bool:
    """Tell whether the last sample before a change is stored too: it says until when the value held."""
    if held.quality is not now.quality or type(held.value) is not type(now.value):
        return True
    if rule.deadband is None or held.time_ms - stored.time_ms < rule.min_interval_ms:
        return False
    return not _within(rule.deadband, stored.value, now.value)


def _within(deadband: float, before: Value, now: Value) -> bool:
    if isinstance(before, bool | str) or isinstance(now, bool | str) or before is None or now is None:
        return before == now
    return abs(now - before) <= deadband


def _readings(device: str, samples: dict[str, _Sample]) -> list[Reading]:
    """Return samples as readings without an ack, one a time and quality."""
    found: dict[tuple[int, int, Quality], list[tuple[str, Value]]] = {}
    for name, one in samples.items():
        found.setdefault((one.time_ms, one.hub_time_ms, one.quality), []).append((name, one.value))
    return [
        Reading(
            device=device,
            metrics=tuple(name for name, _ in pairs),
            values=tuple(value for _, value in pairs),
            source_time_ms=time_ms,
            hub_time_ms=hub_time_ms,
            quality=quality,
        )
        for (time_ms, hub_time_ms, quality), pairs in found.items()
    ]
