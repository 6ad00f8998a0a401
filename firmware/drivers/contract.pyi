"""What drivers and boards ask of each other. For the type checker alone: no board loads it."""

from collections.abc import Callable
from typing import Any, Protocol

class Driver(Protocol):
    """What a driver's `make` returns.

    `begin` and `read` may raise OSError where the sensor does not answer: its values are then None. A
    driver may also have `read_batch` and its intervals (mpu6050.py), `min_interval_ms` (dht22.py),
    `commands` and `run` (digital_out.py).
    """

    metrics: list[dict[str, Any]]
    """The entries of the birth, in order."""

    def begin(self) -> int:
        """Start a measurement; return the ms until it can be read."""

    def read(self) -> list[int | None]:
        """Return a value for each metric: an int scaled by the metric's decimals, or None."""

class Bus(Protocol):
    """The calls of machine.I2C that drivers make. Each raises OSError where the chip does not answer."""

    def writeto(self, addr: int, buf: bytes, /) -> int:
        """Write bytes."""

    def readfrom_into(self, addr: int, buf: bytearray, /) -> None:
        """Read as many bytes as the buffer takes."""

    def writeto_mem(self, addr: int, memaddr: int, buf: bytes, /) -> None:
        """Write a register number, then bytes."""

    def readfrom_mem_into(self, addr: int, memaddr: int, buf: bytearray, /) -> None:
        """Write a register number, then read."""

class Input(Protocol):
    """A digital input."""

    def value(self) -> int:
        """Return its level, 0 or 1."""

class Output(Protocol):
    """A digital output."""

    def value(self, level: int, /) -> None:
        """Set its level, 0 or 1."""

class Analog(Protocol):
    """An analog input."""

    def read_u16(self) -> int:
        """Return 0 to 65535."""

class Pulse(Protocol):
    """A pulse-width output."""

    def duty_u16(self, duty: int, /) -> None:
        """Set the share of each period that it is high, 0 to 65535."""

class Wire(Protocol):
    """The calls of onewire.OneWire that drivers make."""

    def reset(self) -> bool:
        """Send a reset pulse; return whether a device is there."""

    def write(self, buf: bytes, /) -> None:
        """Write bytes."""

    def readinto(self, buf: bytearray, /) -> None:
        """Read as many bytes as the buffer takes."""

    def scan(self) -> list[bytearray]:
        """Return the ROM codes of the devices."""

class Humid(Protocol):
    """The calls of dht.DHT22 that drivers make."""

    buf: bytearray

    def measure(self) -> None:
        """Read a frame of 5 bytes into `buf`. Raises OSError, and Exception where the sum is wrong."""

class Hardware(Protocol):
    """A board's pins and buses. Each call raises ValueError where the pin cannot do it or is taken."""

    def i2c(self, number: int, sda: int | str, scl: int | str, freq: int) -> Bus:
        """Return a bus; the same one to all who name it with the same pins."""

    def input(self, pin: int | str, pull: str) -> Input:
        """Return a digital input; `pull` is up, down or none."""

    def edges(self, pin: int | str, pull: str, rising: bool, call: Callable[[Any], None]) -> Input:
        """Return a digital input of which each edge calls `call`, as soon as the port can."""

    def output(self, pin: int | str, level: int) -> Output:
        """Return a digital output that starts at `level`."""

    def analog(self, pin: int | str) -> Analog:
        """Return an analog input."""

    def pulse(self, pin: int | str, freq: int, duty: int) -> Pulse:
        """Return a pulse-width output."""

    def one_wire(self, pin: int | str) -> Wire:
        """Return a 1-Wire bus; the same one to all who name its pin."""

    def dht22(self, pin: int | str) -> Humid:
        """Return the sensor on a pin."""

    def ticks_ms(self) -> Any:
        """Return a time for `since_ms`."""

    def since_ms(self, ticks: Any) -> int:
        """Return how long ago `ticks` was."""
