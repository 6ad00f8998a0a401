"""A sensor that a driver of the kernel reads, as an entry of `[[sensor]]` or `auto` wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hub.links.pins.kernel import Channel, metric_name, rounded
from hub.links.pins.sensor import Taken
from hub.model import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hub.links.pins.kernel import Device, Quantity
    from hub.model import CommandType, Value

_LONGEST_TITLE = 64


class Wanted(NamedTuple):
    """What an entry says of a sensor of the kernel; `channel` is None for all that the device has."""

    device: str | None
    channel: str | None
    name: str | None = None
    prefix: str | None = None
    title: str | None = None
    unit: str | None = None
    decimals: int | None = None
    scale: float = 1.0
    zero: float = 0.0


class KernelSensor:
    """A device of iio, hwmon or w1, looked up anew when it fails: it may come, go, be renumbered."""

    def __init__(
        self,
        kind: str,
        find: Callable[[], Sequence[Device]],
        wanted: Wanted,
        interval_ms: int,
        quantity: Quantity | None = None,
    ) -> None:
        """With `quantity` and the wanted name, the metric is known before the device was ever there."""
        # The kernel lets one 1-Wire conversion run at a time: in one lane each waits for its turn.
        self.lane = kind if kind == "w1" else f"{kind} {wanted.device or ''}".strip()
        self.poll_ms = interval_ms
        self.metrics: tuple[Metric, ...] = ()
        self.commands: tuple[CommandType, ...] = ()
        self._kind = kind
        self._find = find
        self._wanted = wanted
        self._channels: tuple[Channel, ...] = ()
        if quantity is not None and wanted.name is not None and wanted.channel is not None:
            self.metrics = (self._metric(None, Channel(wanted.channel, quantity, "", float)),)

    def means(self, device: Device) -> bool:
        """Tell whether the entry is of this device."""
        same = device.kind == self._kind
        return same and (self._wanted.device is None or device.called(self._wanted.device))

    @property
    def descriptor(self) -> int | None:
        """None: sysfs is asked."""
        return None

    def begin(self) -> int:
        """Look the device up where it is not known. Raises OSError."""
        if not self._channels:
            device = self._device()
            self._channels = self._of(device)
            if not self.metrics:
                self.metrics = tuple(self._metric(device, channel) for channel in self._channels)
        return 0

    def read(self, now_ms: float) -> Sequence[Taken]:
        """Return all channels; None for one that does not answer. Raises OSError where none does."""
        values: list[Value] = []
        failure: OSError | None = None
        for channel in self._channels:
            try:
                values.append(self._scaled(channel.read(), channel))
            except (OSError, ValueError) as error:
                values.append(None)
                failure = _in_words(channel, error)
        if failure is not None and all(value is None for value in values):
            self._channels = ()
            raise failure
        return (Taken(now_ms, tuple(values)),)

    def edges(self) -> Sequence[Taken]:
        """Return nothing."""
        return ()

    def run(self, name: str, params: Mapping[str, Any]) -> Any:
        """Raise ValueError: it takes no commands."""
        raise ValueError(f"there is no command {name!r}")

    def close(self) -> None:
        """Forget the device."""
        self._channels = ()

    def _device(self) -> Device:
        found = list(self._find())
        fitting = [one for one in found if self._wanted.device is None or one.called(self._wanted.device)]
        if len(fitting) == 1:
            return fitting[0]
        wanted = f"{self._kind} device" + (f" {self._wanted.device!r}" if self._wanted.device else "")
        if not fitting:
            raise FileNotFoundError(f"there is no {wanted}; there are: {_named(found)}")
        raise FileNotFoundError(
            f"there are several: {_named(fitting)}; say which {wanted} by the last of these words"
        )

    def _of(self, device: Device) -> tuple[Channel, ...]:
        """Return the channels that are meant, in the order of the metrics where these are known."""
        names = {channel.name: channel for channel in device.channels}
        if self._wanted.channel is not None:
            if self._wanted.channel not in names:
                raise FileNotFoundError(
                    f"{device.name} has no channel {self._wanted.channel!r}; it has {', '.join(names)}"
                )
            return (names[self._wanted.channel],)
        known = [metric.name for metric in self.metrics]
        if known and [self._metric(device, channel).name for channel in device.channels] != known:
            raise FileNotFoundError(
                f"{device.name} has other channels than before; restart the hub to take them up"
            )
        return device.channels

    def _metric(self, device: Device | None, channel: Channel) -> Metric:
        wanted, quantity = self._wanted, channel.quantity
        name = wanted.name
        if name is None:
            prefix = wanted.prefix if wanted.prefix is not None or device is None else device.prefix()
            name = f"{prefix}_{channel.name}"
        what = channel.label or quantity.title.lower()
        place = wanted.title or (device.name if device is not None else "")
        one = wanted.title is not None and wanted.channel is not None
        return Metric(
            name=metric_name(name),
            title=(place if one else f"{place} {what}".strip())[:_LONGEST_TITLE],
            unit=quantity.unit if wanted.unit is None else wanted.unit,
            decimals=quantity.decimals if wanted.decimals is None else wanted.decimals,
            interval_ms=self.poll_ms,
        )

    def _scaled(self, value: float, channel: Channel) -> Value:
        decimals = channel.quantity.decimals if self._wanted.decimals is None else self._wanted.decimals
        return rounded((value - self._wanted.zero) * self._wanted.scale, decimals)


def _named(devices: Sequence[Device]) -> str:
    return ", ".join(f"{one.name} ({one.place or one.id})" for one in devices) or "none"


def _in_words(channel: Channel, error: Exception) -> OSError:
    if isinstance(error, OSError):
        return error
    return OSError(f"{channel.name}: {error}")
