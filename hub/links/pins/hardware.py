"""The Pi's pins and buses as the boards' drivers ask for them (firmware/drivers/contract.pyi).

Nothing is opened here: each part opens itself at its first use, in the thread of its lane, and again after it
was gone. So the birth is whole before a chip answers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from hub.links.pins.gpio import Line, driving, reading
from hub.links.pins.i2c import I2cBus
from hub.links.pins.pwm import PulseOutput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firmware.drivers.contract import Analog, Humid, Wire


class Part(Protocol):
    """A pin or a bus. Both calls block."""

    def ensure(self) -> None:
        """Open it where it is not open. Raises OSError."""

    def close(self) -> None:
        """Close it; it may be opened again."""


class Input:
    """A digital input; a line whose edges `call` is told of, where there is one."""

    def __init__(self, line: Line, call: Callable[[Any], None] | None = None) -> None:
        self.line = line
        self.call = call

    def value(self) -> int:
        """Return its level, 0 or 1."""
        return self.line.level()


class Output:
    """A digital output."""

    def __init__(self, level: int) -> None:
        self.line: Line | None = None
        self._level = level

    def value(self, level: int, /) -> None:
        """Set its level, 0 or 1."""
        self._level = level
        if self.line is not None:
            self.line.set(level)

    def settings(self, gpiod: Any) -> Any:
        """Return the settings of its request: an output whose chip was gone comes back as it was last set."""
        return driving(self._level)(gpiod)


class PiHardware:
    """Gives each pin to one driver, and each I2C bus to all that name it.

    `take` returns what the driver that was made last asked for, and forgets it.
    """

    def __init__(
        self, sys_root: Path, dev_root: Path, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._sys_root = sys_root
        self._dev_root = dev_root
        self._monotonic_s = monotonic_s
        self._taken: dict[str, str] = {}
        self._buses: dict[int, I2cBus] = {}
        self._parts: list[Part] = []
        self._lane = ""
        self.inputs: list[Input] = []
        self.edge_ms: float | None = None
        """The time of the edge that a driver is being told of: its "now"."""

    def take(self) -> tuple[str, list[Part], list[Input]]:
        """Return the lane, the parts and the watched inputs of the driver that was just made."""
        taken = (self._lane, self._parts, self.inputs)
        self._lane, self._parts, self.inputs = "", [], []
        return taken

    def i2c(self, number: int, sda: int | str, scl: int | str, freq: int) -> I2cBus:
        """Return a bus; the kernel has its pins and its speed (dtparam=i2c_arm_baudrate)."""
        bus = self._buses.get(number)
        if bus is None:
            bus = self._buses[number] = I2cBus(number, sys_root=self._sys_root, dev_root=self._dev_root)
        self._add(f"i2c-{number}", bus)
        return bus

    def input(self, pin: int | str, pull: str) -> Input:
        """Return a digital input."""
        return Input(self._line(pin, "an input", reading(pull)))

    def edges(self, pin: int | str, pull: str, rising: bool, call: Callable[[Any], None]) -> Input:
        """Return a digital input of which each edge calls `call`."""
        made = Input(self._line(pin, "a counter", reading(pull, rising=rising), watched=True), call)
        self.inputs.append(made)
        return made

    def both_edges(self, pin: int | str, pull: str, debounce_ms: int) -> Line:
        """Return an input that the kernel debounces, and of which it tells every change."""
        settings = reading(pull, debounce_ms=debounce_ms, both=True)
        return self._line(pin, "an input", settings, watched=True)

    def output(self, pin: int | str, level: int) -> Output:
        """Return a digital output that starts at `level`."""
        made = Output(level)
        made.line = self._line(pin, "an output", made.settings)
        return made

    def pulse(self, pin: int | str, freq: int, duty: int) -> PulseOutput:
        """Return a pulse-width output. Raises ValueError."""
        self._claim(pin, "a pulse-width output")
        output = PulseOutput(pin, freq, duty, self._sys_root)
        self._add(f"pwm {pin}", output)
        return output

    def analog(self, pin: int | str) -> Analog:
        """Raise ValueError: the Pi has none."""
        raise ValueError("the Pi has no analog inputs")

    def one_wire(self, pin: int | str) -> Wire:
        """Raise ValueError: the bus is the kernel's."""
        raise ValueError("1-Wire is the kernel's on the Pi")

    def dht22(self, pin: int | str) -> Humid:
        """Raise ValueError: the sensor is the kernel's."""
        raise ValueError("the DHT22 is the kernel's on the Pi")

    def ticks_ms(self) -> int:
        """Return a time for `since_ms`: the edge's while a driver is told of one."""
        return round(self._monotonic_s() * 1000 if self.edge_ms is None else self.edge_ms)

    def since_ms(self, ticks: Any) -> int:
        """Return how long ago `ticks` was."""
        return self.ticks_ms() - int(ticks)

    def _line(
        self, pin: int | str, use: str, settings: Callable[[Any], Any], *, watched: bool = False
    ) -> Line:
        self._claim(pin, use)
        line = Line(pin, self._dev_root, settings, watched=watched)
        self._add(f"pin {pin}", line)
        return line

    def _add(self, lane: str, part: Part) -> None:
        self._lane = lane
        self._parts.append(part)

    def _claim(self, pin: int | str, use: str) -> None:
        # GPIO17 is what its number 17 is, and the other way round.
        name = str(pin).removeprefix("GPIO")
        before = self._taken.get(name)
        if before is not None:
            raise ValueError(
                f"pin {pin} is taken: it is {before}" if before != use else f"pin {pin} is taken twice"
            )
        self._taken[name] = use
