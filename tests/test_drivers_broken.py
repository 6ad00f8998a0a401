"""Broken chips: whatever bytes come back, a driver gives numbers or null or raises OSError; nothing else."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import drivers
from hil.virtual.chips.bme280 import Bme280, Bmp280
from hil.virtual.chips.bus import NoAcknowledge
from hil.virtual.chips.mpu6050 import Mpu6050
from hil.virtual.chips.onewire import OneWireDevice, maxim_crc8
from tests.fake_hardware import FakeHardware

CHIPS = {
    "sht3x": 0x44,
    "bmp280": 0x76,
    "bme280": 0x76,
    "bh1750": 0x23,
    "veml7700": 0x10,
    "ina219": 0x40,
    "mpu6050": 0x68,
}
MOST = (1 << 53) - 1


class Garbage:
    """A chip that answers with whatever is drawn, or not at all."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def write(self, data: bytes) -> None:
        if self._data.draw(st.integers(0, 20)) == 0:
            raise NoAcknowledge

    def read(self, count: int) -> bytes:
        if self._data.draw(st.integers(0, 20)) == 0:
            raise NoAcknowledge
        return self._data.draw(st.binary(min_size=count, max_size=count) | st.just(bytes(count)))


class Tampered:
    """A chip of which some reads come back with other bytes."""

    def __init__(self, chip: Any, data: st.DataObject) -> None:
        self._chip, self._data = chip, data

    def write(self, data: bytes) -> None:
        self._chip.write(data)

    def read(self, count: int) -> bytes:
        read: bytes = self._chip.read(count)
        for index in range(count):
            if count > 4 and self._data.draw(st.booleans()):
                read = read[:index] + self._data.draw(st.binary(min_size=1, max_size=1)) + read[index + 1 :]
        return read


def read(driver: Any, hardware: FakeHardware) -> None:
    """Take readings as the node does; all that may come is OSError, and values that fit a frame."""
    for _ in range(3):
        with suppress(OSError):
            hardware.s += driver.begin() / 1000 + 0.05
        readings: list[list[Any]] = []
        with suppress(OSError):
            if hasattr(driver, "read_batch"):
                readings = [values for _, values in driver.read_batch(round(hardware.s * 1000))]
            else:
                readings = [driver.read()]
        for values in readings:
            assert len(values) == len(driver.metrics)
            assert all(value is None or (isinstance(value, int) and abs(value) <= MOST) for value in values)


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_chip_that_answers_garbage_stops_nothing(name: str, data: st.DataObject) -> None:
    hardware = FakeHardware({CHIPS[name]: Garbage(data)})
    read(drivers.make({"driver": name}, hardware), hardware)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_bme280_with_another_calibration_and_other_results_stops_nothing(data: st.DataObject) -> None:
    hardware = FakeHardware()
    chip = Bme280(lambda: 20.0, lambda: 1000.0, hardware.now_s, lambda: 50.0)
    hardware.i2c_bus.chips[0x76] = Tampered(chip, data)
    read(drivers.make({"driver": "bme280"}, hardware), hardware)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_an_mpu6050_with_other_samples_stops_nothing(data: st.DataObject) -> None:
    hardware = FakeHardware()
    chip = Mpu6050(lambda t: (0.0,) * 6, hardware.now_s)
    hardware.i2c_bus.chips[0x68] = Tampered(chip, data)
    read(drivers.make({"driver": "mpu6050"}, hardware), hardware)


WORD, SHORT = st.integers(0, 0xFFFF), st.integers(-0x8000, 0x7FFF)


@given(
    words=st.tuples(WORD, SHORT, SHORT, WORD, *[SHORT] * 8),
    results=st.tuples(st.integers(0, 0xFFFFF), st.integers(0, 0xFFFFF)),
)
def test_a_bmp280_with_any_calibration_gives_possible_values_or_none(
    words: tuple[int, ...], results: tuple[int, int]
) -> None:
    hardware = FakeHardware()
    chip = Bmp280(lambda: 20.0, lambda: 1000.0, hardware.now_s)
    chip.put(0x88, struct.pack("<HhhH8h", *words))
    hardware.i2c_bus.chips[0x76] = chip
    driver = drivers.make({"driver": "bmp280"}, hardware)
    with suppress(OSError):
        hardware.s += driver.begin() / 1000
        chip.refresh()
        chip.put(0xF7, (results[0] << 4).to_bytes(3, "big") + (results[1] << 4).to_bytes(3, "big"))
        celsius, pascals = driver.read()
        assert celsius is not None
        assert pascals is not None
        assert -6_000 <= celsius <= 12_000
        assert 10_000 <= pascals <= 150_000


class Babbling(OneWireDevice):
    """A 1-Wire device that sends what is drawn."""

    def __init__(self, data: st.DataObject) -> None:
        body = b"\x28" + bytes(6)
        super().__init__(body + bytes((maxim_crc8(body),)))
        self._data = data

    def command(self, code: int) -> bytes | int:
        return self._data.draw(st.binary(min_size=9, max_size=9)) if code == 0xBE else 0


@given(data=st.data())
def test_a_ds18b20_that_answers_garbage_stops_nothing(data: st.DataObject) -> None:
    hardware = FakeHardware()
    hardware.wire.devices.append(Babbling(data))
    read(drivers.make({"driver": "ds18b20", "pin": 1}, hardware), hardware)


@given(frame=st.binary(min_size=5, max_size=5) | st.none())
def test_a_dht22_that_answers_garbage_stops_nothing(frame: bytes | None) -> None:
    hardware = FakeHardware()
    hardware.frame = lambda: frame
    read(drivers.make({"driver": "dht22", "pin": 1}, hardware), hardware)
