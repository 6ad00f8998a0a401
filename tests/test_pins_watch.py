"""The Pi's sensors at work: rhythm, edges, outputs, what fails alone, what comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from hil.virtual.chips import Sht3x
from hub.links.host import HostLink
from hub.links.link import NoAnswer, Refused
from hub.links.pins.lane import Lane
from hub.links.pins.plan import plan
from hub.links.pins.watch import PiSensors
from hub.model import Born, Command, LinkKind, Quality
from tests import pi_machine
from tests.background_task import beside
from tests.pi_machine import FakeGpio, FakeI2cKernel, Heard, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DRIVERS = Path(__file__).parent.parent / "firmware/drivers"
WALL_MS = 1_800_000_000_000


class Pi:
    """The Pi's sensors on trees in a folder; `heard` is what they said."""

    def __init__(self, folder: Path) -> None:
        self.sys, self.dev = folder / "sys", folder / "dev"
        self.heard = Heard()
        self.births = 0
        self.sensors: PiSensors

    def now_ms(self) -> int:
        return WALL_MS + round(time.monotonic() * 1000)

    @contextlib.asynccontextmanager
    async def running(self, *entries: dict[str, Any], scan_s: float = 0.02) -> AsyncIterator[Heard]:
        wired = plan(entries, drivers=DRIVERS, sys_root=self.sys, dev_root=self.dev, interval_ms=20)
        self.sensors = PiSensors(wired, device="host", now_ms=self.now_ms, scan_s=scan_s)
        self.sensors.prepare(())
        before = set(threading.enumerate())
        try:
            async with beside(self.sensors.run(self.heard, self._born)):
                yield self.heard
        finally:
            # A lane's thread that still works would touch the next test's fakes.
            for thread in set(threading.enumerate()) - before:
                if thread.daemon:
                    thread.join(5)

    async def send(self, name: str, **params: Any) -> Any:
        return await self.sensors.send(command(name, params))

    def _born(self) -> None:
        self.births += 1


def command(name: str, params: dict[str, Any], ttl_ms: int = 5000) -> Command:
    return Command(
        id="1", device="host", command=name, params=params, ttl_ms=ttl_ms, caller="user:x", origin="http",
        created_time=0,
    )  # fmt: skip


async def until(true: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)
    assert true(), what


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    return Pi(tmp_path)


@pytest.fixture
def gpio(pi: Pi, monkeypatch: pytest.MonkeyPatch) -> FakeGpio:
    return FakeGpio(pi.dev, monkeypatch)


# --- the kernel's sensors -----------------------------------------------------------------------------


async def test_auto_makes_metrics_of_what_the_kernel_has(pi: Pi) -> None:
    pi_machine.iio(pi.sys, 0, "bme280", at="1-0076", in_temp_input="21500")
    async with pi.running({"driver": "auto", "interval_ms": 20}) as heard:
        await until(lambda: heard.values("bme280_1-0076_temp"), "a value")
        (metric,) = pi.sensors.metrics
    assert (metric.title, metric.unit) == ("bme280 temperature", "°C")
    assert heard.values("bme280_1-0076_temp")[0] == 21.5
    assert pi.births == 1


async def test_auto_leaves_alone_what_an_entry_names(pi: Pi) -> None:
    for number, name in enumerate(("lm75", "ina226")):
        pi_machine.hwmon(pi.sys, number, name, temp1_input="19000")
    named = {"driver": "hwmon", "device": "lm75", "channel": "temp1", "name": "cellar"}
    async with pi.running(named, {"driver": "auto", "interval_ms": 20}) as heard:
        await until(lambda: heard.values("cellar") and heard.values("ina226_temp1"), "both")
        assert [metric.name for metric in pi.sensors.metrics] == ["cellar", "ina226_temp1"]


async def test_auto_takes_up_what_is_plugged_in_later(pi: Pi) -> None:
    async with pi.running({"driver": "auto", "interval_ms": 20}) as heard:
        await asyncio.sleep(0.05)
        pi_machine.hwmon(pi.sys, 4, "lm75", at="1-0048", temp1_input="19000")
        await until(lambda: heard.values("lm75_1-0048_temp1"), "a value")
    assert pi.births == 1


async def test_a_device_that_went_is_bad_and_is_read_again_under_another_number(pi: Pi) -> None:
    folder = pi_machine.hwmon(pi.sys, 1, "lm75", temp1_input="19000")
    entry = {"driver": "hwmon", "device": "lm75", "channel": "temp1", "name": "cellar"}
    async with pi.running(entry) as heard:
        await until(lambda: 19.0 in heard.values("cellar"), "a value")
        folder.rename(pi.sys / "elsewhere")
        await until(lambda: None in heard.values("cellar"), "a bad value")
        (pi.sys / "elsewhere").rename(pi.sys / "class/hwmon/hwmon7")
        await until(lambda: heard.values("cellar")[-1] == 19.0, "a value again")
    bad = heard.readings("cellar")[heard.values("cellar").index(None)]
    assert bad.quality_of(None) is Quality.BAD
    assert heard.said[-1] == "cellar answers again"


async def test_a_named_sensor_that_was_never_there_is_a_bad_metric(pi: Pi) -> None:
    async with pi.running({"driver": "ds18b20", "rom": "28-1234567890ab"}) as heard:
        await until(lambda: len(heard.values("temperature")) > 2, "values")
    assert set(heard.values("temperature")) == {None}
    (said,) = heard.said
    assert "there is no w1 device '28-1234567890ab'; there are: none" in said


async def test_several_thermometers_without_a_code_are_named(pi: Pi) -> None:
    for number in ("00000000000a", "00000000000b"):
        write(pi.sys, f"bus/w1/devices/28-{number}/temperature", "20000\n")
    async with pi.running({"driver": "ds18b20"}) as heard:
        await until(lambda: heard.said, "a word")
    assert "28-00000000000a" in heard.said[0]
    assert "28-00000000000b" in heard.said[0]


async def test_a_channel_that_fails_costs_no_other_of_its_device(pi: Pi) -> None:
    pi_machine.hwmon(pi.sys, 0, "lm75", temp1_input="19000", temp2_input="rubbish")
    async with pi.running({"driver": "hwmon", "device": "lm75", "prefix": "box"}) as heard:
        await until(lambda: heard.values("box_temp2"), "values")
    assert (heard.values("box_temp1")[0], heard.values("box_temp2")[0]) == (19.0, None)


async def test_scale_and_zero_make_of_a_voltage_what_it_means(pi: Pi) -> None:
    pi_machine.iio(pi.sys, 0, "ads1015", in_voltage0_raw="800", in_voltage_scale="3")
    entry = {"driver": "iio", "channel": "voltage0", "name": "level", "scale": 25, "zero": 0.4, "decimals": 1}
    async with pi.running(entry) as heard:
        await until(lambda: heard.values("level"), "a value")
    assert heard.values("level")[0] == 50.0


# --- GPIO ---------------------------------------------------------------------------------------------


async def test_an_edge_is_told_with_the_kernels_time(pi: Pi, gpio: FakeGpio) -> None:
    entry = {
        "driver": "digital_in",
        "pin": 4,
        "name": "door",
        "debounce_ms": 20,
        "pull": "up",
        "interval_ms": 3_600_000,
    }
    async with pi.running(entry) as heard:
        await until(lambda: heard.values("door") == [False], "the first level")
        at_ns = time.monotonic_ns() - 2_000_000_000
        gpio.requests[4].edge(True, at_ns)
        gpio.requests[4].edge(False, at_ns + 70_000_000)
        await until(lambda: len(heard.values("door")) == 3, "both edges")
        settings = gpio.requests[4].settings
    assert heard.values("door") == [False, True, False]
    first, second = (reading.source_time_ms for reading in heard.readings("door")[1:])
    assert second - first == pytest.approx(70, abs=2)
    assert first == pytest.approx(WALL_MS + at_ns / 1e6, abs=5)
    assert settings.debounce_period.total_seconds() == 0.02
    assert settings.bias.name == "PULL_UP"


def test_edges_come_by_the_hubs_own_event_loop_too(pi: Pi, gpio: FakeGpio) -> None:
    async def watch() -> list[Any]:
        async with pi.running({"driver": "digital_in", "pin": 4, "interval_ms": 3_600_000}) as heard:
            await until(lambda: heard.values("input"), "the first level")
            for count in range(2, 12):
                gpio.requests[4].edge(count % 2 == 0, time.monotonic_ns())
                await until(lambda count=count: len(heard.values("input")) == count, "an edge")  # type: ignore[misc]  # mypy cannot type a default of a lambda
        return heard.values("input")

    assert uvloop.run(watch()) == [False, *(True, False) * 5]


async def test_an_inverted_input_is_true_while_it_is_low(pi: Pi, gpio: FakeGpio) -> None:
    async with pi.running({"driver": "digital_in", "pin": "GPIO4", "invert": True}) as heard:
        await until(lambda: heard.values("input"), "a level")
    assert heard.values("input")[0] is True


async def test_pulses_are_counted_with_those_the_kernel_had_no_room_for(pi: Pi, gpio: FakeGpio) -> None:
    entry = {"driver": "pulse_counter", "pin": 6, "name": "rain", "per_pulse": 0.2794, "decimals": 2}
    async with pi.running(entry) as heard:
        await until(lambda: 6 in gpio.requests, "the request")
        now = time.monotonic_ns()
        gpio.requests[6].edge(False, now)
        gpio.requests[6].edge(False, now + 1_000_000, dropped=7)
        await until(lambda: heard.values("rain")[-1:] == [2.51], "nine pulses")
    assert heard.values("rain_rate")[0] is None


async def test_a_counter_debounces_by_the_edges_own_times(pi: Pi, gpio: FakeGpio) -> None:
    entry = {"driver": "pulse_counter", "pin": 6, "debounce_ms": 50}
    async with pi.running(entry) as heard:
        await until(lambda: 6 in gpio.requests, "the request")
        now = time.monotonic_ns()
        # All four wait in the kernel when they are read; the second bounces.
        for after_ms in (0, 20, 100, 200):
            gpio.requests[6].edge(False, now + after_ms * 1_000_000)
        await until(lambda: heard.values("pulses")[-1:] == [3], "three pulses")
        await asyncio.sleep(0.05)
    assert heard.values("pulses")[-1] == 3


async def test_an_output_is_set_by_its_command_and_told_at_once(pi: Pi, gpio: FakeGpio) -> None:
    entry = {"driver": "digital_out", "pin": 17, "name": "pump", "interval_ms": 3_600_000}
    async with pi.running(entry) as heard:
        await until(lambda: heard.values("pump") == [False], "the first state")
        assert await pi.send("set_pump", state="on") == {"state": "on"}
        assert gpio.levels[17] == 1
    assert heard.values("pump") == [False, True]


async def test_an_output_starts_as_it_says(pi: Pi, gpio: FakeGpio) -> None:
    async with pi.running({"driver": "digital_out", "pin": 17, "initial": "on", "invert": True}) as heard:
        await until(lambda: heard.values("output"), "a state")
        assert gpio.levels[17] == 0
    assert heard.values("output")[0] is True


async def test_lines_are_given_back_when_the_hub_stops(pi: Pi, gpio: FakeGpio) -> None:
    async with pi.running({"driver": "digital_in", "pin": 4}, {"driver": "digital_out", "pin": 17}):
        await until(lambda: set(gpio.requests) == {4, 17}, "both requests")
    await until(lambda: not gpio.requests, "no request")


async def test_a_chip_that_was_pulled_is_requested_again(pi: Pi, gpio: FakeGpio) -> None:
    async with pi.running({"driver": "digital_in", "pin": 4}) as heard:
        await until(lambda: heard.values("input"), "a level")
        gpio.gone = True
        await until(lambda: heard.values("input")[-1] is None, "a bad value")
        gpio.gone = False
        await until(lambda: heard.values("input")[-1] is False, "a level again")
        gpio.requests[4].edge(True, time.monotonic_ns())
        await until(lambda: True in heard.values("input"), "an edge")


async def test_a_pin_in_use_elsewhere_is_told_in_words(pi: Pi, gpio: FakeGpio) -> None:
    gpio.busy.add(4)
    async with pi.running({"driver": "digital_in", "pin": 4}) as heard:
        await until(lambda: heard.said, "a word")
    assert heard.said[0] == "input does not answer: pin 4 is in use by another program or driver"


async def test_a_number_is_refused_where_no_chip_is_the_header(
    pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeGpio(pi.dev, monkeypatch, label="ftdi-cbus")
    async with pi.running({"driver": "digital_in", "pin": 4}) as heard:
        await until(lambda: heard.said, "a word")
    assert 'say which chip\'s, as in "gpiochip0:4"' in heard.said[0]


# --- PWM ----------------------------------------------------------------------------------------------


async def test_a_pwm_is_exported_set_up_and_follows_its_command(pi: Pi) -> None:
    write(pi.sys, "class/pwm/pwmchip0/export", "")
    export = pi.sys / "class/pwm/pwmchip0/export"
    channel = pi.sys / "class/pwm/pwmchip0/pwm2"
    entry = {"driver": "pwm", "pin": "pwmchip0:2", "name": "fan", "freq": 25000, "initial": 50}
    async with pi.running(entry) as heard:
        await until(lambda: heard.said, "a word that the channel is not there")
        # Tried again and again; a file, unlike the kernel's, is empty between its opening and the write.
        await until(lambda: export.read_text() == "2", "the export")
        channel.mkdir()  # what the kernel makes of the export
        await until((channel / "enable").exists, "the channel")
        assert await pi.send("set_fan", duty=25) == {"duty": 25.0}
        await until(lambda: heard.values("fan")[-1] == 25.0, "the new duty")
    files = {path.name: path.read_text() for path in channel.iterdir()}
    assert files == {"period": "40000", "duty_cycle": "10000", "enable": "1"}


# --- what fails alone ---------------------------------------------------------------------------------


async def test_a_bus_that_hangs_stops_no_other(pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.pins.lane.TIMEOUT_S", 0.1)
    monkeypatch.setattr(Lane.__init__, "__defaults__", (0.1,))
    kernel = FakeI2cKernel(pi.dev, monkeypatch)
    for number in (1, 3):
        kernel.bus(number)[0x44] = Sht3x(lambda: 21.5, lambda: 50, time.monotonic)
    threads = threading.active_count()
    entries = [{"driver": "sht3x", "i2c": n, "prefix": f"on{n}", "interval_ms": 20} for n in (1, 3)]
    async with pi.running(*entries) as heard:
        await until(lambda: 21.5 in heard.values("on1_temperature"), "a value")
        kernel.hang.add(1)
        await until(lambda: None in heard.values("on1_temperature"), "a bad value")
        count = len(heard.values("on3_temperature"))
        await until(lambda: len(heard.values("on3_temperature")) > count + 5, "the other bus")
        assert None not in heard.values("on3_temperature")
        assert threading.active_count() <= threads + 2
        kernel.hang.clear()
        await until(lambda: heard.values("on1_temperature")[-1] == 21.5, "a value again")
    assert any("did not answer within 0.1 s" in text for text in heard.said)


async def test_a_drivers_own_defect_costs_its_sensor_alone(pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    pi_machine.hwmon(pi.sys, 0, "lm75", temp1_input="19000")
    FakeI2cKernel(pi.dev, monkeypatch).bus(1)[0x44] = object()  # a chip without a method
    async with pi.running(
        {"driver": "sht3x"}, {"driver": "hwmon", "device": "lm75", "prefix": "box"}
    ) as heard:
        await until(lambda: heard.values("box_temp1") and None in heard.values("temperature"), "both")
    assert heard.values("box_temp1")[0] == 19.0


async def test_a_command_that_is_not_there_or_not_possible_is_refused(pi: Pi, gpio: FakeGpio) -> None:
    gpio.busy.add(17)
    async with pi.running({"driver": "digital_out", "pin": 17}):
        with pytest.raises(Refused, match="it has no command 'dance'"):
            await pi.send("dance")
        with pytest.raises(Refused, match="pin 17 is in use"):
            await pi.send("set_output", state="on")


async def test_a_command_on_a_lane_that_hangs_ends_with_its_time_to_live(pi: Pi, gpio: FakeGpio) -> None:
    async with pi.running({"driver": "digital_out", "pin": 17, "interval_ms": 3_600_000}) as heard:
        await until(lambda: heard.values("output"), "the first state")
        monkey = gpio.requests[17]
        monkey.set_value = lambda *_: time.sleep(0.3)  # type: ignore[method-assign]  # a chip that is slow
        with pytest.raises(NoAnswer, match="within 50 ms"):
            await pi.sensors.send(command("set_output", {"state": "on"}, ttl_ms=50))


# --- the host link ------------------------------------------------------------------------------------


async def test_the_pis_birth_has_its_vitals_its_sensors_and_its_commands(
    pi: Pi, gpio: FakeGpio, tmp_path: Path
) -> None:
    pi_machine.hwmon(pi.sys, 0, "lm75", temp1_input="19000")
    entries: list[dict[str, Any]] = [
        {"driver": "digital_out", "pin": 17, "name": "pump"},
        {"driver": "hwmon", "device": "lm75", "channel": "temp1", "name": "uptime"},
        {"driver": "auto"},
    ]
    wired = plan(entries, drivers=DRIVERS, sys_root=pi.sys, dev_root=pi.dev, interval_ms=50)
    link = HostLink(data=tmp_path, now_ms=pi.now_ms, interval_s=0.05, sys_root=pi.sys, pins=wired)
    async with beside(link.run(pi.heard)):
        await until(lambda: pi.heard.values("pump") and pi.heard.values("uptime"), "readings")
        assert await link.send(command("set_pump", {"state": "on"})) == {"state": "on"}
    names = [metric.name for metric in pi.heard.birth.metrics]
    assert {"uptime", "memory_used", "pump"} <= set(names)
    assert len(names) == len(set(names))
    assert [known.name for known in pi.heard.birth.commands] == ["set_pump"]
    assert isinstance(pi.heard.events[0], Born)
    assert pi.heard.events[0].link is LinkKind.HOST
    assert any("the name uptime is taken" in text for text in pi.heard.said)
