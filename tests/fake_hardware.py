"""A board's hardware for driver tests on CPython: a clock, and simulated chips behind the calls of drivers.

It stands for firmware/hardware.py alone; the chips are those of the virtual board.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from hil.virtual.chips import I2cBus, NoAcknowledge
from hil.virtual.chips.onewire import OneWireBus

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.drivers.contract import Driver
    from hil.virtual.chips import Chip
    from hil.virtual.chips.dht22 import Dht22


class FakeI2c:
    """The calls of machine.I2C on a simulated bus."""

    def __init__(self, bus: I2cBus) -> None:
        self.bus = bus

    def writeto(self, addr: int, buf: bytes, /) -> int:
        try:
            self.bus.chip(addr).write(bytes(buf))
        except NoAcknowledge as error:
            raise OSError(errno.EIO, str(error)) from error
        return len(buf)

    def readfrom_into(self, addr: int, buf: bytearray, /) -> None:
        try:
            buf[:] = self.bus.chip(addr).read(len(buf))
        except NoAcknowledge as error:
            raise OSError(errno.EIO, str(error)) from error

    def writeto_mem(self, addr: int, memaddr: int, buf: bytes, /) -> None:
        self.writeto(addr, bytes((memaddr,)) + bytes(buf))

    def readfrom_mem_into(self, addr: int, memaddr: int, buf: bytearray, /) -> None:
        self.writeto(addr, bytes((memaddr,)))
        self.readfrom_into(addr, buf)


class FakeWire:
    """The calls of onewire.OneWire on a simulated bus; its search knows the answer."""

    def __init__(self, bus: OneWireBus) -> None:
        self.bus = bus

    def reset(self) -> bool:
        return self.bus.reset()

    def write(self, buf: bytes, /) -> None:
        self.bus.write(bytes(buf))

    def readinto(self, buf: bytearray, /) -> None:
        buf[:] = self.bus.read(len(buf))

    def scan(self) -> list[bytearray]:
        return [bytearray(device.rom) for device in self.bus.devices]


class FakeHumid:
    """The calls of dht.DHT22, whose error for a wrong sum is a bare Exception."""

    def __init__(self, sensor: Callable[[], bytes | None]) -> None:
        self._sensor = sensor
        self.buf = bytearray(5)

    def measure(self) -> None:
        frame = self._sensor()
        if frame is None:
            raise OSError(errno.ETIMEDOUT)
        self.buf[:] = frame
        if sum(frame[:4]) & 0xFF != frame[4]:
            raise Exception("checksum error")  # noqa: TRY002 - it is what MicroPython's module raises


class FakePin:
    """A pin as input, output, ADC and PWM."""

    def __init__(self, level: int = 0) -> None:
        self.level = level
        self.call: Callable[[Any], None] | None = None

    def value(self, level: int | None = None, /) -> int:
        if level is not None:
            self.level = level
        return self.level

    def read_u16(self) -> int:
        return self.level

    def duty_u16(self, duty: int, /) -> None:
        self.level = duty

    def pulse(self) -> None:
        """Make an edge."""
        assert self.call is not None
        self.call(self)


class FakeHardware:
    """Pins by number, one I2C bus, one 1-Wire bus, one DHT22; `s` is the time, which `wait` moves on."""

    def __init__(self, chips: dict[int, Chip] | None = None) -> None:
        self.s = 0.0
        self.i2c_bus = I2cBus(chips or {})
        self.wire = OneWireBus()
        self.frame: Callable[[], bytes | None] = lambda: None
        self.pins: dict[int | str, FakePin] = {}
        self.asked: dict[int | str, tuple[Any, ...]] = {}

    def now_s(self) -> float:
        return self.s

    def sensor(self, sensor: Dht22) -> None:
        """Wire a DHT22."""
        self.frame = sensor.read

    def take(self, driver: Driver) -> list[int | None]:
        """Take one reading as the node does."""
        self.s += driver.begin() / 1000
        return driver.read()

    def i2c(self, number: int, sda: int | str, scl: int | str, freq: int) -> FakeI2c:
        return FakeI2c(self.i2c_bus)

    def input(self, pin: int | str, pull: str) -> FakePin:
        return self._pin(pin, pull)

    def edges(self, pin: int | str, pull: str, rising: bool, call: Callable[[Any], None]) -> FakePin:
        made = self._pin(pin, pull, rising)
        made.call = call
        return made

    def output(self, pin: int | str, level: int) -> Any:
        made = self._pin(pin, level)
        made.level = level
        return made

    def analog(self, pin: int | str) -> FakePin:
        return self._pin(pin)

    def pulse(self, pin: int | str, freq: int, duty: int) -> FakePin:
        made = self._pin(pin, freq)
        made.level = duty
        return made

    def one_wire(self, pin: int | str) -> FakeWire:
        return FakeWire(self.wire)

    def dht22(self, pin: int | str) -> FakeHumid:
        return FakeHumid(lambda: self.frame())  # noqa: PLW0108 - a test may change it

    def ticks_ms(self) -> int:
        return round(self.s * 1000) & 0x3FFFFFFF

    def since_ms(self, ticks: int) -> int:
        return ((self.ticks_ms() - ticks + 0x20000000) & 0x3FFFFFFF) - 0x20000000

    def _pin(self, pin: int | str, *asked: Any) -> FakePin:
        self.asked[pin] = asked
        return self.pins.setdefault(pin, FakePin())
