"""The registry: births, online state, last values, and which link reaches whom."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from hub.link_verdict import Trend
from hub.links.link import Link, NotReachable
from hub.model import Birth, KeyState, Kind, LinkKind, LogLine, Metric, OutpostError, Reading, Sample

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

log = logging.getLogger(__name__)

CONSOLE_LINES = 500


class UnknownDevice(OutpostError):
    """No device of that id was ever born here."""

    def __init__(self, device: str) -> None:
        super().__init__(f"no device {device!r} is known here; `outpost devices` lists those that are")


class TakenByAnotherLink(OutpostError):
    """A device's id belongs to a device on another link."""


class DeviceState:
    """What the hub knows of one device. Written only by the registry."""

    def __init__(self, birth: Birth, link: LinkKind, last_seen: int, tags: Sequence[str] = ()) -> None:
        self.id = birth.device
        self.tags = tuple(tags)
        self.link = link
        self.link_name: str | None = None
        self.birth = birth
        self.online = False
        self.last_seen = last_seen
        self.reason: str | None = "not seen since the hub started"
        self.key: KeyState | None = None
        self.latest: dict[str, Sample] = {}
        self.figures: Mapping[str, float] = {}
        self.trend = Trend()
        self.console: deque[LogLine] = deque(maxlen=CONSOLE_LINES)


class Registry:
    """Every device that the hub knows, and the links that reach them."""

    def __init__(self, tags: Mapping[str, Sequence[str]] | None = None) -> None:
        self._tags = tags or {}
        self._devices: dict[str, DeviceState] = {}
        self._links: dict[LinkKind, Link] = {}
        self.version = 0
        """Grows whenever a last sample changes, comes or goes."""

    # --- reading ---

    def all(self) -> list[DeviceState]:
        """Return every device, sorted by id."""
        return [self._devices[device] for device in sorted(self._devices)]

    def get(self, device: str) -> DeviceState | None:
        """Return the device, or None where it is unknown."""
        return self._devices.get(device)

    def tagged(self, tags: Collection[str]) -> frozenset[str]:
        """Return the ids that have one of the tags by the configuration, whether they are known or not."""
        return frozenset(device for device, own in self._tags.items() if not set(tags).isdisjoint(own))

    def link_of(self, device: str) -> Link:
        """Return the link that reaches `device` now. Raises UnknownDevice, NotReachable."""
        state = self._devices.get(device)
        if state is None:
            raise UnknownDevice(device)
        link = self._links.get(state.link)
        if not state.online or link is None:
            raise NotReachable(f"{state.birth.name} ({device}) is offline: {state.reason or 'no session'}")
        return link

    def figures(self, device: str) -> Mapping[str, float]:
        """Return the counters and gauges of the device's link. Raises UnknownDevice."""
        return self._known(device).figures

    def console(self, device: str) -> Sequence[LogLine]:
        """Return the device's last console lines, oldest first. Raises UnknownDevice."""
        return tuple(self._known(device).console)

    def online_count(self) -> int:
        """Return how many devices have an open session."""
        return sum(state.online for state in self._devices.values())

    # --- writing ---

    def remove(self, device: str) -> bool:
        """Know a device no more, here and on the links. Raises UnknownDevice.

        Return whether nothing of it is left on a link's other side by which it would come back.
        """
        self._known(device)
        del self._devices[device]
        self.version += 1
        told = [link.forget(device) for link in self._links.values()]
        return all(told)

    def attach(self, link: Link) -> None:
        """Make `link` the one that reaches devices of its kind."""
        self._links[link.kind] = link

    def restore(self, birth: Birth, link: LinkKind, last_seen: int, latest: Mapping[str, Sample]) -> None:
        """Take up a device that the store remembers; it is offline until it is born again."""
        state = DeviceState(birth, link, last_seen, self._tags.get(birth.device, ()))
        known = {metric.name for metric in birth.metrics}
        self.version += 1
        state.latest.update((name, sample) for name, sample in latest.items() if name in known)
        self._devices[birth.device] = state

    def born(self, birth: Birth, link: LinkKind, now_ms: int) -> DeviceState:
        """Open a session. A device on a cable takes its id back from one that only claims it by name.

        A board (its birth has a `boot_id`) may move from cable to broker while it is offline; what is
        published in its name without a session is refused. Raises TakenByAnotherLink.
        """
        state = self._devices.get(birth.device)
        if state is None:
            tags = self._tags.get(birth.device, ())
            state = self._devices[birth.device] = DeviceState(birth, link, now_ms, tags)
        if link is LinkKind.MQTT:
            _check_name(state, birth)
        if state.link is not link:
            log.warning("device %s moves from %s to %s", birth.device, state.link, link)
            state.link = link
        if state.birth.boot_id not in (None, birth.boot_id):
            state.trend.restarted(birth.reset_cause, now_ms)
        state.birth = birth
        state.online = True
        state.reason = None
        state.last_seen = now_ms
        known = {metric.name for metric in birth.metrics}
        self.version += 1
        for gone in state.latest.keys() - known:
            del state.latest[gone]
        return state

    def keyed(self, device: str, key: KeyState | None) -> DeviceState | None:
        """Note whether a device has proved its key; None where the device is unknown."""
        state = self._devices.get(device)
        if state is not None:
            state.key = key
        return state

    def gone(self, device: str, reason: str) -> DeviceState | None:
        """End a session; None where the device is unknown or was offline already."""
        state = self._devices.get(device)
        if state is None or not state.online:
            return None
        state.online = False
        state.reason = reason
        return state

    def take(self, reading: Reading) -> None:
        """Keep a reading's samples as the last ones, unless newer ones are there. The device is known."""
        state = self._devices[reading.device]
        state.last_seen = max(state.last_seen, reading.hub_time_ms)
        self.version += 1
        for name, value in zip(reading.metrics, reading.values, strict=True):
            before = state.latest.get(name)
            if before is None or before.source_time <= reading.source_time_ms:
                state.latest[name] = Sample(
                    value=value,
                    quality=reading.quality_of(value),
                    source_time=reading.source_time_ms,
                    hub_time=reading.hub_time_ms,
                )

    def note(self, line: LogLine) -> None:
        """Keep a console line. Lines of unknown devices are dropped: their birth comes first."""
        state = self._devices.get(line.device)
        if state is not None:
            state.console.append(line)

    def measure(self, device: str, figures: Mapping[str, float], now_ms: int) -> None:
        """Keep the figures of a device's link, and where they go."""
        state = self._devices.get(device)
        if state is not None:
            state.figures = figures
            state.trend.add(figures, now_ms)

    def _known(self, device: str) -> DeviceState:
        state = self._devices.get(device)
        if state is None:
            raise UnknownDevice(device)
        return state


def _check_name(state: DeviceState, birth: Birth) -> None:
    """Hold a birth over the broker, by name alone, against who has that name. Raises TakenByAnotherLink."""
    board, was_board = birth.boot_id is not None, state.birth.boot_id is not None
    if state.link is LinkKind.MQTT:
        taken = was_board and not board
    elif state.link is LinkKind.IMPORT:
        taken = False
    else:
        taken = state.online or not (board and was_board)
    if taken:
        raise TakenByAnotherLink(
            f"device {birth.device!r} on {LinkKind.MQTT} is refused: "
            f"a {'board' if was_board else 'device'} on {state.link} has that id"
        )


def describe(state: DeviceState) -> dict[str, Any]:
    """Return a device as the API and the live stream show it."""
    birth = state.birth
    return {
        "id": state.id,
        "name": birth.name,
        "model": birth.model,
        "firmware": birth.firmware,
        "tags": list(state.tags),
        "link": state.link,
        "online": state.online,
        "reason": state.reason,
        "last_seen": state.last_seen,
        "boot_id": birth.boot_id,
        "key": state.key,
        "outbox_bytes": birth.outbox_bytes,
        "notice": birth.notice,
        "metrics": [_describe_metric(metric, state.latest.get(metric.name)) for metric in birth.metrics],
        "commands": [msgspec.to_builtins(command) for command in birth.commands],
    }


def _describe_metric(metric: Metric, last: Sample | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "kind": metric.kind,
        "interval_ms": metric.interval_ms,
        "decimals": metric.decimals,
        "last": None if last is None else msgspec.to_builtins(last),
    }
    if metric.kind is Kind.ENUM:
        shown["options"] = list(metric.options)
    return shown
