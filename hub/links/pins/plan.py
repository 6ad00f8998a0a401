"""`[[sensor]]` of the configuration: each entry checked, and what reads it. Touches no pin."""

from __future__ import annotations

import difflib
import math
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from hub.config import ConfigError
from hub.links.pins import hwmon, iio, w1
from hub.links.pins.board_drivers import BoardDrivers
from hub.links.pins.hardware import PiHardware
from hub.links.pins.kernel_sensor import KernelSensor, Wanted
from hub.links.pins.wired import BoardSensor, EdgeInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hub.links.pins.kernel import Device
    from hub.links.pins.sensor import Sensor

AUTO = "auto"
FINDERS: Mapping[str, Callable[[Path], list[Device]]] = {"iio": iio.find, "hwmon": hwmon.find, "w1": w1.find}
_QUANTITIES = {"iio": iio.quantity, "hwmon": hwmon.quantity, "w1": w1.quantity}
_MIN_MS, _MAX_MS = 20, 3_600_000
_EVERY = {"driver": str, "interval_ms": int}
_OF_THE_KERNEL: Mapping[str, type | tuple[type, ...]] = {
    **_EVERY,
    "device": str,
    "channel": str,
    "name": str,
    "prefix": str,
    "title": str,
    "unit": str,
    "decimals": int,
    "scale": (int, float),
    "zero": (int, float),
}
_OF_DS18B20: Mapping[str, type | tuple[type, ...]] = {**_EVERY, "rom": str, "prefix": str, "title": str}
_ONE_CHANNEL = ("name", "unit", "decimals", "scale", "zero")
_WORDS = {str: "a text", int: "a whole number", (int, float): "a number"}
_NAME = re.compile(r"[a-z0-9_.-]{1,64}")
_LONGEST = {"name": 64, "prefix": 32, "title": 40, "unit": 16}


class Plan:
    """What is to be read: `sensors`, and `auto_ms`, the interval of what is found; None without `auto`."""

    def __init__(self, sensors: Sequence[Sensor], auto_ms: int | None, sys_root: Path) -> None:
        self.sensors = tuple(sensors)
        self.auto_ms = auto_ms
        self._sys_root = sys_root

    def found(self) -> list[Device]:
        """Return what the kernel has now and no entry names; it blocks."""
        named = [sensor for sensor in self.sensors if isinstance(sensor, KernelSensor)]
        return [
            device for device in discover(self._sys_root) if not any(sensor.means(device) for sensor in named)
        ]

    def sensor_of(self, device: Device) -> Sensor:
        """Return what reads all channels of a device that was found."""
        find = partial(FINDERS[device.kind], self._sys_root)
        name = device.place or device.name
        return KernelSensor(device.kind, find, Wanted(name, None), self.auto_ms or _MAX_MS)


def discover(sys_root: Path) -> list[Device]:
    """Return the sensors that drivers of the kernel read now."""
    return [device for find in FINDERS.values() for device in find(sys_root)]


def plan(
    entries: Sequence[Mapping[str, Any]], *, drivers: Path, sys_root: Path, dev_root: Path, interval_ms: int
) -> Plan:
    """Return what reads `entries`. Raises ConfigError that names the entry, the key and the remedy.

    `drivers` is the folder of the boards' driver files, `interval_ms` what holds for entries that say none.
    """
    if not entries:
        return Plan((), None, sys_root)
    maker = _Maker(BoardDrivers(drivers), PiHardware(sys_root, dev_root), sys_root, interval_ms)
    sensors: list[Sensor] = []
    auto_ms: int | None = None
    names: set[str] = set()
    for index, entry in enumerate(entries):
        try:
            if entry["driver"] == AUTO:
                _check(entry, _EVERY, _EVERY)
                auto_ms = maker.interval(entry)
                continue
            sensor = maker.make(entry)
            _claim(sensor, names)
            sensors.append(sensor)
        except ValueError as error:
            raise ConfigError(f"`sensor[{index}]`: {error}") from error
    return Plan(sensors, auto_ms, sys_root)


def _claim(sensor: Sensor, names: set[str]) -> None:
    wanted = [metric.name for metric in sensor.metrics] + [command.name for command in sensor.commands]
    for name in wanted:
        if not _NAME.fullmatch(name):
            raise ValueError(f"the name {name!r} must be 1 to 64 of a-z 0-9 _ - .")
        if name in names:
            raise ValueError(f"the name {name} is there twice; say another `name` or `prefix`")
        names.add(name)


class _Maker:
    """Makes what reads an entry. Each call raises ValueError."""

    def __init__(self, drivers: BoardDrivers, hardware: PiHardware, sys_root: Path, interval_ms: int) -> None:
        self._drivers = drivers
        self._hardware = hardware
        self._sys_root = sys_root
        self._interval_ms = interval_ms

    def make(self, entry: Mapping[str, Any]) -> Sensor:
        """Return what reads an entry."""
        name = entry["driver"]
        if name in FINDERS:
            return self._kernel(name, entry)
        if name == "ds18b20":
            return self._ds18b20(entry)
        options = self._drivers.check(dict(entry))
        if options is None:
            known = [AUTO, *FINDERS, *self._drivers.names()]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(known))}"
            raise ValueError(f"there is no driver {name!r}{hint}")
        try:
            if name == "digital_in":
                return EdgeInput(options, self._hardware, self.interval(options))
            driver = self._drivers.make(options, self._hardware)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name}: {error}") from error
        return BoardSensor(driver, self._hardware, self.interval(options))

    def interval(self, entry: Mapping[str, Any]) -> int:
        """Return how often an entry is read."""
        interval_ms: int = entry.get("interval_ms", self._interval_ms)
        return interval_ms

    def _kernel(self, kind: str, entry: Mapping[str, Any]) -> Sensor:
        _check(entry, _OF_THE_KERNEL, _OF_THE_KERNEL)
        if "channel" not in entry:
            for key in _ONE_CHANNEL:
                if key in entry:
                    raise ValueError(f"{kind}: `{key}` is for one channel: say `channel`, too")
        said = {key: value for key, value in entry.items() if key in Wanted._fields and key != "device"}
        wanted = Wanted(entry.get("device"), said.pop("channel", None), **said)
        quantity = None
        if wanted.channel is not None:
            quantity = _QUANTITIES[kind](wanted.channel)
            if quantity is None:
                raise ValueError(
                    f"{kind}: there is no channel {wanted.channel!r}; `outpost doctor` lists what is there"
                )
        find = partial(FINDERS[kind], self._sys_root)
        return KernelSensor(kind, find, wanted, self.interval(entry), quantity)

    def _ds18b20(self, entry: Mapping[str, Any]) -> Sensor:
        """Return what reads a board's entry by the kernel, whose overlay has the pin (dtoverlay=w1-gpio)."""
        _check(entry, _OF_DS18B20, _OF_DS18B20)
        named = self._drivers.metric(dict(entry), "temperature", "°C", 2, "Temperature")
        wanted = Wanted(
            w1.device_of(entry["rom"]) if "rom" in entry else None,
            "temperature",
            name=named["name"],
            title=named["title"],
        )
        find = partial(_thermometers, self._sys_root)
        return KernelSensor("w1", find, wanted, self.interval(entry), w1.TEMPERATURE)


def _thermometers(sys_root: Path) -> list[Device]:
    return [device for device in w1.find(sys_root) if device.id.startswith(f"{w1.DS18B20}-")]


def _check(
    entry: Mapping[str, Any], rules: Mapping[str, type | tuple[type, ...]], known: Mapping[str, Any]
) -> None:
    """Hold an entry against the keys and types of `rules`. Raises ValueError."""
    for key, value in entry.items():
        rule = rules.get(key)
        if rule is None:
            raise ValueError(
                f"{entry['driver']}: there is no option {key!r}; there are {', '.join(sorted(known))}"
            )
        if not isinstance(value, rule) or isinstance(value, bool):
            what = f"{entry['driver']}: {key} must be {_WORDS[rule]}, not {value!r}"
            raise ValueError(what)  # noqa: TRY004 - one error for all that an entry may have wrong
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{entry['driver']}: {key} must be a number, not {value}")
        if isinstance(value, str) and not 1 <= len(value) <= _LONGEST.get(key, 64):
            raise ValueError(f"{entry['driver']}: {key} must be 1 to {_LONGEST.get(key, 64)} characters")
    for key, low, high in (("interval_ms", _MIN_MS, _MAX_MS), ("decimals", 0, 9)):
        if key in entry and not low <= entry[key] <= high:
            raise ValueError(f"{entry['driver']}: {key} must be {low} to {high}, not {entry[key]}")
