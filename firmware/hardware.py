"""The board's pins and buses as drivers ask for them (drivers/__init__.py), on RP2 and ESP32."""

import time

from machine import ADC, I2C, PWM, Pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from drivers.contract import Analog, Bus, Humid, Input, Output, Pulse, Wire


class Hardware:
    """Gives each pin to one driver, and each bus to all drivers that name it with the same pins."""

    def __init__(self) -> None:
        self._taken: dict[int | str, str] = {}
        self._shared: dict[str, Any] = {}

    def i2c(self, number: int, sda: "int | str", scl: "int | str", freq: int) -> "Bus":
        """Return an I2C bus. Raises ValueError for pins or a speed other than a driver before named."""
        name = f"i2c {number}"
        wanted = (sda, scl, freq)
        if name not in self._shared:
            self._take(sda, name)
            self._take(scl, name)
            self._shared[name] = (wanted, self._bus(number, sda, scl, freq))
        found, bus = self._shared[name]
        if found != wanted:
            raise ValueError(f"{name} is in use with sda {found[0]}, scl {found[1]}, freq {found[2]}")
        made: Bus = bus
        return made

    def input(self, pin: "int | str", pull: str) -> "Input":
        """Return a digital input."""
        self._take(pin, "an input")
        return self._input(pin, pull)

    def edges(self, pin: "int | str", pull: str, rising: bool, call: "Callable[[Any], None]") -> "Input":
        """Return a digital input whose interrupt calls `call` at each edge."""
        self._take(pin, "a counter")
        return self._edges(pin, pull, rising, call)

    def output(self, pin: "int | str", level: int) -> "Output":
        """Return a digital output."""
        self._take(pin, "an output")
        return self._output(pin, level)

    def analog(self, pin: "int | str") -> "Analog":
        """Return an analog input."""
        self._take(pin, "an analog input")
        return self._analog(pin)

    def pulse(self, pin: "int | str", freq: int, duty: int) -> "Pulse":
        """Return a pulse-width output."""
        self._take(pin, "a pulse-width output")
        return self._pulse(pin, freq, duty)

    def one_wire(self, pin: "int | str") -> "Wire":
        """Return a 1-Wire bus."""
        name = f"1-wire {pin}"
        if name not in self._shared:
            self._take(pin, name)
            self._shared[name] = self._wire(pin)
        made: Wire = self._shared[name]
        return made

    def dht22(self, pin: "int | str") -> "Humid":
        """Return the DHT22 on a pin."""
        self._take(pin, "a dht22")
        return self._humid(pin)

    def ticks_ms(self) -> "Any":
        """Return a time that wraps."""
        return time.ticks_ms()

    def since_ms(self, ticks: "Any") -> int:
        """Return how long ago `ticks` was."""
        return time.ticks_diff(time.ticks_ms(), ticks)

    def _take(self, pin: "int | str", use: str) -> None:
        before = self._taken.get(pin)
        if before is not None:
            raise ValueError(
                f"pin {pin} is taken: it is {before}" if before != use else f"pin {pin} is taken twice"
            )
        self._taken[pin] = use

    # --- what touches them ---

    def _bus(self, number: int, sda: "int | str", scl: "int | str", freq: int) -> "Bus":
        return I2C(number, sda=Pin(sda), scl=Pin(scl), freq=freq)

    def _input(self, pin: "int | str", pull: str) -> "Input":
        return _input(pin, pull)

    def _edges(self, pin: "int | str", pull: str, rising: bool, call: "Callable[[Any], None]") -> "Input":
        made = _input(pin, pull)
        made.irq(call, Pin.IRQ_RISING if rising else Pin.IRQ_FALLING)
        return made

    def _output(self, pin: "int | str", level: int) -> "Output":
        return Pin(pin, Pin.OUT, value=level)

    def _analog(self, pin: "int | str") -> "Analog":
        # An ESP32's ADC reaches to 1 V unless it attenuates, and then to about 3.1 V: calibrate by per_volt.
        attenuation = getattr(ADC, "ATTN_11DB", None)
        return ADC(Pin(pin)) if attenuation is None else ADC(Pin(pin), atten=attenuation)

    def _pulse(self, pin: "int | str", freq: int, duty: int) -> "Pulse":
        return PWM(Pin(pin), freq=freq, duty_u16=duty)

    def _wire(self, pin: "int | str") -> "Wire":
        from onewire import OneWire  # noqa: PLC0415 - 2 KB, only where it is used

        made: Wire = OneWire(Pin(pin))
        return made

    def _humid(self, pin: "int | str") -> "Humid":
        from dht import DHT22  # noqa: PLC0415 - 1 KB, only where it is used

        made: Humid = DHT22(Pin(pin))
        return made


def _input(pin: "int | str", pull: str) -> Pin:
    if pull == "none":
        return Pin(pin, Pin.IN)
    return Pin(pin, Pin.IN, Pin.PULL_UP if pull == "up" else Pin.PULL_DOWN)
