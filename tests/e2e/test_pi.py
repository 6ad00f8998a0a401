"""The Pi's own pins, end to end: a hub process whose sysfs is a folder and whose I2C chips are simulated.

Below smbus2 and beside sysfs nothing of a Pi is real here (tests/pi_machine.py); everything above is.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil.hub import HubError, HubProcess
from tests import pi_machine
from tests.e2e.api import Api
from tests.pi_machine import write

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parent.parent.parent
# Python imports a module of this name at its start: the hub's process gets a bus with a chip.
SITE = """
import time
from pathlib import Path
from hil.virtual.chips.bme280 import Bme280
from tests.pi_machine import FakeI2cKernel
chip = Bme280(lambda: 21.5, lambda: 1013.25, time.monotonic, lambda: 48.25)
FakeI2cKernel(Path({dev!r})).bus(1)[0x76] = chip
"""
CONFIG = """
[host]
interval_ms = 500
sysfs = "{sys}"
dev = "{dev}"
[[sensor]]
driver = "auto"
[[sensor]]
driver = "bme280"
prefix = "air"
title = "Air"
interval_ms = 200
[[sensor]]
driver = "ds18b20"
rom = "28ab907856341224"
prefix = "soil"
[[sensor]]
driver = "pwm"
pin = "pwmchip0:0"
name = "fan"
interval_ms = 200
[serial]
ports = []
[mqtt]
enabled = false
"""


class Pi:
    """A hub on such a machine."""

    def __init__(self, folder: Path) -> None:
        self.sys = folder / "sys"
        site, dev = folder / "site", folder / "dev"
        write(site, "sitecustomize.py", SITE.format(dev=str(dev)))
        pi_machine.hwmon(self.sys, 2, "ina226", at="1-0040", in1_input="11980")
        for name in ("export", "pwm0/period"):
            write(self.sys, f"class/pwm/pwmchip0/{name}", "")
        write(self.sys, "bus/w1/devices/28-1234567890ab/temperature", "9125\n")
        self.hub = HubProcess(
            folder / "data",
            config=CONFIG.format(sys=self.sys, dev=dev),
            environ={"PYTHONPATH": f"{site}:{ROOT}"},
        )
        self.api = Api(self.hub)

    def last(self, metric: str) -> Any:
        """Return a metric's last sample, or None while there is none."""
        return {one["name"]: one["last"] for one in self.api.device("host")["metrics"]}.get(metric)

    def wait(self, metric: str, value: Any) -> None:
        """Wait until the metric's last value is `value`."""
        deadline = time.monotonic() + 20
        while (last := self.last(metric)) is None or last["value"] != value:
            assert time.monotonic() < deadline, f"{metric} is {last}\n{self.hub.tail()}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def pi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pi]:
    pi = Pi(tmp_path_factory.mktemp("pi"))
    with pi.hub:
        yield pi


def test_a_chip_on_the_pis_bus_is_a_metric_of_the_pi(pi: Pi) -> None:
    pi.wait("air_temperature", 21.5)
    pi.wait("air_pressure", 1013.25)
    assert pi.last("air_humidity")["quality"] == "good"


def test_what_the_kernel_reads_is_a_metric_of_the_pi(pi: Pi) -> None:
    pi.wait("ina226_1-0040_in1", 11.98)
    pi.wait("soil_temperature", 9.12)


def test_a_sensor_that_is_pulled_is_bad_and_says_so_on_the_console(pi: Pi) -> None:
    pi.wait("soil_temperature", 9.12)
    folder = pi.sys / "bus/w1/devices/28-1234567890ab"
    folder.rename(pi.sys / "pulled")
    pi.wait("soil_temperature", None)
    assert pi.last("soil_temperature")["quality"] == "bad"
    said = [line["text"] for line in pi.api.get("devices/host/console")["items"]]
    assert any("soil_temperature does not answer" in text for text in said)
    (pi.sys / "pulled").rename(folder)
    pi.wait("soil_temperature", 9.12)


def test_an_output_of_the_pi_takes_a_checked_command(pi: Pi) -> None:
    assert pi.api.command("host", "set_fan", duty=40)["state"] == "succeeded"
    pi.wait("fan", 40.0)
    assert (pi.sys / "class/pwm/pwmchip0/pwm0/duty_cycle").read_text() == "400000"
    (command,) = pi.api.device("host")["commands"]
    assert command["params"]["properties"]["duty"]["maximum"] == 100


def test_the_pis_sensors_are_in_history(pi: Pi) -> None:
    pi.wait("air_temperature", 21.5)
    deadline = time.monotonic() + 20
    while not pi.api.stored("host", "air_temperature"):
        assert time.monotonic() < deadline, pi.hub.tail()
        time.sleep(0.2)


def test_a_sensor_that_cannot_be_keeps_the_hub_from_starting_and_says_which(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path / "data", config='[[sensor]]\ndriver = "bme208"\n[serial]\nports = []\n')
    wanted = r"data\.toml: `sensor\[0\]`: there is no driver 'bme208'; did you mean 'bme280'"
    with pytest.raises(HubError, match=wanted):
        hub.start()
