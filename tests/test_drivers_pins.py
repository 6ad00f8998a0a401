"""Drivers of pins, 1-Wire and the DHT22 against the simulated parts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import drivers
from firmware.drivers import dht22, ds18b20, pulse_counter
from hil.virtual.chips.dht22 import Dht22, frame
from hil.virtual.chips.ds18b20 import Ds18b20, rom_code
from tests.fake_hardware import FakeHardware


@pytest.fixture
def hardware() -> FakeHardware:
    return FakeHardware()


def make(hardware: FakeHardware, driver: str, /, **options: Any) -> Any:
    return drivers.make({"driver": driver, **options}, hardware)


# --- pins ---------------------------------------------------------------------------------------------------


def test_an_adc_scales_volts_by_its_zero_and_slope(hardware: FakeHardware) -> None:
    driver = make(
        hardware, "adc", pin=27, name="v", unit="g", decimals=3, per_volt=1.51515, zero_v=1.65, title="V"
    )
    hardware.pins[27].level = round((1.65 + 0.66 * 0.5) / 3.3 * 65535)
    assert driver.read() == [500]
    assert driver.metrics == [{"name": "v", "unit": "g", "decimals": 3, "title": "V"}]


@pytest.mark.parametrize(("invert", "value"), [(False, 1), (True, 0)])
def test_a_digital_input_can_be_inverted(hardware: FakeHardware, invert: bool, value: int) -> None:
    driver = make(hardware, "digital_in", pin=15, invert=invert, pull="up")
    hardware.pins[15].level = 1
    assert (hardware.take(driver), hardware.asked[15]) == ([value], ("up",))


def test_a_bouncing_input_keeps_its_state_until_the_level_stays(hardware: FakeHardware) -> None:
    driver = make(hardware, "digital_in", pin=15, debounce_ms=30)
    pin = hardware.pins[15]
    assert (driver.begin(), driver.read()) == (0, [0])
    pin.level = 1
    assert driver.begin() == 30  # look again
    pin.level = 0
    assert driver.read() == [0]  # it bounced
    pin.level = 1
    assert driver.begin() == 30
    assert driver.read() == [1]
    assert driver.begin() == 0  # at rest it costs no wait


@pytest.mark.parametrize(("invert", "on", "off"), [(False, 1, 0), (True, 0, 1)])
def test_a_digital_output_is_set_by_its_command(
    hardware: FakeHardware, invert: bool, on: int, off: int
) -> None:
    driver = make(hardware, "digital_out", pin=3, name="relay", invert=invert)
    assert (hardware.pins[3].level, driver.read()) == (off, [0])
    assert driver.run("set_relay", {"state": "on"}) == {"state": "on"}
    assert (hardware.pins[3].level, driver.read()) == (on, [1])
    assert [entry["name"] for entry in driver.commands] == ["set_relay"]


def test_a_digital_output_starts_as_it_is_told(hardware: FakeHardware) -> None:
    assert make(hardware, "digital_out", pin=3, initial="on").read() == [1]
    assert hardware.pins[3].level == 1


@pytest.mark.parametrize(
    ("duty", "level", "tenths"), [(0, 0, 0), (7.5, 4915, 75), (50, 32768, 500), (100, 65535, 1000)]
)
def test_a_pwm_output_sets_its_duty(hardware: FakeHardware, duty: float, level: int, tenths: int) -> None:
    driver = make(hardware, "pwm", pin=4, freq=50)
    assert driver.run("set_duty", {"duty": duty}) == {"duty": duty}
    assert (hardware.pins[4].level, driver.read(), hardware.asked[4]) == (level, [tenths], (50,))


def test_an_inverted_pwm_output_is_low_for_its_duty(hardware: FakeHardware) -> None:
    make(hardware, "pwm", pin=4, initial=25, invert=True)
    assert hardware.pins[4].level == pytest.approx(0.75 * 65535, abs=1)


# --- pulses -------------------------------------------------------------------------------------------------


def test_a_pulse_counter_gives_amount_and_rate(hardware: FakeHardware) -> None:
    driver = make(
        hardware, "pulse_counter", pin=6, name="rain", unit="mm", decimals=4, per_pulse=0.2794, rate_s=3600
    )
    assert hardware.take(driver) == [0, None]
    for _ in range(10):
        hardware.pins[6].pulse()
    hardware.s += 60
    amount, rate = hardware.take(driver)
    assert (amount, rate) == (27940, round(2.794 * 60 * 1000))  # 2.794 mm; mm an hour, in 0.001
    assert [entry["name"] for entry in driver.metrics] == ["rain", "rain_rate"]


def test_a_count_of_millions_grows_pulse_by_pulse_where_floats_have_24_bits(hardware: FakeHardware) -> None:
    driver = make(hardware, "pulse_counter", pin=6, per_pulse=0.001, decimals=3)
    driver._total = 40_000_000
    before = driver.read()[0]
    hardware.pins[6].pulse()
    assert (before, driver.read()[0]) == (40_000_000, 40_000_001)


@pytest.mark.parametrize(
    ("value", "numerator", "parts"),
    [(1, 10**6, 10**6), (2794.0002, 2794000, 1000), (1 / 450, 2222222, 10**9), (5e7, 50_000_000, 1)],
)
def test_a_pulses_worth_is_held_in_whole_numbers(value: float, numerator: int, parts: int) -> None:
    assert pulse_counter.ratio(value) == (numerator, parts)


@pytest.mark.parametrize("entry", [{"driver": "adc"}, {"driver": "pulse_counter"}])
def test_a_value_beyond_what_the_wire_carries_is_null(hardware: FakeHardware, entry: dict[str, Any]) -> None:
    scale = {"per_volt": 1e9} if entry["driver"] == "adc" else {"per_pulse": 1e9}
    driver = make(hardware, entry["driver"], pin=6, decimals=9, **scale)
    hardware.pins[6].level = 65535
    driver._total = 1000
    assert driver.read()[0] is None


def test_bouncing_edges_count_once(hardware: FakeHardware) -> None:
    driver = make(hardware, "pulse_counter", pin=6, debounce_ms=20)
    for gap_ms in (0, 5, 14, 30, 1):
        hardware.s += gap_ms / 1000
        hardware.pins[6].pulse()
    assert driver.read()[0] == 2


def test_a_pulse_counter_counts_on_where_its_counter_wraps(hardware: FakeHardware) -> None:
    driver = make(hardware, "pulse_counter", pin=6)
    driver._edges = driver._counted = 0x3FFFFFFE
    for _ in range(5):
        hardware.pins[6].pulse()
    assert driver.read()[0] == 5


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5000)), max_size=10))
def test_a_pulse_counter_loses_no_pulse(steps: list[tuple[int, int]]) -> None:
    hardware = FakeHardware()
    driver = make(hardware, "pulse_counter", pin=6)
    amount = driver.read()[0]
    for pulses, wait_ms in steps:
        for _ in range(pulses):
            hardware.pins[6].pulse()
        hardware.s += wait_ms / 1000
        amount, rate = driver.read()
        assert rate == pytest.approx(pulses * 1_000_000 / wait_ms, rel=0.001, abs=1)
    assert amount == sum(pulses for pulses, _ in steps)


# --- DS18B20 ------------------------------------------------------------------------------------------------

ROM = rom_code(0x1234567890AB)


def wire(hardware: FakeHardware, celsius: float = 20.0, rom: bytes = ROM) -> Ds18b20:
    chip = Ds18b20(rom, lambda: celsius, hardware.now_s)
    hardware.wire.devices.append(chip)
    return chip


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0x07D0, 12500), (0x0550, 8500), (0x0191, 2506), (0x00A2, 1013), (0x0008, 50),
        (0x0000, 0), (0xFFF8, -50), (0xFF5E, -1012), (0xFE6F, -2506), (0xFC90, -5500),
    ],
)  # fmt: skip
def test_the_ds18b20s_registers_mean_what_its_table_says(word: int, value: int) -> None:
    assert ds18b20.centidegrees(word & 0xFF, word >> 8) == value


def test_a_ds18b20_alone_needs_no_rom(hardware: FakeHardware) -> None:
    wire(hardware, 21.5)
    assert hardware.take(make(hardware, "ds18b20", pin=22)) == [2150]


def test_two_ds18b20_on_a_pin_are_told_apart_by_their_roms(hardware: FakeHardware) -> None:
    wire(hardware, 21.5, rom_code(1))
    wire(hardware, -5.25, rom_code(2))
    one, two = (make(hardware, "ds18b20", pin=22, rom=rom_code(n).hex()) for n in (1, 2))
    assert (hardware.take(one), hardware.take(two)) == ([2150], [-525])


def test_two_ds18b20_without_a_rom_are_named(hardware: FakeHardware) -> None:
    wire(hardware, 21.5, rom_code(1))
    wire(hardware, -5.25, rom_code(2))
    with pytest.raises(OSError, match=f"say rom: {rom_code(1).hex()}, {rom_code(2).hex()}"):
        make(hardware, "ds18b20", pin=22).begin()


def test_an_absent_ds18b20_raises_and_is_set_up_when_it_comes(hardware: FakeHardware) -> None:
    driver = make(hardware, "ds18b20", pin=22)
    with pytest.raises(OSError, match="nothing on the 1-Wire bus"):
        driver.begin()
    wire(hardware)
    assert hardware.take(driver) == [2000]


def test_a_ds18b20_that_is_not_the_one_gives_no_value(hardware: FakeHardware) -> None:
    wire(hardware, 20.0, rom_code(1))
    driver = make(hardware, "ds18b20", pin=22, rom=rom_code(2).hex())
    with pytest.raises(OSError, match="wrong checksum"):
        hardware.take(driver)


def test_a_ds18b20_that_lost_its_power_does_not_pass_85_degrees_for_a_reading(hardware: FakeHardware) -> None:
    chip = wire(hardware)
    driver = make(hardware, "ds18b20", pin=22)
    hardware.s += driver.begin() / 1000
    chip.power_on()
    with pytest.raises(OSError, match="lost its settings"):
        driver.read()
    assert hardware.take(driver) == [2000]


@pytest.mark.parametrize(("bits", "value", "wait_ms"), [(9, 2050, 94), (10, 2075, 188), (12, 2094, 751)])
def test_fewer_bits_are_coarser_and_faster(
    hardware: FakeHardware, bits: int, value: int, wait_ms: int
) -> None:
    wire(hardware, 20.9375)
    driver = make(hardware, "ds18b20", pin=22, bits=bits)
    hardware.take(driver)
    assert driver.begin() == wait_ms
    hardware.s += 1
    assert driver.read() == [value]


@pytest.mark.parametrize("rom", ["28", "zz" * 8, "10ff641e8216033c", ROM.hex()[:-2] + "00"])
def test_a_rom_that_is_none_is_refused(hardware: FakeHardware, rom: str) -> None:
    with pytest.raises(ValueError, match="ds18b20: rom must be 16 hex digits"):
        make(hardware, "ds18b20", pin=22, rom=rom)


# --- DHT22 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "values"), [("028c015fee", (351, 652)), ("028c806573", (-101, 652)), ("028cff9b28", (-101, 652))]
)
def test_a_frame_means_what_the_datasheet_says(data: str, values: tuple[int, int]) -> None:
    assert dht22.decode(bytes.fromhex(data)) == values


@given(st.integers(-400, 800), st.integers(0, 1000))
def test_every_frame_is_read_back(temperature: int, humidity: int) -> None:
    assert dht22.decode(frame(humidity, temperature)) == (temperature, humidity)


@given(st.binary(min_size=5, max_size=5))
def test_a_damaged_frame_raises_or_holds_possible_values(data: bytes) -> None:
    try:
        temperature, humidity = dht22.decode(data)
    except OSError:
        return
    assert sum(data[:4]) & 0xFF == data[4]
    assert -400 <= temperature <= 1250
    assert 0 <= humidity <= 1000


def test_a_dht22_is_asked_each_2_s_at_most(hardware: FakeHardware) -> None:
    asked = 0

    def answer() -> bytes:
        nonlocal asked
        asked += 1
        return frame(500, 200)

    hardware.frame = answer
    driver = make(hardware, "dht22", pin=9)
    for _ in range(50):
        assert driver.read() == [200, 500]
        hardware.s += 0.1
    assert asked == 3


@pytest.mark.parametrize(("data", "words"), [(None, r".+"), (b"\1\2\3\4\5", "checksum error")])
def test_a_dht22_that_does_not_answer_raises_and_comes_back(
    hardware: FakeHardware, data: bytes | None, words: str
) -> None:
    hardware.frame = lambda: data
    driver = make(hardware, "dht22", pin=9)
    with pytest.raises(OSError, match=words):
        driver.read()
    hardware.frame = Dht22(lambda: 21.5, lambda: 48.2, hardware.now_s).read
    with pytest.raises(OSError, match="when it was last asked"):
        driver.read()  # still within 2 s
    hardware.s += 2
    assert driver.read() == [215, 482]
