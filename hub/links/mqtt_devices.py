"""The devices that MQTT messages speak of: messages in, link events out. Pure: time comes with a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hub.links.mqtt_channel import Channel
from hub.links.payload import BadMessage, Field, Message, address, kind_of, parse, plausible
from hub.model import Birth, Born, Gone, Kind, LinkHealth, LinkKind, Metric, Quality, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.links.refusals import Refusals
    from hub.model import LinkEvent

DEVICES = 1000
METRICS_A_DEVICE = 256
STATUS = "status"
# Samples of one metric are kept apart by their millisecond; a burst may run that far ahead of the clock.
AHEAD_MS = 1000


class Arrival(NamedTuple):
    """A message as it came: `time_ms` is when, `retained` where the broker had kept it for unknown long."""

    topic: str
    payload: bytes
    retained: bool
    time_ms: int


class _Device:
    def __init__(self, device: str) -> None:
        self.id = device
        self.channels: dict[str, Channel] = {}
        self.online = False
        self.said_offline = False
        self.changed = False  # its metrics, since its last birth
        self.messages = 0
        self.refused = 0
        self.told: tuple[int, int] | None = None  # messages and refused when the figures were last yielded

    def birth(self) -> Birth:
        return Birth(
            device=self.id,
            name=self.id,
            model="MQTT",
            metrics=tuple(
                Metric(name=name, unit=channel.unit, kind=channel.kind or Kind.NUMBER)
                for name, channel in self.channels.items()
            ),
        )

    def stamp(self, metrics: Iterable[str], now_ms: int) -> int:
        """Return a time that no sample of these has yet: now, or just after the last. Raises BadMessage."""
        last_ms = max(self.channels[name].last_ms for name in metrics)
        if last_ms < now_ms or last_ms > now_ms + AHEAD_MS:
            # So far ahead no burst gets: the hub's clock jumped back.
            return now_ms
        if last_ms == now_ms + AHEAD_MS:
            raise BadMessage("too fast", f"more than {AHEAD_MS} messages a second for one metric")
        return last_ms + 1


class _Batch:
    """The events of messages that came together. Births are made last: they have all that the batch told."""

    def __init__(self) -> None:
        self._events: list[LinkEvent | _Device] = []
        self._born: set[str] = set()

    def announce(self, device: _Device) -> None:
        device.online = True
        device.changed = False
        if device.id not in self._born:
            self._born.add(device.id)
            self._events.append(device)

    def gone(self, device: _Device, reason: str) -> None:
        device.online = False
        self._born.discard(device.id)
        self._events.append(Gone(device.id, reason))

    def reading(self, reading: Reading) -> None:
        self._events.append(reading)

    def events(self) -> list[LinkEvent]:
        return [
            Born(event.birth(), LinkKind.MQTT) if isinstance(event, _Device) else event
            for event in self._events
        ]


class MqttDevices:
    """Devices as messages make them known; `known` are births of earlier, so that no metric is forgotten."""

    def __init__(self, prefix: str, refusals: Refusals, known: Iterable[Birth] = ()) -> None:
        self._prefix = prefix
        self._refusals = refusals
        self._devices: dict[str, _Device] = {}
        for birth in known:
            device = self._devices[birth.device] = _Device(birth.device)
            for metric in birth.metrics:
                device.channels[metric.name] = Channel(metric.kind, metric.unit)

    def take(self, arrivals: Iterable[Arrival]) -> list[LinkEvent]:
        """Turn messages into events, in their order; a birth stands before the readings that need it."""
        batch = _Batch()
        for arrival in arrivals:
            try:
                where = address(arrival.topic, self._prefix)
                if not arrival.payload and where.device not in self._devices:
                    continue  # what the broker had retained of a device that was removed is cleared
                device = self._device(where.device)
                if where.metric == STATUS:
                    self._status(device, arrival, batch)
                else:
                    self._reading(device, parse(arrival.payload, where.metric), arrival, batch)
            except BadMessage as error:
                self._refuse(arrival.topic, error)
        return batch.events()

    def has(self, device: str) -> bool:
        """Whether messages made the device known."""
        return device in self._devices

    def forget(self, device: str) -> list[str]:
        """Know nothing more of a device; return the topics on which the broker may retain what it said."""
        known = self._devices.pop(device, None)
        if known is None:
            return []
        own = f"{self._prefix}/{device}"
        return [own, f"{own}/{STATUS}", *(f"{own}/{metric}" for metric in known.channels)]

    def lost(self, reason: str) -> list[LinkEvent]:
        """Return every device's end: the broker is lost, and none can be told to be there."""
        gone: list[LinkEvent] = []
        for device in self._devices.values():
            if device.online:
                device.online = False
                gone.append(Gone(device.id, reason))
        return gone

    def figures(self) -> list[LinkEvent]:
        """Return the counters of the devices that changed since the last call."""
        changed: list[LinkEvent] = []
        for device in self._devices.values():
            now = (device.messages, device.refused)
            if device.online and device.told != now:
                device.told = now
                changed.append(LinkHealth(device.id, {"messages": now[0], "refused": now[1]}))
        return changed

    # --- one message ---

    def _device(self, name: str) -> _Device:
        """Return the device, a new one if need be; it is kept once a message of it was good."""
        device = self._devices.get(name)
        if device is None:
            if len(self._devices) >= DEVICES:
                raise BadMessage("too many devices", f"{name} would be more than {DEVICES}")
            device = _Device(name)
        return device

    def _status(self, device: _Device, arrival: Arrival, batch: _Batch) -> None:
        said = arrival.payload.strip().lower()
        if said not in (b"online", b"offline"):
            raise BadMessage("status", f"{arrival.payload[:40]!r} is neither online nor offline")
        unknown = self._devices.setdefault(device.id, device) is not device or not device.channels
        device.messages += 1
        device.said_offline = said == b"offline"
        if not device.said_offline:
            if not device.online:
                batch.announce(device)
        elif device.online or unknown:
            if not device.online:
                batch.announce(device)
            batch.gone(device, "the device, or the broker for it, said offline")

    def _reading(self, device: _Device, message: Message, arrival: Arrival, batch: _Batch) -> None:
        fields, refused = self._admit(device, message)
        if not fields:
            device.refused += 1
            raise refused[0]
        time_ms, quality = _moment(message, arrival)
        names = tuple(field.metric for field in fields)
        if time_ms is None:
            time_ms = device.stamp(names, arrival.time_ms)
            for name in names:
                device.channels[name].last_ms = time_ms
        self._devices[device.id] = device
        device.messages += 1
        device.refused += len(refused)
        for error in refused:
            self._refuse(arrival.topic, error)
        # A value that the broker kept is no sign of life from a device that said goodbye.
        alive = not (arrival.retained and device.said_offline)
        if alive and (device.changed or not device.online):
            device.said_offline = False
            batch.announce(device)
        batch.reading(
            Reading(
                device=device.id,
                metrics=names,
                values=tuple(field.value for field in fields),
                source_time_ms=time_ms,
                hub_time_ms=arrival.time_ms,
                quality=quality,
            )
        )

    def _admit(self, device: _Device, message: Message) -> tuple[list[Field], list[BadMessage]]:
        """Return the fields that fit what is known of the device, and the refusals."""
        fields: list[Field] = []
        refused = list(message.refused)
        for field in message.fields:
            try:
                device.changed |= self._admit_field(device, field)
                fields.append(field)
            except BadMessage as error:
                refused.append(error)
        return fields, refused

    @staticmethod
    def _admit_field(device: _Device, field: Field) -> bool:
        channel = device.channels.get(field.metric)
        if channel is not None:
            return channel.admit(field)
        if len(device.channels) >= METRICS_A_DEVICE:
            raise BadMessage(
                "too many metrics", f"{field.metric} would be more than {METRICS_A_DEVICE} of {device.id}"
            )
        device.channels[field.metric] = Channel(kind_of(field.value), field.unit or "")
        return True

    def _refuse(self, topic: str, error: BadMessage) -> None:
        self._refusals.add(error.reason, topic, str(error))


def _moment(message: Message, arrival: Arrival) -> tuple[int | None, Quality]:
    """Return the device's own time, or None where the hub's must do, and how far to trust the whole."""
    if message.time_ms is not None and plausible(message.time_ms, arrival.time_ms):
        return message.time_ms, message.quality
    unknown = message.time_ms is not None or arrival.retained
    if unknown and message.quality is Quality.GOOD:
        return None, Quality.UNCERTAIN
    return None, message.quality
