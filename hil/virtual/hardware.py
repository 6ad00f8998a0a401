"""What is soldered to a virtual board: pins, analog inputs, buses; and the wiring of the demo boards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hil.virtual.chips import I2cBus, NoAcknowledge, Sht3x
from hil.virtual.chips.onewire import OneWireBus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.virtual.chips.dht22 import Dht22
    from hil.virtual.environment import Environment

ADC_VOLTS = 3.3
ACCELEROMETER_V_PER_G = 0.66
DOOR_PIN = 15
_FIRST_ADC_PIN = 26
_CORE_TEMPERATURE_CHANNEL = 4
_EIO, _ETIMEDOUT = 5, 110


class Wiring:
    """A board's pins and buses as the `machine` module reaches them."""

    def __init__(self) -> None:
        self.inputs: dict[str, Callable[[], bool]] = {}
        """Digital inputs: pin → its level."""
        self.analog_v: dict[int, Callable[[], float]] = {}
        """Analog inputs: ADC channel (GP26 is 0) → volts, 0 to 3.3."""
        self.buses: dict[int, I2cBus] = {}
        self.outputs: dict[str, int] = {}
        """Digital outputs as the firmware set them: pin → 0 or 1."""
        self.duties: dict[str, int] = {}
        """PWM outputs: pin → duty, 0 to 65535."""
        self.frequencies: dict[str, int] = {}
        """PWM outputs: pin → Hz."""
        self.one_wires: dict[str, OneWireBus] = {}
        """1-Wire buses: pin → bus."""
        self.dht22s: dict[str, Dht22] = {}
        """DHT22 sensors: pin → sensor."""

    def calls(self) -> dict[str, Callable[..., Any]]:
        """Return what the boot ROM's `machine` module may ask for, by name."""
        return {
            "pin_get": self._pin_get,
            "pin_set": self._pin_set,
            "pwm_set": self._pwm_set,
            "adc": self._adc,
            "i2c_scan": lambda bus: self._bus(bus).scan(),
            "i2c_read": self._i2c_read,
            "i2c_write": self._i2c_write,
            "onewire_reset": lambda pin: self._wire(pin).reset(),
            "onewire_bit": lambda pin, bit: self._wire(pin).slot(bit),
            "onewire_read": lambda pin, count: self._wire(pin).read(count).hex(),
            "onewire_write": lambda pin, data: self._wire(pin).write(bytes.fromhex(data)),
            "dht_read": self._dht_read,
        }

    def _pin_get(self, pin: int | str) -> int:
        level = self.inputs.get(str(pin))
        return int(level()) if level is not None else self.outputs.get(str(pin), 0)

    def _pin_set(self, pin: int | str, level: int) -> None:
        self.outputs[str(pin)] = level

    def _pwm_set(self, pin: int | str, duty: int, frequency: int) -> None:
        self.duties[str(pin)] = duty
        self.frequencies[str(pin)] = frequency

    def _adc(self, channel: int) -> int:
        if channel >= _FIRST_ADC_PIN:
            channel -= _FIRST_ADC_PIN
        volts = self.analog_v.get(channel, float)()
        return min(0xFFFF, max(0, round(volts / ADC_VOLTS * 0xFFFF)))

    def _bus(self, bus: int) -> I2cBus:
        return self.buses.get(bus) or I2cBus({})

    def _i2c_read(self, bus: int, address: int, count: int) -> str | dict[str, int]:
        try:
            return self._bus(bus).chip(address).read(count).hex()
        except NoAcknowledge:
            return {"errno": _EIO}

    def _i2c_write(self, bus: int, address: int, data: str) -> dict[str, int] | None:
        try:
            self._bus(bus).chip(address).write(bytes.fromhex(data))
        except NoAcknowledge:
            return {"errno": _EIO}
        return None

    def _wire(self, pin: int | str) -> OneWireBus:
        return self.one_wires.get(str(pin)) or OneWireBus()

    def _dht_read(self, pin: int | str) -> str | dict[str, int]:
        sensor = self.dht22s.get(str(pin))
        frame = None if sensor is None else sensor.read()
        return {"errno": _ETIMEDOUT} if frame is None else frame.hex()


def core_temperature_v(celsius: float) -> float:
    """Return the voltage of the RP2040's temperature diode (datasheet, 4.9.5)."""
    return 0.706 - (celsius - 27) * 0.001721


def demo_wiring(world: Environment, now_s: Callable[[], float]) -> Wiring:
    """Return the wiring of a demo board: SHT3x on I2C 0, light on GP26, vibration on GP27, door on GP15.

    The light sensor gives 0 to 3.3 V; the accelerometer 1.65 V ± 0.66 V for each g.
    """
    wiring = Wiring()
    wiring.buses[0] = I2cBus({Sht3x.ADDRESS: Sht3x(world.temperature_c, world.humidity_percent, now_s)})
    wiring.analog_v[0] = lambda: ADC_VOLTS * world.light_fraction()
    wiring.analog_v[1] = lambda: ADC_VOLTS / 2 + ACCELEROMETER_V_PER_G * world.vibration_g()
    wiring.analog_v[_CORE_TEMPERATURE_CHANNEL] = lambda: core_temperature_v(world.temperature_c() + 6)
    wiring.inputs[str(DOOR_PIN)] = world.door_open
    return wiring
