"""`[[sensor]]`: what an entry may say, and how a wrong one is refused before the hub starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import drivers as board
from hub.config import ConfigError
from hub.links.pins.board_drivers import BoardDrivers, DriversMissing
from hub.links.pins.plan import Plan, plan
from hub.model import Kind

ROOT = Path(__file__).parent.parent
DRIVERS = ROOT / "firmware/drivers"
NOWHERE = Path("/nonexistent")


def planned(*entries: dict[str, Any]) -> Plan:
    return plan(entries, drivers=DRIVERS, sys_root=NOWHERE, dev_root=NOWHERE, interval_ms=5000)


def refused(*entries: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        planned(*entries)
    return str(caught.value)


def test_an_entry_is_a_boards_entry() -> None:
    (sensor,) = planned(
        {"driver": "bme280", "address": 118, "prefix": "air", "title": "Air", "interval_ms": 2000}
    ).sensors
    assert [(metric.name, metric.title, metric.unit) for metric in sensor.metrics] == [
        ("air_temperature", "Air temperature", "°C"),
        ("air_pressure", "Air pressure", "hPa"),
        ("air_humidity", "Air humidity", "%"),
    ]
    assert {metric.interval_ms for metric in sensor.metrics} == {2000}


def test_what_says_no_interval_has_the_hosts() -> None:
    assert planned({"driver": "sht3x"}).sensors[0].poll_ms == 5000


def test_chips_of_one_bus_share_its_lane_and_another_bus_has_its_own() -> None:
    sensors = planned(
        {"driver": "sht3x", "prefix": "a"},
        {"driver": "bh1750"},
        {"driver": "sht3x", "i2c": 3, "prefix": "b"},
    ).sensors
    assert [sensor.lane for sensor in sensors] == ["i2c-1", "i2c-1", "i2c-3"]


def test_an_output_brings_its_command_with_the_boards_schema() -> None:
    (command,) = planned({"driver": "digital_out", "pin": 17, "name": "pump"}).sensors[0].commands
    assert command.name == "set_pump"
    assert command.params["properties"]["state"]["enum"] == ["on", "off"]


def test_an_input_is_a_boolean() -> None:
    (metric,) = planned({"driver": "digital_in", "pin": "GPIO4", "name": "door"}).sensors[0].metrics
    assert (metric.name, metric.kind, metric.unit) == ("door", Kind.BOOLEAN, "")


def test_a_named_channel_of_the_kernel_is_a_metric_before_it_is_there() -> None:
    (sensor,) = planned(
        {"driver": "iio", "device": "ads1015", "channel": "voltage0", "name": "level", "unit": "cm",
         "scale": 25.0, "zero": 0.4, "decimals": 1, "title": "Water level"},
    ).sensors  # fmt: skip
    (metric,) = sensor.metrics
    assert (metric.name, metric.unit, metric.decimals, metric.title) == ("level", "cm", 1, "Water level")


def test_a_ds18b20_is_named_as_on_a_board() -> None:
    (sensor,) = planned(
        {"driver": "ds18b20", "rom": "28ab907856341224", "prefix": "soil", "title": "Soil"}
    ).sensors
    assert [(metric.name, metric.title) for metric in sensor.metrics] == [
        ("soil_temperature", "Soil temperature")
    ]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"driver": "bme208"}, "there is no driver 'bme208'; did you mean 'bme280'?"),
        ({"driver": "../../etc/passwd"}, "there is no driver"),
        ({"driver": "options"}, "there is no driver 'options'"),
        ({"driver": "bme280", "sda": 2}, "bme280: there is no option 'sda'"),
        ({"driver": "bme280", "adress": 118}, "bme280: there is no option 'adress'"),
        ({"driver": "bme280", "address": 1}, "bme280: address must be 118 or 119, not 1"),
        ({"driver": "bme280", "i2c": 256}, "bme280: i2c must be 0 to 255, not 256"),
        ({"driver": "bme280", "interval_ms": 1}, "interval_ms must be 20 to 3600000"),
        ({"driver": "digital_in"}, "digital_in: pin is missing"),
        ({"driver": "digital_in", "pin": 4, "pull": "sideways"}, "pull must be none, up or down"),
        ({"driver": "digital_in", "pin": 4, "name": "Door Open"}, "the name 'Door Open' must be"),
        ({"driver": "pwm", "pin": 18}, 'pin must be a chip and its channel, as in "pwmchip0:0", not 18'),
        ({"driver": "adc", "pin": 26}, "adc: the Pi has no analog inputs"),
        ({"driver": "dht22", "pin": 4}, "dht22: the kernel reads it"),
        ({"driver": "internal"}, "internal: the Pi tells of itself"),
        ({"driver": "iio", "channel": "smell0"}, "iio: there is no channel 'smell0'"),
        ({"driver": "iio", "name": "x"}, "iio: `name` is for one channel"),
        ({"driver": "iio", "device": 4}, "iio: device must be a text, not 4"),
        ({"driver": "hwmon", "channel": "in0", "decimals": 12}, "hwmon: decimals must be 0 to 9"),
        ({"driver": "ds18b20", "rom": "28"}, "rom must be"),
        ({"driver": "ds18b20", "pin": 4}, "ds18b20: there is no option 'pin'"),
        ({"driver": "auto", "pin": 4}, "auto: there is no option 'pin'"),
        ({"driver": "auto", "interval_ms": True}, "auto: interval_ms must be a whole number, not True"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_with_its_place_and_the_reason(entry: dict[str, Any], words: str) -> None:
    message = refused({"driver": "sht3x"}, entry)
    assert message.startswith("`sensor[1]`: ")
    assert words in message


def test_a_pin_belongs_to_one_entry_by_number_or_by_name() -> None:
    message = refused({"driver": "digital_in", "pin": 17}, {"driver": "digital_out", "pin": "GPIO17"})
    assert message == "`sensor[1]`: digital_out: pin GPIO17 is taken: it is an input"


def test_a_name_that_is_there_twice_is_refused() -> None:
    assert "`sensor[1]`: the name temperature is there twice" in refused(
        {"driver": "sht3x"}, {"driver": "bme280"}
    )


def test_every_driver_of_boards_works_here_or_says_where_it_does() -> None:
    every = {path.stem for path in DRIVERS.glob("*.py")} - {"__init__", "options", "sensor"}
    assert set(BoardDrivers(DRIVERS).names()) == every - {"adc", "dht22", "internal"}


def test_options_are_checked_by_the_boards_own_rules() -> None:
    entry = {"driver": "ina219", "max_a": 2, "prefix": "solar"}
    theirs = board.check(entry)[1]
    ours = BoardDrivers(DRIVERS).check(entry)
    assert ours == {k: v for k, v in theirs.items() if k not in ("sda", "scl", "freq")} | {"i2c": 1}


def test_without_driver_files_a_sensor_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DriversMissing, match="holds no drivers; is the installation complete"):
        BoardDrivers(tmp_path / "none")


_KEYS = st.sampled_from(
    ["pin", "i2c", "address", "name", "interval_ms", "prefix", "channel", "device", "scale", "rom"]
)
_VALUES = st.one_of(
    st.integers(),
    st.text(max_size=70),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
)


# What is slow here is a machine with other work: no example does more than look at a dict.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    driver=st.sampled_from(["auto", "iio", "hwmon", "w1", "ds18b20", "digital_in", "pwm", "bme280", "x", ""]),
    entry=st.dictionaries(_KEYS, _VALUES, max_size=5),
)
def test_any_entry_is_planned_or_refused_as_configuration(driver: str, entry: dict[str, Any]) -> None:
    try:
        made = planned({**entry, "driver": driver})
    except ConfigError as error:
        assert str(error).startswith("`sensor[0]`: ")
    else:
        assert made.auto_ms is not None or len(made.sensors) == 1
