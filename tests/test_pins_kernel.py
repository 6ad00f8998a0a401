"""Sensors that drivers of the kernel read: sysfs trees as the ABI documents have them, and anything else."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.links.pins import hwmon, iio, w1
from hub.links.pins.kernel import Device, metric_name
from hub.links.pins.plan import discover
from tests import pi_machine
from tests.pi_machine import write

SCRATCHPAD = "72 01 4b 46 7f ff 0e 10 57 : crc=57 {}\n72 01 4b 46 7f ff 0e 10 57 t={}\n"


def values_of(device: Device) -> dict[str, float]:
    return {channel.name: round(channel.read(), 6) for channel in device.channels}


def units_of(device: Device) -> dict[str, str]:
    return {channel.name: channel.quantity.unit for channel in device.channels}


def test_an_iio_value_is_raw_and_offset_times_scale(tmp_path: Path) -> None:
    # The ABI's own example of a temperature: an offset before the scale, millidegrees after it.
    pi_machine.iio(tmp_path, 0, "tmp", in_temp_raw="1000", in_temp_offset="-200", in_temp_scale="31.25")
    (device,) = iio.find(tmp_path)
    assert values_of(device) == {"temp": 25.0}


def test_a_scale_may_be_shared_by_all_channels_of_a_type(tmp_path: Path) -> None:
    pi_machine.iio(
        tmp_path, 0, "ads1015",
        in_voltage0_raw="1000", in_voltage1_raw="500", in_voltage1_scale="1", in_voltage_scale="3.0",
        **{"in_voltage0-voltage1_raw": "-10", "in_voltage-voltage_scale": "2"},
    )  # fmt: skip
    (device,) = iio.find(tmp_path)
    assert values_of(device) == {"voltage0": 3.0, "voltage0-voltage1": -0.02, "voltage1": 0.5}


def test_an_iio_value_is_told_in_the_units_of_the_boards(tmp_path: Path) -> None:
    pi_machine.iio(
        tmp_path, 0, "bme280",
        in_temp_input="21500", in_pressure_input="101.325", in_humidityrelative_input="48250",
    )  # fmt: skip
    (device,) = iio.find(tmp_path)
    assert values_of(device) == {"humidityrelative": 48.25, "pressure": 1013.25, "temp": 21.5}
    assert units_of(device) == {"humidityrelative": "%", "pressure": "hPa", "temp": "°C"}


def test_what_is_ready_is_preferred_to_what_is_raw(tmp_path: Path) -> None:
    pi_machine.iio(tmp_path, 0, "isl", in_illuminance_raw="1", in_illuminance_input="120.5")
    assert values_of(iio.find(tmp_path)[0]) == {"illuminance": 120.5}


def test_axes_are_channels_and_extremes_are_not(tmp_path: Path) -> None:
    pi_machine.iio(
        tmp_path, 0, "mpu6050", in_accel_x_raw="16384", in_accel_scale="0.000598", in_accel_x_peak_raw="1",
        in_timestamp_en="0",
    )  # fmt: skip
    assert values_of(iio.find(tmp_path)[0]) == {"accel_x": pytest.approx(9.7976, abs=1e-3)}


def test_hwmon_units_are_those_of_its_interface(tmp_path: Path) -> None:
    pi_machine.hwmon(
        tmp_path, 0, "ina226",
        in1_input="11980", curr1_input="2000", power1_input="23960000", temp1_input="-4500",
        fan1_input="1200", humidity1_input="48250", energy1_input="1500000", in1_label="solar",
    )  # fmt: skip
    (device,) = hwmon.find(tmp_path)
    assert values_of(device) == {
        "curr1": 2.0, "energy1": 1.5, "fan1": 1200, "humidity1": 48.25, "in1": 11.98, "power1": 23.96,
        "temp1": -4.5,
    }  # fmt: skip
    assert device.channels[[c.name for c in device.channels].index("in1")].label == "solar"


def test_a_fault_of_the_sensor_is_no_value(tmp_path: Path) -> None:
    pi_machine.hwmon(tmp_path, 0, "lm75", temp1_input="21000", temp1_fault="1")
    with pytest.raises(OSError, match="fault"):
        hwmon.find(tmp_path)[0].channels[0].read()


def test_what_the_pi_tells_of_itself_is_not_found_again(tmp_path: Path) -> None:
    for number, name in enumerate(("cpu_thermal", "rpi_volt", "w1_slave_temp", "iio_hwmon")):
        pi_machine.hwmon(tmp_path, number, name, temp1_input="40000")
    assert discover(tmp_path) == []


def test_a_ds18b20_is_read_by_either_of_the_kernels_files(tmp_path: Path) -> None:
    folder = "bus/w1/devices/28-000005e2fdc3"
    write(tmp_path, f"{folder}/w1_slave", SCRATCHPAD.format("YES", 23125))
    (device,) = w1.find(tmp_path)
    assert values_of(device) == {"temperature": 23.125}
    write(tmp_path, f"{folder}/temperature", "-10125\n")
    assert values_of(device) == {"temperature": -10.125}


def test_a_wrong_checksum_on_1_wire_is_no_value(tmp_path: Path) -> None:
    write(tmp_path, "bus/w1/devices/28-000005e2fdc3/w1_slave", SCRATCHPAD.format("NO", 23125))
    with pytest.raises(OSError, match="checksum"):
        w1.find(tmp_path)[0].channels[0].read()


def test_a_boards_code_of_a_ds18b20_is_the_kernels_name_backwards() -> None:
    assert w1.device_of("28ab907856341224") == "28-1234567890ab"
    assert w1.device_of("28-1234567890ab") == "28-1234567890ab"


@pytest.mark.parametrize("rom", ["", "28", "10ab907856341224", "28-1234567890AB", "28ab90785634122"])
def test_what_is_no_code_of_a_ds18b20_is_refused(rom: str) -> None:
    with pytest.raises(ValueError, match="rom must be"):
        w1.device_of(rom)


def test_two_chips_of_one_name_are_told_apart_by_their_place(tmp_path: Path) -> None:
    for number, at in enumerate(("1-0048", "1-0049")):
        pi_machine.hwmon(tmp_path, number, "lm75", at=at, temp1_input="20000")
    assert [device.prefix() for device in hwmon.find(tmp_path)] == ["lm75_1-0048", "lm75_1-0049"]


def test_a_name_does_not_hang_on_the_order_in_which_the_kernel_found_devices(tmp_path: Path) -> None:
    pi_machine.hwmon(tmp_path, 0, "lm75", at="1-0048", temp1_input="20000")
    before = hwmon.find(tmp_path)[0].prefix()
    (tmp_path / "class/hwmon/hwmon0").rename(tmp_path / "class/hwmon/hwmon3")
    assert hwmon.find(tmp_path)[0].prefix() == before


def test_channels_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    pi_machine.hwmon(tmp_path, 0, "x", in10_input="1", in9_input="1", in1_input="1")
    assert [channel.name for channel in hwmon.find(tmp_path)[0].channels] == ["in1", "in9", "in10"]


@settings(deadline=None)
@given(text=st.text())
def test_any_text_becomes_a_name_that_the_birth_takes(text: str) -> None:
    name = metric_name(text)
    assert 1 <= len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-.")


_FILE = st.sampled_from(
    [
        "class/hwmon/hwmon0/name", "class/hwmon/hwmon0/temp1_input", "class/hwmon/hwmon0/temp1_fault",
        "class/hwmon/hwmon0/in0_label", "class/hwmon/hwmon²/in0_input", "bus/iio/devices/iio:device0/name",
        "bus/iio/devices/iio:device0/in_voltage0_raw", "bus/iio/devices/iio:device0/in_voltage_scale",
        "bus/iio/devices/iio:device0/in_temp_input", "bus/w1/devices/28-000005e2fdc3/w1_slave",
        "bus/w1/devices/28-000005e2fdc4/temperature",
    ]
)  # fmt: skip
_CONTENT = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"\n", b"nan", b"inf", b"1e999", b"-1\0", b"t=1", b"YES", b"YES\nt=\n", b"1_0", b"9" * 5000]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.dictionaries(_FILE, _CONTENT, max_size=8))
def test_whatever_stands_in_sysfs_a_channel_gives_a_finite_number_or_one_of_two_errors(
    files: dict[str, bytes],
) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        for path, content in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        for device in discover(root):
            assert device.prefix()
            for channel in device.channels:
                try:
                    value = channel.read()
                except (OSError, ValueError):
                    continue
                assert abs(value) < 1e308
    finally:
        shutil.rmtree(root)


def test_a_tree_that_is_not_there_has_no_sensors(tmp_path: Path) -> None:
    assert discover(tmp_path / "nothing") == []
