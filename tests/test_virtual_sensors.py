"""The simulated chips against their datasheets' worked examples."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.virtual.chips import bme280, dht22
from hil.virtual.chips.bh1750 import Bh1750
from hil.virtual.chips.bus import NoAcknowledge
from hil.virtual.chips.ds18b20 import Ds18b20, rom_code
from hil.virtual.chips.ina219 import Ina219
from hil.virtual.chips.mpu6050 import FIFO_BYTES, Mpu6050
from hil.virtual.chips.onewire import OneWireBus, OneWireDevice, maxim_crc8
from hil.virtual.chips.veml7700 import Veml7700, resolution_lx


class Now:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def registers(chip: bme280.Bmp280 | Mpu6050 | Ina219 | Veml7700, register: int, count: int) -> bytes:
    chip.write(bytes((register,)))
    return chip.read(count)


def test_the_bmp280_computes_the_datasheets_example() -> None:
    t_fine = bme280.fine_temperature(bme280.EXAMPLE_RAW_T)  # BMP280 datasheet, 3.12
    assert t_fine == pytest.approx(128422, abs=0.5)
    assert t_fine / 5120 == pytest.approx(25.08, abs=0.005)
    assert bme280.pressure_pa(bme280.EXAMPLE_RAW_P, t_fine) == pytest.approx(100653.27, abs=0.01)


def test_the_bme280_measures_once_for_each_forced_mode_and_then_sleeps() -> None:
    now = Now()
    chip = bme280.Bme280(lambda: 25.0, lambda: 1000.0, now, lambda: 50.0)
    assert registers(chip, 0xD0, 1) == b"\x60"
    chip.write(b"\xf2\x01")
    chip.write(b"\xf4\x25")
    assert registers(chip, 0xF3, 1) == b"\x08"
    now.s = 0.0113  # 9.3 ms at the longest, each oversampled once
    assert registers(chip, 0xF3, 2) == b"\x00\x24"


def test_the_bh1750s_word_is_the_datasheets_example() -> None:
    now = Now()
    chip = Bh1750(lambda: 28067, now)
    chip.write(b"\x20")
    now.s = 0.18
    assert chip.read(2) == b"\x83\x90"  # technical note: 28067 lx


def test_the_bh1750_does_not_know_an_opcode_of_no_meaning() -> None:
    with pytest.raises(NoAcknowledge):
        Bh1750(lambda: 1.0, Now()).write(b"\xff")


def test_the_veml7700s_resolutions_are_the_application_notes() -> None:
    # table 1: gain 2 at 800 ms, gain 1 at 100 ms, gain 1/8 at 100 ms and at 25 ms
    found = [resolution_lx(word) for word in (1 << 11 | 3 << 6, 0, 2 << 11, 2 << 11 | 12 << 6)]
    assert found == pytest.approx([0.0042, 0.0672, 0.5376, 2.1504])


def test_the_ina219_computes_the_datasheets_example() -> None:
    now = Now()
    chip = Ina219(lambda: 0.020, lambda: 11.98, now)  # 10 A through 2 mOhm (8.5.4)
    chip.write(b"\x05\x50\x00")
    now.s = 1
    words = [int.from_bytes(registers(chip, register, 2), "big") for register in (1, 2, 4, 3)]
    # shunt 2000, bus 2995 with the ready bit, current 10000 of 1 mA, power 5990 of 20 mW
    assert words == [0x07D0, 0x5D9A, 0x2710, 0x1766]


def test_the_ina219_shows_a_conversion_only_when_it_is_done() -> None:
    now = Now()
    chip = Ina219(lambda: 0.0, lambda: 5.0, now)
    chip.write(b"\x00\x39\x9b")
    assert registers(chip, 2, 2)[1] & 2 == 0
    now.s = 0.0012
    assert registers(chip, 2, 2)[1] & 2 == 2


def test_the_mpu6050_scales_as_its_ranges_say() -> None:
    now = Now()
    chip = Mpu6050(lambda t: (1.0, -1.0, 0.5, 100.0, -100.0, 0.0), now, temperature_c=lambda: 36.53)
    chip.write(b"\x6b\x01")
    chip.write(b"\x19\x13\x04\x08\x10")  # 50 Hz, 500 °/s, 8 g
    now.s = 0.05
    assert struct.unpack(">7h", registers(chip, 0x3B, 14)) == (4096, -4096, 2048, 0, 6550, -6550, 0)


def test_the_mpu6050s_fifo_keeps_the_newest_and_tells_what_it_lost() -> None:
    now = Now()
    chip = Mpu6050(lambda t: (t, 0.0, 0.0, 0.0, 0.0, 0.0), now)
    chip.write(b"\x6b\x01")
    chip.write(b"\x19\x13\x04\x00\x18")
    chip.write(b"\x23\x78")
    chip.write(b"\x6a\x40")
    now.s = 0.101
    assert int.from_bytes(registers(chip, 0x72, 2), "big") == 5 * 12
    first = struct.unpack(">6h", registers(chip, 0x74, 12))
    assert first[0] == round(0.02 * 2048)
    now.s = 60
    assert int.from_bytes(registers(chip, 0x72, 2), "big") == FIFO_BYTES
    assert registers(chip, 0x3A, 1) == b"\x10"


def test_the_one_wire_checksum_is_the_application_notes_example() -> None:
    assert maxim_crc8(bytes.fromhex("021cb801000000")) == 0xA2  # Maxim's application note 27


@pytest.mark.parametrize(
    ("celsius", "raw"),
    [
        (125, 0x07D0), (85, 0x0550), (25.0625, 0x0191), (10.125, 0x00A2), (0.5, 0x0008),
        (0, 0), (-0.5, 0xFFF8), (-10.125, 0xFF5E), (-25.0625, 0xFE6F), (-55, 0xFC90),
    ],
)  # fmt: skip
def test_the_ds18b20s_registers_are_those_of_its_table(celsius: float, raw: int) -> None:
    now = Now()
    bus = OneWireBus([Ds18b20(rom_code(1), lambda: celsius, now)])
    assert bus.reset()
    bus.write(b"\xcc\x44")
    assert bus.slot(1) == 0  # still converting
    now.s = 0.75
    assert bus.slot(1) == 1
    bus.reset()
    bus.write(b"\xcc\xbe")
    data = bus.read(9)
    assert (int.from_bytes(data[:2], "little"), maxim_crc8(data)) == (raw, 0)


def test_a_ds18b20_starts_with_85_degrees_and_its_eeproms_settings() -> None:
    chip = Ds18b20(rom_code(1), lambda: 20.0, Now())
    bus = OneWireBus([chip])
    bus.reset()
    bus.write(b"\xcc\x4e\x01\x02\x1f")
    assert chip.scratchpad()[2:5] == b"\x01\x02\x1f"
    chip.power_on()
    assert chip.scratchpad()[:5] == b"\x50\x05\x4b\x46\x7f"


def test_only_the_device_whose_rom_is_called_answers() -> None:
    now = Now()
    warm, cold = Ds18b20(rom_code(1), lambda: 30.0, now), Ds18b20(rom_code(2), lambda: 5.0, now)
    bus = OneWireBus([warm, cold])
    bus.reset()
    bus.write(b"\xcc\x44")
    now.s = 1
    bus.reset()
    bus.write(b"\x55" + cold.rom + b"\xbe")
    assert bus.read(2) == (5 * 16).to_bytes(2, "little")


def test_a_rom_code_with_a_wrong_checksum_is_refused() -> None:
    with pytest.raises(ValueError, match="no ROM code"):
        OneWireDevice(bytes(7) + b"\x01")


def test_a_dht22s_frame_is_the_datasheets_example() -> None:
    assert dht22.frame(652, 351) == bytes.fromhex("028c015fee")
    assert dht22.frame(652, -101) == bytes.fromhex("028c806573")


@given(st.integers(-400, 800), st.integers(0, 1000))
def test_a_dht22_gives_frames_whose_sum_is_right(temperature: int, humidity: int) -> None:
    frame = dht22.Dht22(lambda: temperature / 10, lambda: humidity / 10, Now()).read()
    assert frame == dht22.frame(humidity, temperature)
    assert frame is not None
    assert sum(frame[:4]) & 0xFF == frame[4]
