"""Drivers of I2C chips against the simulated chips: values, identities, and absent and broken chips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import drivers
from firmware.drivers import bh1750, bme280, bmp280, ina219, sht3x, veml7700
from hil.virtual.chips import Sht3x
from hil.virtual.chips.bh1750 import Bh1750
from hil.virtual.chips.bme280 import (
    EXAMPLE_P,
    EXAMPLE_RAW_P,
    EXAMPLE_RAW_T,
    EXAMPLE_T,
    TYPICAL_H,
    Bme280,
    Bmp280,
)
from hil.virtual.chips.ina219 import Ina219
from hil.virtual.chips.veml7700 import Veml7700
from tests.fake_hardware import FakeHardware

if TYPE_CHECKING:
    from firmware.drivers.contract import Driver


class World:
    """What the chips measure; a test changes it."""

    celsius, percent, hpa, lux, shunt_v, bus_v = 21.5, 48.25, 1013.25, 500.0, 0.02, 11.98


class Bench:
    """One board with every chip, and the time."""

    def __init__(self) -> None:
        self.world = World()
        self.hardware = hardware = FakeHardware()
        world, now = self.world, hardware.now_s
        self.parts: dict[str, tuple[int, Any]] = {
            "sht3x": (0x44, Sht3x(lambda: world.celsius, lambda: world.percent, now)),
            "bmp280": (0x76, Bmp280(lambda: world.celsius, lambda: world.hpa, now)),
            "bme280": (0x76, Bme280(lambda: world.celsius, lambda: world.hpa, now, lambda: world.percent)),
            "bh1750": (0x23, Bh1750(lambda: world.lux, now)),
            "veml7700": (0x10, Veml7700(lambda: world.lux, now)),
            "ina219": (0x40, Ina219(lambda: world.shunt_v, lambda: world.bus_v, now)),
        }

    def driver(self, name: str, **options: Any) -> Driver:
        """Return a driver, its chip wired."""
        self.plug(name)
        return drivers.make({"driver": name, **options}, self.hardware)

    def plug(self, name: str) -> None:
        address, chip = self.parts[name]
        self.hardware.i2c_bus.chips[address] = chip

    def unplug(self, name: str) -> None:
        del self.hardware.i2c_bus.chips[self.parts[name][0]]


@pytest.fixture
def bench() -> Bench:
    return Bench()


EXPECTED = {
    "sht3x": [2150, 4825],
    "bmp280": [2150, 101325],
    "bme280": [2150, 101325, 4825],
    "bh1750": [50000],
    "veml7700": [50000],
    "ina219": [11980, 2000, 2392],
}
NEAR = {"sht3x": 1, "bmp280": 2, "bme280": 2, "bh1750": 50, "veml7700": 30, "ina219": 5}

each_chip = pytest.mark.parametrize("name", EXPECTED)


@each_chip
def test_a_driver_reads_what_its_chip_measures(bench: Bench, name: str) -> None:
    driver = bench.driver(name)
    values = bench.hardware.take(driver)
    assert values == [pytest.approx(value, abs=NEAR[name]) for value in EXPECTED[name]]
    assert len(driver.metrics) == len(values)
    assert all(isinstance(value, int) for value in values)


@each_chip
def test_an_absent_chip_raises_and_is_set_up_when_it_comes(bench: Bench, name: str) -> None:
    driver = bench.driver(name)
    bench.unplug(name)
    for _ in range(2):
        with pytest.raises(OSError, match=r".+"):
            driver.begin()
        with pytest.raises(OSError, match="no measurement was begun"):
            driver.read()
    bench.plug(name)
    assert bench.hardware.take(driver) == [pytest.approx(v, abs=NEAR[name]) for v in EXPECTED[name]]


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "sht3x"])  # which keeps no setting
def test_a_chip_that_lost_its_power_between_readings_is_right_again_by_the_second(
    bench: Bench, name: str
) -> None:
    driver = bench.driver(name)
    bench.hardware.take(driver)
    chip = bench.parts[name][1]
    chip.power_on()
    try:
        first: list[int | None] = bench.hardware.take(driver)
    except OSError:
        first = []
    second = bench.hardware.take(driver)
    right = [pytest.approx(value, abs=NEAR[name]) for value in EXPECTED[name]]
    assert first in ([], right)  # never a wrong value
    assert second == right


@pytest.mark.parametrize("name", ["bmp280", "bme280", "veml7700", "ina219"])
def test_a_chip_that_loses_its_power_while_it_measures_gives_no_values(bench: Bench, name: str) -> None:
    driver = bench.driver(name)
    bench.hardware.take(driver)
    wait_ms = driver.begin()
    bench.parts[name][1].power_on()
    bench.hardware.s += wait_ms / 1000
    with pytest.raises(OSError, match=r"lost|interrupted|did not end|nothing"):
        driver.read()


@pytest.mark.parametrize(("name", "other"), [("bmp280", "bme280"), ("bme280", "bmp280")])
def test_another_chip_at_the_address_is_told_by_its_id(bench: Bench, name: str, other: str) -> None:
    driver = bench.driver(name)
    bench.plug(other)
    with pytest.raises(OSError, match=f"this is no {name.upper()}: its id is 0x"):
        driver.begin()


def test_a_measurement_that_is_read_too_early_gives_no_values(bench: Bench) -> None:
    for name in ("sht3x", "bmp280", "ina219"):
        driver = bench.driver(name)
        bench.hardware.take(driver)
        driver.begin()
        with pytest.raises(OSError, match=r".+"):
            driver.read()


def test_the_integer_formulas_give_the_bmp280_datasheets_example() -> None:
    t_fine = bmp280.fine_temperature(EXAMPLE_RAW_T, EXAMPLE_T)
    pressure = bmp280.pressure(EXAMPLE_RAW_P, t_fine, EXAMPLE_P)
    assert (t_fine, t_fine * 5 + 128 >> 8) == (128422, 2508)  # BMP280 datasheet, 3.12: 25.08 °C
    assert pressure == pytest.approx(100653.27 * 256, abs=5)  # 0.02 Pa


def test_a_chip_with_a_calibration_of_zeros_gives_no_pressure() -> None:
    assert bmp280.pressure(EXAMPLE_RAW_P, 128422, (0,) * 9) is None


@settings(max_examples=50, deadline=None)
@given(st.floats(-40, 85), st.floats(300, 1100), st.floats(2, 98))
def test_the_integer_formulas_agree_with_the_datasheets_doubles(
    celsius: float, hpa: float, percent: float
) -> None:
    bench = Bench()
    bench.world.celsius, bench.world.hpa, bench.world.percent = celsius, hpa, percent
    temperature, pressure, humidity = bench.hardware.take(bench.driver("bme280", oversampling=16))
    assert temperature == pytest.approx(celsius * 100, abs=1.1)
    assert pressure == pytest.approx(hpa * 100, abs=10)  # 0.1 hPa
    assert humidity == pytest.approx(
        percent * 100, abs=12
    )  # 0.1 %: the integer formula has 1/1024 steps inside


BYTE, TWELVE_BITS = st.integers(0, 255), st.integers(-2048, 2047)
HUMIDITY_WORDS = st.tuples(
    BYTE, st.integers(-32768, 32767), BYTE, TWELVE_BITS, TWELVE_BITS, st.integers(-128, 127)
)


@given(HUMIDITY_WORDS)
def test_humidity_words_that_share_a_byte_are_taken_apart(words: tuple[int, ...]) -> None:
    _, h2, h3, h4, h5, h6 = words
    packed = h2.to_bytes(2, "little", signed=True) + bytes(
        (h3, h4 >> 4 & 0xFF, (h4 & 0xF) | (h5 & 0xF) << 4, h5 >> 4 & 0xFF, h6 & 0xFF)
    )
    assert bme280.unpack_humidity(words[0], packed) == words


@given(st.integers(0, 0xFFFF), st.integers(-200_000, 500_000))
def test_humidity_stays_within_its_bounds(raw: int, t_fine: int) -> None:
    assert 0 <= bme280.humidity(raw, t_fine, TYPICAL_H) <= 100 * 1024


def test_sht3x_checksum_is_the_datasheets() -> None:
    assert sht3x.crc8(b"\xbe\xef") == 0x92


def test_an_sht3x_whose_bytes_arrive_damaged_gives_no_values(bench: Bench) -> None:
    driver = bench.driver("sht3x")
    chip = bench.parts["sht3x"][1]
    whole = chip.read
    chip.read = lambda count: bytes((whole(count)[0] ^ 4,)) + bytes(count - 1)
    with pytest.raises(OSError, match="wrong checksum"):
        bench.hardware.take(driver)


def test_the_bh1750s_word_is_the_datasheets_example() -> None:
    assert bh1750.centilux(0x8390, 69) == 2_806_667  # 28067 lx


@pytest.mark.parametrize(
    ("reach", "lux", "value"),
    [("normal", 60_000, None), ("sun", 100_000, 10_000_000), ("dim", 1.0, 100), ("dim", 20_000, None)],
)
def test_the_bh1750_has_ranges_and_gives_nothing_beyond_them(
    bench: Bench, reach: str, lux: float, value: int | None
) -> None:
    bench.world.lux = lux
    values = bench.hardware.take(bench.driver("bh1750", range=reach))
    assert values == [None if value is None else pytest.approx(value, rel=0.2)]
    assert value is None or values == [pytest.approx(value, rel=0.001, abs=15)]


@pytest.mark.parametrize("lux", [0.5, 20, 900, 20_000, 100_000])
def test_the_veml7700_finds_its_range_by_itself(bench: Bench, lux: float) -> None:
    bench.world.lux = lux
    driver = bench.driver("veml7700")
    for _ in range(4):
        values = bench.hardware.take(driver)
    expected = veml7700.corrected(lux) if lux > 4404 else lux  # the low gains are straightened
    assert values == [pytest.approx(expected * 100, rel=0.02, abs=2)]


def test_the_veml7700_gives_nothing_beyond_its_range(bench: Bench) -> None:
    bench.world.lux = 10_000
    assert bench.hardware.take(bench.driver("veml7700", range="normal")) == [None]


def test_the_ina219s_calibration_is_the_datasheets_example() -> None:
    assert ina219.calibration(32.768, 2) == (1000, 0x5000)  # 1 mA, 8.5.4
    assert ina219.gain(10, 2) == 0  # 20 mV is within 40


def test_the_ina219_reads_the_datasheets_example(bench: Bench) -> None:
    driver = bench.driver("ina219", max_a=32.768, shunt_mohm=2)
    assert bench.hardware.take(driver) == [11980, 100_000, 119_800]  # 11.98 V, 10 A, 119.8 W


def test_the_ina219_tells_the_direction_of_the_current(bench: Bench) -> None:
    bench.world.shunt_v = -0.020
    assert bench.hardware.take(bench.driver("ina219", max_a=32.768, shunt_mohm=2)) == [
        11980,
        -100_000,
        -119_800,
    ]


def test_an_ina219_whose_sums_overflow_gives_the_voltage_alone(bench: Bench) -> None:
    bench.world.shunt_v, bench.world.bus_v = 0.32, 26.0
    assert bench.hardware.take(bench.driver("ina219", max_a=0.5, shunt_mohm=500)) == [26000, None, None]


def test_an_ina219_that_cannot_measure_so_much_is_refused(bench: Bench) -> None:
    with pytest.raises(
        ValueError, match=r"ina219: max_a 10 and shunt_mohm 100 make 1000 mV; the chip takes 320"
    ):
        bench.driver("ina219", max_a=10, shunt_mohm=100)
