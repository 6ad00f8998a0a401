"""I2C on the Pi: the boards' own driver files, through smbus2, on the simulated chips."""

from __future__ import annotations

import errno
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual.chips import Sht3x
from hil.virtual.chips.bh1750 import Bh1750
from hil.virtual.chips.bme280 import Bme280, Bmp280
from hil.virtual.chips.ina219 import Ina219
from hil.virtual.chips.mpu6050 import Mpu6050
from hil.virtual.chips.veml7700 import Veml7700
from hub.links.pins.i2c import I2cBus
from hub.links.pins.plan import plan
from tests.pi_machine import FakeI2cKernel

if TYPE_CHECKING:
    from hub.links.pins.sensor import Sensor

DRIVERS = Path(__file__).parent.parent / "firmware/drivers"


class Now:
    """The chips' time, which a test moves by what a driver asks to wait."""

    s = 1.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeI2cKernel:
    return FakeI2cKernel(tmp_path / "dev", monkeypatch)


def sensor_of(tmp_path: Path, **entry: Any) -> Sensor:
    (sensor,) = plan(
        [entry], drivers=DRIVERS, sys_root=tmp_path / "sys", dev_root=tmp_path / "dev", interval_ms=1000
    ).sensors
    return sensor


def take(sensor: Sensor, now: Now) -> dict[str, Any]:
    now.s += sensor.begin() / 1000
    (taken,) = sensor.read(now.s * 1000)
    return dict(zip((metric.name for metric in sensor.metrics), taken.values, strict=True))


# The driver, its chip's address, the chip in this world, and what the driver makes of it in units.
AIR = {"temperature": 21.5, "pressure": 1013.25}
COLD = {"temperature": -4.25, "pressure": 987.5, "humidity": 48.25}
SOLAR = {"voltage": 11.98, "current": 0.2, "power": 2.392}
WORLD = [
    ("sht3x", 0x44, lambda n: Sht3x(lambda: 21.5, lambda: 50, n), {"temperature": 21.5, "humidity": 50}),
    ("bmp280", 0x76, lambda n: Bmp280(lambda: 21.5, lambda: 1013.25, n), AIR),
    ("bme280", 0x77, lambda n: Bme280(lambda: -4.25, lambda: 987.5, n, lambda: 48.25), COLD),
    ("bh1750", 0x23, lambda n: Bh1750(lambda: 500.0, n), {"illuminance": 500.0}),
    ("veml7700", 0x10, lambda n: Veml7700(lambda: 500.0, n), {"illuminance": 500.0}),
    ("ina219", 0x40, lambda n: Ina219(lambda: 0.02, lambda: 11.98, n), SOLAR),
]


@pytest.mark.parametrize(("driver", "address", "chip", "expected"), WORLD, ids=[one[0] for one in WORLD])
def test_a_boards_driver_file_reads_its_chip_on_the_pis_bus(
    tmp_path: Path, kernel: FakeI2cKernel, driver: str, address: int, chip: Any, expected: dict[str, float]
) -> None:
    now = Now()
    kernel.bus(1)[address] = chip(now)
    found = take(sensor_of(tmp_path, driver=driver, address=address), now)
    assert found == pytest.approx(expected, rel=1e-3, abs=0.03)


def test_an_mpu6050_gives_batches_with_the_time_of_each_sample(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    now = Now()
    kernel.bus(1)[0x68] = Mpu6050(lambda t: (0.5, -1.0, 0.25, 0.0, 0.0, 0.0), now)
    sensor = sensor_of(tmp_path, driver="mpu6050")
    times = []
    for _ in range(4):
        now.s += 0.2
        sensor.begin()
        for taken in sensor.read(now.s * 1000):
            times.append(taken.at_ms)
            assert taken.values[:3] == (0.5, -1.0, 0.25)
    assert len(times) == 30
    assert {round(b - a) for a, b in pairwise(times)} <= {19, 20, 21}


def test_a_register_is_read_with_a_repeated_start(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    kernel.bus(1)[0x76] = Bmp280(lambda: 20, lambda: 1000, Now())
    bus = I2cBus(1, sys_root=tmp_path / "sys", dev_root=tmp_path / "dev")
    assert bus.readfrom_mem(0x76, 0xD0, 1) == b"\x58"
    assert kernel.transfers == [(0x76, False, b"\xd0"), (0x76, True, b"\x58")]


def test_the_calls_of_machine_i2c_agree_with_each_other(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    kernel.bus(1)[0x76] = Bmp280(lambda: 20, lambda: 1000, Now())
    bus = I2cBus(1, sys_root=tmp_path / "sys", dev_root=tmp_path / "dev")
    one, other = bytearray(2), bytearray(2)
    bus.writeto_mem(0x76, 0xF5, b"\xa0")
    bus.readfrom_mem_into(0x76, 0xF4, one)
    bus.writeto(0x76, b"\xf4")
    bus.readfrom_into(0x76, other)
    bus.writeto(0x76, b"\xf4")
    assert one == other == bus.readfrom(0x76, 2) == b"\x00\xa0"


def test_a_scan_finds_the_chips_and_leaves_the_kernels_alone(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    chips = kernel.bus(1)
    for address in (0x23, 0x76, 0x77):
        chips[address] = Bmp280(lambda: 20, lambda: 1000, Now())
    (tmp_path / "sys/bus/i2c/devices/1-0076/driver").mkdir(parents=True)
    bus = I2cBus(1, sys_root=tmp_path / "sys", dev_root=tmp_path / "dev")
    assert bus.scan() == [0x23, 0x77]


def test_a_chip_that_the_kernel_drives_is_left_to_it(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    kernel.bus(1)[0x44] = Sht3x(lambda: 20, lambda: 50, Now())
    (tmp_path / "sys/bus/i2c/devices/1-0044/driver").mkdir(parents=True)
    with pytest.raises(OSError, match="a driver of the kernel has the chip at 0x44"):
        sensor_of(tmp_path, driver="sht3x").begin()
    assert kernel.transfers == []


def test_an_absent_chip_is_told_by_address_and_bus(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    kernel.bus(1)
    with pytest.raises(OSError, match=r"no chip answers at 0x44 of .*/i2c-1"):
        sensor_of(tmp_path, driver="sht3x").begin()


def test_a_bus_that_is_not_there_says_how_to_switch_it_on(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    with pytest.raises(OSError, match="switch I2C on") as caught:
        sensor_of(tmp_path, driver="sht3x").begin()
    assert caught.value.errno == errno.ENOENT


def test_an_smbus_alone_is_refused_in_words(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    kernel.bus(1)
    kernel.functions &= ~1
    with pytest.raises(OSError, match="SMBus alone"):
        sensor_of(tmp_path, driver="sht3x").begin()


def test_an_adapter_that_was_pulled_is_opened_again(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    now = Now()
    chip = Sht3x(lambda: 21.5, lambda: 50, now)
    kernel.bus(1)[0x44] = chip
    sensor = sensor_of(tmp_path, driver="sht3x")
    take(sensor, now)
    del kernel.buses[1]
    with pytest.raises(OSError, match="is gone"):
        sensor.begin()
    kernel.bus(1)[0x44] = chip
    assert take(sensor, now)["temperature"] == pytest.approx(21.5, abs=0.01)


def test_a_usb_adapters_bus_may_have_a_high_number(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    now = Now()
    kernel.bus(14)[0x44] = Sht3x(lambda: 21.5, lambda: 50, now)
    assert take(sensor_of(tmp_path, driver="sht3x", i2c=14), now)["humidity"] == pytest.approx(50, abs=0.01)


def test_no_name_of_micropython_comes_into_the_hubs_modules(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    kernel.bus(1)[0x44] = Sht3x(lambda: 21.5, lambda: 50, Now())
    sensor_of(tmp_path, driver="sht3x").begin()
    assert not {"machine", "micropython", "drivers", "hardware", "dht", "onewire"} & set(sys.modules)


def test_the_chips_time_is_the_machines_where_nobody_moves_it(tmp_path: Path, kernel: FakeI2cKernel) -> None:
    # A whole measurement in real time: what a driver waits is what the chip needs.
    kernel.bus(1)[0x76] = Bme280(lambda: 20.0, lambda: 1000.0, time.monotonic, lambda: 40.0)
    sensor = sensor_of(tmp_path, driver="bme280")
    time.sleep(sensor.begin() / 1000)
    (taken,) = sensor.read(time.monotonic() * 1000)
    assert list(taken.values) == pytest.approx([20, 1000, 40], abs=0.1)
