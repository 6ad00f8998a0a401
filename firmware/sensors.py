"""The board's sensors in groups: those of one interval are read together and share a reading."""

import asyncio
import gc

import drivers
import settings
from drivers.internal import NAMES
from wire.message import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from drivers.contract import Driver
    from drivers.contract import Hardware as HardwareLike

MAX_METRICS = 10
"""Of a group: so many of the largest numbers fit one frame."""

_TAKEN = ("set_interval",)
"""Commands of the board itself that the name of an output could hit."""


class Group:
    """Sensors that are read at one moment."""

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self.changed = False
        """Whether the interval was set since the start."""
        self.metrics: list[dict[str, Any]] = []
        self.lock = asyncio.Lock()
        """Held from `begin` to `read`: a second `begin` would spoil the first's measurement."""
        self.latest: list[int | None] = []
        """The values of the newest reading."""
        self._sensors: list[Driver] = []
        self._silent: list[Driver] = []

    @property
    def poll_ms(self) -> int:
        """How often the sensors are asked: once for each reading."""
        return self.interval_ms

    def set_interval(self, interval_ms: int) -> None:
        """Change the interval. Raises ValueError where a sensor cannot."""
        for sensor in self._sensors:
            least = getattr(sensor, "min_interval_ms", 0)
            if interval_ms < least:
                raise ValueError("{} can be read each {} ms at most".format(sensor.metrics[0]["name"], least))
        self.interval_ms = interval_ms
        self.changed = True

    def add(self, sensor: "Driver") -> None:
        """Put a sensor into the group."""
        self._sensors.append(sensor)
        self.metrics.extend(sensor.metrics)
        self.latest.extend([None] * len(sensor.metrics))

    def begin(self) -> int:
        """Start the measurements; return the ms until all can be read."""
        wait = 0
        for sensor in self._sensors:
            try:
                wait = max(wait, sensor.begin())
            except MemoryError:
                raise
            except Exception as error:
                self._fault(sensor, error)
        return wait

    def readings(self, now_ms: int) -> "list[tuple[int, list[int | None]]]":
        """Return what there is to send: (when, values), here one reading of now."""
        self.latest = self.read()
        return [(now_ms, self.latest)]

    def read(self) -> "list[int | None]":
        """Return the values of all metrics in order; None for those of a sensor that does not answer."""
        values: list[int | None] = []
        for sensor in self._sensors:
            try:
                values.extend(sensor.read())
                self._well(sensor)
            except MemoryError:
                raise
            except Exception as error:
                self._fault(sensor, error)
                values.extend([None] * len(sensor.metrics))
        return values

    def _well(self, sensor: "Driver") -> None:
        if sensor in self._silent:
            self._silent.remove(sensor)
            print(sensor.metrics[0]["name"], "answers again")

    def _fault(self, sensor: "Driver", error: Exception) -> None:
        # Said once, not with each reading. What is no OSError is the driver's own fault; it stops no other.
        if sensor not in self._silent:
            self._silent.append(sensor)
            what = error if isinstance(error, OSError) else repr(error)
            print(sensor.metrics[0]["name"], "does not answer:", what)


class BatchGroup(Group):
    """One sensor that takes samples on its own, many between two looks at it: a driver with `read_batch`."""

    def __init__(self, sensor: "Any") -> None:
        super().__init__(sensor.interval_ms)
        self._batch = sensor
        self.add(sensor)

    @property
    def poll_ms(self) -> int:
        """How often a batch is fetched."""
        batch_ms: int = self._batch.batch_ms
        return batch_ms

    def set_interval(self, interval_ms: int) -> None:
        """Refuse. Raises ValueError: the rate is the chip's own."""
        raise ValueError("the rate of {} is set in board.json".format(self.metrics[0]["name"]))

    def readings(self, now_ms: int) -> "list[tuple[int, list[int | None]]]":
        """Return the batch; one reading of nulls where the sensor does not answer."""
        try:
            batch: list[tuple[int, list[int | None]]] = self._batch.read_batch(now_ms)
        except MemoryError:
            raise
        except Exception as error:
            self._fault(self._batch, error)
            batch = [(now_ms, [None] * len(self.metrics))]
        else:
            self._well(self._batch)
        if batch:
            self.latest = batch[-1][1]
        return batch


class Sensors:
    """All groups of the board, in the order of their index on the wire."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.placed: list[tuple[int, Group]] = []
        """Where the entries of `board.json` are: index, group."""
        self._outputs: list[Any] = []

    def add(self, sensor: "Driver", interval_ms: int) -> Group:
        """Put a sensor into a group of its interval. Raises ValueError where a metric's name is taken."""
        for entry in sensor.metrics:
            _check(entry)
            if self.group_of(entry["name"]) is not None:
                raise ValueError("the name {} is there twice".format(entry["name"]))
        if hasattr(sensor, "commands"):
            self._add_output(sensor)
        if hasattr(sensor, "read_batch"):
            self.groups.append(BatchGroup(sensor))
            return self.groups[-1]
        for group in self.groups:
            room = MAX_METRICS - len(group.metrics) - len(sensor.metrics)
            if not isinstance(group, BatchGroup) and group.interval_ms == interval_ms and room >= 0:
                group.add(sensor)
                return group
        group = Group(interval_ms)
        group.add(sensor)
        self.groups.append(group)
        return group

    def add_configured(self, config: "settings.Settings", feed: "Callable[[], None] | None" = None) -> str:
        """Add the sensors of `board.json`; one that cannot be had is reported on the console and left out.

        Return what was said of the last of those. `feed` is called before each.
        """
        said = ""
        if not config.sensors:
            return said
        from hardware import Hardware  # noqa: PLC0415 - what a bare board does without

        hardware = Hardware()
        for index, data in enumerate(config.sensors):
            gc.collect()  # compiling a driver wants room in one piece
            if feed is not None:
                feed()
            words = self.add_entry(index, data, hardware, config.interval_ms)
            if words:
                said = f"sensors[{index}] is left out: {words}"
                print("board.json:", said)
        return said

    def add_entry(
        self, index: int, data: "dict[str, Any]", hardware: "HardwareLike", interval_ms: int
    ) -> str:
        """Add one entry of `sensors`; return why it cannot be had, or nothing."""
        try:
            driver = drivers.make(data, hardware)
        except (ValueError, OSError, MemoryError) as error:
            return str(error) or "there is no memory for it"
        try:
            interval_ms = settings.interval(data, interval_ms)
            _leave_own(driver.metrics)
            group = self.add(driver, max(interval_ms, getattr(driver, "min_interval_ms", 0)))
            self.placed.append((index, group))
        except ValueError as error:
            return "{}: {}".format(data["driver"], error)
        return ""

    def commands(self) -> "list[dict[str, Any]]":
        """Return the commands that drivers brought, for the birth."""
        return [entry for output in self._outputs for entry in output.commands]

    def run(self, name: str, params: "dict[str, Any]") -> "Any":
        """Do a driver's command, its parameters checked, and return its result. Raises ValueError."""
        for output in self._outputs:
            for entry in output.commands:
                if entry["name"] == name:
                    return output.run(name, params)
        raise ValueError(f"there is no command {name!r}")

    def _add_output(self, output: "Any") -> None:
        names = [entry["name"] for entry in self.commands()]
        for entry in output.commands:
            if entry["name"] in names or entry["name"] in _TAKEN:
                raise ValueError("the command {} is there twice".format(entry["name"]))
            if not is_id(entry["name"]):
                raise ValueError("the command's name {} is too long".format(entry["name"]))
        self._outputs.append(output)

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


def _leave_own(metrics: "list[dict[str, Any]]") -> None:
    for entry in metrics:
        if entry["name"] in NAMES:
            raise ValueError("the name {} is the board's own".format(entry["name"]))


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
