"""The board's sensors in groups: those of one interval are read together and share a reading."""

import asyncio

import drivers
import settings
from wire.message import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_METRICS = 10
"""Of a group: so many of the largest numbers fit one frame."""


class Group:
    """Sensors that are read at one moment."""

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self.metrics: list[dict[str, Any]] = []
        self.lock = asyncio.Lock()
        """Held from `begin` to `read`: a second `begin` would spoil the first's measurement."""
        self._sensors: list[drivers.Driver] = []
        self._silent: list[drivers.Driver] = []

    def add(self, sensor: "drivers.Driver") -> None:
        """Put a sensor into the group."""
        self._sensors.append(sensor)
        self.metrics.extend(sensor.metrics)

    def begin(self) -> int:
        """Start the measurements; return the ms until all can be read."""
        wait = 0
        for sensor in self._sensors:
            try:
                wait = max(wait, sensor.begin())
            except OSError as error:
                self._fault(sensor, error)
        return wait

    def read(self) -> "list[int | None]":
        """Return the values of all metrics in order; None for those of a sensor that does not answer."""
        values: list[int | None] = []
        for sensor in self._sensors:
            try:
                values.extend(sensor.read())
                if sensor in self._silent:
                    self._silent.remove(sensor)
                    print(sensor.metrics[0]["name"], "answers again")
            except OSError as error:
                self._fault(sensor, error)
                values.extend([None] * len(sensor.metrics))
        return values

    def _fault(self, sensor: "drivers.Driver", error: OSError) -> None:
        if sensor not in self._silent:  # said once, not with each reading
            self._silent.append(sensor)
            print(sensor.metrics[0]["name"], "does not answer:", error)


class Sensors:
    """All groups of the board, in the order of their index on the wire."""

    def __init__(self) -> None:
        self.groups: list[Group] = []

    def add(self, sensor: "drivers.Driver", interval_ms: int) -> None:
        """Put a sensor into a group of its interval. Raises ValueError where a metric's name is taken."""
        for entry in sensor.metrics:
            _check(entry)
            if self.group_of(entry["name"]) is not None:
                raise ValueError("the name {} is there twice".format(entry["name"]))
        for group in self.groups:
            room = MAX_METRICS - len(group.metrics) - len(sensor.metrics)
            if group.interval_ms == interval_ms and room >= 0:
                group.add(sensor)
                return
        group = Group(interval_ms)
        group.add(sensor)
        self.groups.append(group)

    def add_configured(self, config: "settings.Settings") -> None:
        """Add the sensors of `board.json`; one that cannot be had is reported on the console and left out."""
        for data in config.sensors:
            try:
                self.add(drivers.make(data), settings.interval(data, config.interval_ms))
            except (KeyError, ValueError, TypeError, OSError) as error:
                print("board.json: sensor", data, "is left out:", repr(error))

    def group_of(self, name: str) -> "Group | None":
        """Return the group that a metric is in."""
        for group in self.groups:
            for entry in group.metrics:
                if entry["name"] == name:
                    return group
        return None

    def names(self) -> "list[str]":
        """Return the names of all metrics."""
        return [entry["name"] for group in self.groups for entry in group.metrics]


def _check(entry: "dict[str, Any]") -> None:
    """Hold a metric against the birth's limits, since the hub refuses a whole birth for one of them."""
    if not is_id(entry["name"]):
        raise ValueError("a name must be 1 to 64 of a-z 0-9 _ - .")
    for key, most in (("unit", 16), ("title", 64)):
        text = entry.get(key, "")
        if not isinstance(text, str) or len(text) > most:
            raise ValueError(f"{key} must be a text of at most {most} characters")
    if entry.get("decimals", 0) not in range(10):
        raise ValueError("decimals must be 0 to 9")
