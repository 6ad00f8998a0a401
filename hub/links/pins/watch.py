"""The Pi's sensors at work: each in its own rhythm, its blocking calls in the lane of its bus."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from hub.links.link import NoAnswer, Refused
from hub.links.pins.lane import Lane
from hub.model import LogLine, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.links.link import Sink
    from hub.links.pins.kernel import Device
    from hub.links.pins.plan import Plan
    from hub.links.pins.sensor import Sensor, Taken
    from hub.model import Command, CommandType, LinkEvent, Metric, Value

log = logging.getLogger(__name__)

SCAN_S = 10.0
"""How often `auto` looks for what was plugged in."""


class PiSensors:
    """What `plan` names, as readings and commands of the device `device`.

    `now_ms` is the wall clock, `monotonic_s` CLOCK_MONOTONIC, by which the kernel stamps edges. `born` is
    called whenever `metrics` have grown.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        device: str,
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float] = time.monotonic,
        scan_s: float = SCAN_S,
    ) -> None:
        self._plan = plan
        self._device = device
        self._now_ms = now_ms
        self._monotonic_s = monotonic_s
        self._scan_s = scan_s
        self._lanes: dict[str, Lane] = {}
        self._sensors: list[Sensor] = []
        self._silent: set[int] = set()
        self._taken: set[str] = set()
        self._metrics: dict[int, tuple[Metric, ...]] = {}
        self._unsaid: list[LogLine] = []
        self._sink: Sink = self._later
        self._born: Callable[[], None] = _nothing
        self._group = asyncio.TaskGroup()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of all sensors, as far as they are known."""
        return tuple(metric for found in self._metrics.values() for metric in found)

    @property
    def commands(self) -> tuple[CommandType, ...]:
        """The commands of all outputs."""
        return tuple(command for sensor in self._plan.sensors for command in sensor.commands)

    def prepare(self, taken: Sequence[Metric]) -> None:
        """Take up what the configuration names; `taken` are the device's other metrics."""
        self._taken = {metric.name for metric in taken}
        self._metrics.clear()
        self._sensors = list(self._plan.sensors)
        for sensor in self._sensors:
            self._admit(sensor)

    async def run(self, sink: Sink, born: Callable[[], None]) -> None:
        """Yield readings and words until cancelled. `prepare` comes before."""
        self._sink, self._born = sink, born
        for line in self._unsaid:
            sink(line)
        self._unsaid.clear()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as self._group:
                for sensor in self._sensors:
                    self._group.create_task(self._keep(sensor))
                if self._plan.auto_ms is not None:
                    self._group.create_task(self._look())
        finally:
            for sensor in self._sensors:
                if sensor.descriptor is not None:
                    loop.remove_reader(sensor.descriptor)
            for name, lane in self._lanes.items():
                lane.end([sensor.close for sensor in self._sensors if sensor.lane == name])
            self._lanes.clear()

    async def send(self, command: Command) -> Any:
        """Do a command and tell what became of the output. Raises Refused, NoAnswer."""
        for sensor in self._sensors:
            if any(known.name == command.command for known in sensor.commands):
                break
        else:
            raise Refused(f"{command.device} is the hub's own host; it has no command {command.command!r}")
        try:
            async with asyncio.timeout(command.ttl_ms / 1000):
                lane = self._lane(sensor)
                result = await lane.call(partial(sensor.run, command.command, command.params))
                self._tell(sensor, await lane.call(partial(sensor.read, self._monotonic_s() * 1000)))
        except TimeoutError as error:
            raise NoAnswer(f"{command.command} was not done within {command.ttl_ms} ms") from error
        except (OSError, ValueError) as error:
            raise Refused(_words(error)) from error
        return result

    # --- one sensor ---

    async def _keep(self, sensor: Sensor) -> None:
        """Read a sensor in its rhythm, for ever: whatever it does costs no other anything."""
        due_s = self._monotonic_s()
        while True:
            try:
                await self._once(sensor)
                self._well(sensor)
            except Exception as error:  # a driver's own defect is as any other fault
                self._fault(sensor, error)
                await self._unfollow(sensor)
            due_s = max(due_s + sensor.poll_ms / 1000, self._monotonic_s())
            await asyncio.sleep(due_s - self._monotonic_s())

    async def _once(self, sensor: Sensor) -> None:
        lane = self._lane(sensor)
        wait_ms = await lane.call(sensor.begin)
        self._admit(sensor)
        self._follow_edges(sensor)
        if wait_ms:
            await asyncio.sleep(wait_ms / 1000)
        self._tell(sensor, await lane.call(partial(sensor.read, self._monotonic_s() * 1000)))

    def _lane(self, sensor: Sensor) -> Lane:
        lane = self._lanes.get(sensor.lane)
        if lane is None:
            lane = self._lanes[sensor.lane] = Lane(sensor.lane)
        return lane

    def _tell(self, sensor: Sensor, taken: Sequence[Taken]) -> None:
        known = self._metrics.get(id(sensor), ())
        if not known:
            return
        now_ms, mono_ms = self._now_ms(), self._monotonic_s() * 1000
        for one in taken:
            self._put(known, one.values, now_ms - round(mono_ms - one.at_ms), now_ms)

    def _put(self, known: Sequence[Metric], values: tuple[Value, ...], at_ms: int, now_ms: int) -> None:
        self._sink(
            Reading(
                device=self._device,
                metrics=tuple(metric.name for metric in known),
                values=values,
                source_time_ms=at_ms,
                hub_time_ms=now_ms,
            )
        )

    def _admit(self, sensor: Sensor) -> None:
        """Take up a sensor's metrics once they are known, unless one of their names is taken."""
        if id(sensor) in self._metrics or not sensor.metrics:
            return
        names = {metric.name for metric in sensor.metrics}
        if clash := names & self._taken:
            self._metrics[id(sensor)] = ()
            self._say(
                f"{sensor.lane} is left out: the name {min(clash)} is taken; say `name` or `prefix`",
                "warning",
            )
            return
        self._taken |= names
        self._metrics[id(sensor)] = sensor.metrics
        self._born()

    def _well(self, sensor: Sensor) -> None:
        if id(sensor) in self._silent:
            self._silent.discard(id(sensor))
            self._say(f"{self._name(sensor)} answers again", "info")

    def _fault(self, sensor: Sensor, error: Exception) -> None:
        if id(sensor) not in self._silent:
            self._silent.add(id(sensor))
            if not isinstance(error, OSError | ValueError):
                log.error("%s: a driver broke", self._name(sensor), exc_info=error)
            self._say(f"{self._name(sensor)} does not answer: {_words(error)}", "warning")
        known = self._metrics.get(id(sensor), ())
        if known:
            now_ms = self._now_ms()
            self._put(known, (None,) * len(known), now_ms, now_ms)

    def _later(self, event: LinkEvent) -> None:
        """Keep what is said before the birth: nobody would know whose words they are."""
        if isinstance(event, LogLine):
            self._unsaid.append(event)

    def _name(self, sensor: Sensor) -> str:
        return sensor.metrics[0].name if sensor.metrics else sensor.lane

    def _say(self, text: str, level: str) -> None:
        self._sink(LogLine(self._device, self._now_ms(), text, level))

    # --- edges ---

    def _follow_edges(self, sensor: Sensor) -> None:
        descriptor = sensor.descriptor
        if descriptor is None:
            return
        loop = asyncio.get_running_loop()
        # Also where it is followed already: the line may have been requested anew, under the same number.
        loop.add_reader(descriptor, self._on_edge, sensor, descriptor)

    def _on_edge(self, sensor: Sensor, descriptor: int) -> None:
        # Reading is the lane's; until it is done the descriptor stays readable, and must not call again.
        asyncio.get_running_loop().remove_reader(descriptor)
        self._group.create_task(self._take_edges(sensor))

    async def _take_edges(self, sensor: Sensor) -> None:
        try:
            self._tell(sensor, await self._lane(sensor).call(sensor.edges))
        except Exception as error:  # as in _keep, which will try again
            self._fault(sensor, error)
            return
        self._follow_edges(sensor)

    async def _unfollow(self, sensor: Sensor) -> None:
        """Let go of a line that failed, its descriptor first: the number may soon be another file's."""
        descriptor = sensor.descriptor
        if descriptor is None:
            return
        asyncio.get_running_loop().remove_reader(descriptor)
        with contextlib.suppress(OSError):
            await self._lane(sensor).call(sensor.close)

    # --- what comes and goes ---

    async def _look(self) -> None:
        """Find what drivers of the kernel read: now, and whatever is plugged in later."""
        lane = Lane("sysfs")
        known: set[tuple[str, str]] = set()
        try:
            while True:
                try:
                    for device in await lane.call(self._plan.found):
                        self._start(device, known)
                except OSError as error:
                    log.warning("sysfs cannot be looked through: %s", error)
                await asyncio.sleep(self._scan_s)
        finally:
            lane.end(())

    def _start(self, device: Device, known: set[tuple[str, str]]) -> None:
        key = (device.kind, device.place or device.name)
        if key not in known:
            known.add(key)
            sensor = self._plan.sensor_of(device)
            self._sensors.append(sensor)
            self._group.create_task(self._keep(sensor))


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or type(error).__name__


def _nothing() -> None:
    """Do nothing."""
