import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.virtual.chips import I2cBus, NoAcknowledge, Sht3x, sensirion_crc8


class Now:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def sht3x(temperature_c: float = 20.0, humidity_percent: float = 50.0, now: Now | None = None) -> Sht3x:
    return Sht3x(lambda: temperature_c, lambda: humidity_percent, now or Now())


def test_the_checksum_is_the_datasheets_example() -> None:
    assert sensirion_crc8(b"\xbe\xef") == 0x92  # SHT3x datasheet, table 20


@given(st.floats(-45, 130), st.floats(0, 100))
def test_a_measurement_converts_back_by_the_datasheets_formulas(temperature: float, humidity: float) -> None:
    now = Now()
    chip = sht3x(temperature, humidity, now)
    chip.write(b"\x24\x00")
    now.s = 0.016
    data = chip.read(6)
    assert (sensirion_crc8(data[:2]), sensirion_crc8(data[3:5])) == (data[2], data[5])
    assert -45 + 175 * int.from_bytes(data[:2], "big") / 65535 == pytest.approx(temperature, abs=0.002)
    assert 100 * int.from_bytes(data[3:5], "big") / 65535 == pytest.approx(humidity, abs=0.001)


def test_a_measurement_is_not_there_before_its_time() -> None:
    now = Now()
    chip = sht3x(now=now)
    chip.write(b"\x24\x00")
    now.s = 0.010
    with pytest.raises(NoAcknowledge):
        chip.read(6)


def test_a_measurement_is_read_once() -> None:
    chip = sht3x()
    chip.write(b"\x2c\x06")  # clock stretching: no wait
    chip.read(6)
    with pytest.raises(NoAcknowledge):
        chip.read(6)


def test_an_unknown_command_is_not_acknowledged() -> None:
    with pytest.raises(NoAcknowledge):
        sht3x().write(b"\x12\x34")


def test_the_status_tells_of_a_reset_until_it_is_cleared() -> None:
    chip = sht3x()
    chip.write(b"\xf3\x2d")
    before = chip.read(3)
    chip.write(b"\x30\x41")
    chip.write(b"\xf3\x2d")
    assert (before[:2], chip.read(3)[:2]) == (b"\x00\x10", b"\x00\x00")


def test_a_value_beyond_the_sensors_range_saturates() -> None:
    now = Now()
    chip = sht3x(temperature_c=500, now=now)
    chip.write(b"\x24\x00")
    now.s = 1
    assert chip.read(2) == b"\xff\xff"


def test_an_empty_address_does_not_acknowledge() -> None:
    bus = I2cBus({0x44: sht3x()})
    assert bus.scan() == [0x44]
    with pytest.raises(NoAcknowledge):
        bus.chip(0x45)
