"""What is on the Pi's own pins and buses: a board's driver file, or an input that the kernel watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.links.pins.sensor import Taken
from hub.model import CommandType, Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firmware.drivers.contract import Driver
    from hub.links.pins.gpio import Edge, Line
    from hub.links.pins.hardware import Input, Part, PiHardware
    from hub.model import Value


class BoardSensor:
    """A driver of the boards, on the Pi's pins and buses."""

    def __init__(self, driver: Driver, hardware: PiHardware, interval_ms: int) -> None:
        self.lane, self._parts, self._inputs = hardware.take()
        driver_: Any = driver
        self._driver = driver_
        self._hardware = hardware
        self._counted: dict[int, int] = {}
        self._batch = hasattr(driver, "read_batch")
        every_ms = driver_.interval_ms if self._batch else interval_ms
        self.poll_ms: int = driver_.batch_ms if self._batch else interval_ms
        self.metrics = tuple(_metric(entry, every_ms) for entry in driver.metrics)
        self.commands = tuple(CommandType(**entry) for entry in getattr(driver, "commands", ()))

    @property
    def descriptor(self) -> int | None:
        """The descriptor of the pin whose edges the driver counts."""
        return next((made.line.descriptor for made in self._inputs), None)

    def begin(self) -> int:
        """Open what is not open, and start a measurement."""
        for part in self._parts:
            part.ensure()
        return self._driver.begin()  # type: ignore[no-any-return]  # contract.pyi says int

    def read(self, now_ms: float) -> Sequence[Taken]:
        """Return one reading, or a batch of them."""
        if not self._batch:
            return (Taken(now_ms, self._scaled(self._driver.read())),)
        batch = self._driver.read_batch(round(now_ms))
        return tuple(Taken(at_ms, self._scaled(values)) for at_ms, values in batch)

    def edges(self) -> Sequence[Taken]:
        """Tell the driver of each edge at its own time; what the kernel had no room for counts, too."""
        for index, made in enumerate(self._inputs):
            for edge in made.line.edges():
                missed = edge.number - self._counted.get(index, 0) - 1
                self._counted[index] = edge.number
                for _ in range(1 + max(0, missed)):
                    self._tell(made, edge)
        return ()

    def run(self, name: str, params: Mapping[str, Any]) -> Any:
        """Do a command of the driver."""
        for part in self._parts:
            part.ensure()
        return self._driver.run(name, dict(params))

    def close(self) -> None:
        """Close pins and buses."""
        self._counted.clear()
        _close(self._parts)

    def _tell(self, made: Input, edge: Edge) -> None:
        if made.call is None:
            return
        self._hardware.edge_ms = edge.at_ms
        try:
            made.call(made)
        finally:
            self._hardware.edge_ms = None

    def _scaled(self, values: Sequence[int | None]) -> tuple[Value, ...]:
        return tuple(_value(one, raw) for one, raw in zip(self.metrics, values, strict=True))


class EdgeInput:
    """A digital input: each change at the time that the kernel saw it, and the level once each interval."""

    def __init__(self, options: Mapping[str, Any], hardware: PiHardware, interval_ms: int) -> None:
        self._line: Line = hardware.both_edges(options["pin"], options["pull"], options["debounce_ms"])
        self.lane, self._parts, _ = hardware.take()
        self._invert: bool = options["invert"]
        self.poll_ms = interval_ms
        name = options.get("name", "input")
        self.metrics: tuple[Metric, ...] = (
            Metric(name=name, kind=Kind.BOOLEAN, title=options.get("title", ""), interval_ms=interval_ms),
        )
        self.commands: tuple[CommandType, ...] = ()

    @property
    def descriptor(self) -> int | None:
        """The line's descriptor."""
        return self._line.descriptor

    def begin(self) -> int:
        """Request the line where it is not."""
        self._line.ensure()
        return 0

    def read(self, now_ms: float) -> Sequence[Taken]:
        """Return the level now."""
        return (self._taken(now_ms, self._line.level() == 1),)

    def edges(self) -> Sequence[Taken]:
        """Return the changes."""
        return tuple(self._taken(edge.at_ms, edge.rising) for edge in self._line.edges())

    def run(self, name: str, params: Mapping[str, Any]) -> Any:
        """Raise ValueError: an input takes no commands."""
        raise ValueError(f"there is no command {name!r}")

    def close(self) -> None:
        """Give the line back."""
        _close(self._parts)

    def _taken(self, at_ms: float, level: bool) -> Taken:
        return Taken(at_ms, (level != self._invert,))


def _metric(entry: Mapping[str, Any], interval_ms: int) -> Metric:
    number = entry.get("kind", "number") == "number"
    return Metric(
        name=entry["name"],
        title=entry.get("title", ""),
        unit=entry.get("unit", ""),
        kind=Kind(entry.get("kind", "number")),
        decimals=entry.get("decimals", 0) if number else None,
        interval_ms=interval_ms,
    )


def _value(one: Metric, raw: int | None) -> Value:
    if raw is None:
        return None
    if one.kind is Kind.BOOLEAN:
        return raw != 0
    return raw / 10**one.decimals if one.decimals else raw


def _close(parts: Sequence[Part]) -> None:
    for part in parts:
        part.close()
