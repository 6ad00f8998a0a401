"""The drivers on the MicroPython VM: a board's heap, its own I2C, 1-Wire and pins, and simulated chips."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual.chips import I2cBus, Sht3x
from hil.virtual.chips.bh1750 import Bh1750
from hil.virtual.chips.bme280 import Bme280, Bmp280
from hil.virtual.chips.dht22 import Dht22
from hil.virtual.chips.ds18b20 import Ds18b20, rom_code
from hil.virtual.chips.ina219 import Ina219
from hil.virtual.chips.mpu6050 import Mpu6050
from hil.virtual.chips.onewire import OneWireBus
from hil.virtual.chips.veml7700 import Veml7700
from hil.virtual.hardware import Wiring
from tests.vm import needs_vm, run_on_vm

if TYPE_CHECKING:
    from hil.virtual.chips import Chip

pytestmark = [needs_vm, pytest.mark.slow]

READ = """
import asyncio, json, settings
from sensors import Sensors
sensors = Sensors()
sensors.add_configured(settings.Settings({"sensors": json.loads(%r)}))
async def main():
    for turn in range(%d):
        taken = {}
        for group in sensors.groups:
            await asyncio.sleep_ms(group.begin())
            group.readings(0)
            for entry, value in zip(group.metrics, group.latest):
                taken[entry["name"]] = value
        print(json.dumps(taken))
        await asyncio.sleep_ms(%d)
asyncio.run(main())
"""


class Clock:
    """A time for chips that is always long enough after the last look: the script's own is out of reach."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        self.s += 0.5
        return self.s


def read(
    sensors: list[dict[str, Any]], wiring: Wiring, *, turns: int = 1, pause_ms: int = 0
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what was printed, and the values by metric of each turn of `sensors` on a board."""
    lines = run_on_vm(READ % (json.dumps(sensors), turns, pause_ms), wiring=wiring).splitlines()
    said = [line for line in lines if not line.startswith("{")]
    return said, [json.loads(line) for line in lines if line.startswith("{")]


def on_i2c(chips: dict[int, Chip]) -> Wiring:
    wiring = Wiring()
    wiring.buses[0] = I2cBus(chips)
    return wiring


CHIPS: list[tuple[str, int, Any, dict[str, float]]] = [
    (
        "sht3x",
        0x44,
        lambda now: Sht3x(lambda: 21.5, lambda: 48.25, now),
        {"temperature": 2150, "humidity": 4825},
    ),
    (
        "bmp280",
        0x76,
        lambda now: Bmp280(lambda: 21.5, lambda: 1013.25, now),
        {"temperature": 2150, "pressure": 101325},
    ),
    (
        "bme280",
        0x76,
        lambda now: Bme280(lambda: 21.5, lambda: 1013.25, now, lambda: 48.25),
        {"temperature": 2150, "pressure": 101325, "humidity": 4825},
    ),
    ("bh1750", 0x23, lambda now: Bh1750(lambda: 500.0, now), {"illuminance": 50000}),
    ("veml7700", 0x10, lambda now: Veml7700(lambda: 500.0, now), {"illuminance": 50000}),
    (
        "ina219",
        0x40,
        lambda now: Ina219(lambda: 0.020, lambda: 11.98, now),
        {"voltage": 11980, "current": 2000, "power": 2392},
    ),
]


@pytest.mark.parametrize(("name", "address", "chip", "expected"), CHIPS, ids=[chip[0] for chip in CHIPS])
def test_an_i2c_driver_reads_its_chip(name: str, address: int, chip: Any, expected: dict[str, int]) -> None:
    said, (values,) = read([{"driver": name}], on_i2c({address: chip(Clock())}))
    assert values == {metric: pytest.approx(value, rel=0.0015, abs=2) for metric, value in expected.items()}
    assert said == []


def test_an_mpu6050_gives_batches() -> None:
    clock = Clock()
    chip = Mpu6050(lambda t: (1.0, -1.0, 0.5, 100.0, -250.0, math.sin(t)), lambda: clock.s)
    script = """
import json, drivers
from hardware import Hardware
from machine import Pin
driver = drivers.make({"driver": "mpu6050"}, Hardware())
driver.begin()
driver.read_batch(0)
Pin(2, Pin.OUT, value=1)
driver.begin()
print(json.dumps(driver.read_batch(1000)))
"""
    wiring = on_i2c({0x68: chip})
    wiring.outputs = Later(clock, 0.2)
    batch = json.loads(run_on_vm(script, wiring=wiring).splitlines()[-1])
    assert [time for time, _ in batch] == list(range(820, 1001, 20))
    assert batch[0][1][:5] == [10000, -10000, 5000, 10000, -25000]


class Later(dict[str, int]):
    """Outputs of a board whose setting moves a clock on: how a script waits for a chip."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def __setitem__(self, pin: str, level: int) -> None:
        super().__setitem__(pin, level)
        self._clock.s += self._seconds


def test_ds18b20_are_found_by_the_search_and_read_by_their_roms() -> None:
    wiring = Wiring()
    roms = sorted(rom_code(serial) for serial in (1, 2, 0xFFFFFFFFFFFF, 0x800000000000))
    clock = Clock()
    wiring.one_wires["22"] = OneWireBus(
        Ds18b20(rom, partial(float, 20 + index), clock) for index, rom in enumerate(roms)
    )
    sensors = [{"driver": "ds18b20", "pin": 22}]
    sensors += [
        {"driver": "ds18b20", "pin": 22, "rom": rom.hex(), "prefix": f"p{n}"} for n, rom in enumerate(roms)
    ]
    said, (values,) = read(sensors, wiring)
    assert values == {"temperature": None} | {f"p{n}_temperature": 2000 + 100 * n for n in range(4)}
    assert len(said) == 1
    assert all(rom.hex() in said[0] for rom in roms)


def test_a_dht22_is_read() -> None:
    wiring = Wiring()
    wiring.dht22s["9"] = Dht22(lambda: -10.1, lambda: 65.2, Clock())
    _, (values,) = read([{"driver": "dht22", "pin": 9}], wiring)
    assert values == {"temperature": -101, "humidity": 652}


def test_pins_are_read_and_set() -> None:
    wiring = Wiring()
    wiring.analog_v[1] = lambda: 1.65 + 0.66 * 0.5
    wiring.inputs["15"] = lambda: True
    adc = {"driver": "adc", "pin": 27, "name": "v", "decimals": 3, "per_volt": 1.51515, "zero_v": 1.65}
    sensors = [
        adc,
        {"driver": "digital_in", "pin": 15, "name": "door", "debounce_ms": 20},
        {"driver": "digital_out", "pin": 3, "name": "relay", "initial": "on"},
        {"driver": "pwm", "pin": 4, "name": "fan", "freq": 25000, "initial": 40},
    ]
    said, (values,) = read(sensors, wiring)
    assert (said, values) == ([], {"v": 500, "door": 1, "relay": 1, "fan": 400})
    assert (wiring.outputs["3"], wiring.duties["4"], wiring.frequencies["4"]) == (1, 26214, 25000)


def test_a_pulse_counter_counts_by_the_pins_interrupt() -> None:
    wiring = Wiring()
    levels = iter([1] + [0, 1, 1] * 10)  # each look sees the next: 10 falling edges
    wiring.inputs["6"] = lambda: bool(next(levels, 1))
    sensors = [{"driver": "pulse_counter", "pin": 6, "name": "rain"}]
    _, turns = read(sensors, wiring, turns=2, pause_ms=1000)
    assert turns[0]["rain"] in range(2)
    assert turns[0]["rain_rate"] is None
    # 1000 ms are at most 500 looks of 2 ms; 30 of them suffice, also on a machine that is busy
    assert (turns[1]["rain"], turns[1]["rain_rate"] > 0) == (10, True)


class Damaged(Sht3x):
    """A chip whose bytes arrive damaged."""

    def read(self, count: int) -> bytes:
        data = super().read(count)
        return data[:1] + bytes([data[1] ^ 4]) + data[2:]


@pytest.mark.parametrize(
    "chips", [{}, {0x44: Damaged(lambda: 20.0, lambda: 50.0, Clock())}], ids=["absent", "damaged"]
)
def test_a_chip_that_does_not_answer_gives_null_is_told_once_and_stops_no_other(
    chips: dict[int, Any],
) -> None:
    wiring = on_i2c(chips | {0x23: Bh1750(lambda: 500.0, Clock())})
    said, turns = read([{"driver": "sht3x"}, {"driver": "bh1750"}], wiring, turns=3)
    assert turns == [{"temperature": None, "humidity": None, "illuminance": 50000}] * 3
    assert len(said) == 1
    assert said[0].startswith("temperature does not answer:")


def test_a_chip_that_comes_back_is_set_up_and_told() -> None:
    class Loose(I2cBus):
        """A wire that holds from the tenth transfer on."""

        transfers = 0

        def chip(self, address: int) -> Chip:
            self.transfers += 1
            return super().chip(address if self.transfers > 2 else 0x7F)

    wiring = Wiring()
    wiring.buses[0] = Loose({0x76: Bme280(lambda: 21.5, lambda: 1013.25, Clock(), lambda: 48.25)})
    said, turns = read([{"driver": "bme280"}], wiring, turns=3)
    assert [turn["temperature"] for turn in turns] == [None, None, 2150]
    assert [line.split(":")[0] for line in said] == [
        "temperature does not answer",
        "temperature answers again",
    ]


def test_a_driver_that_fails_by_its_own_fault_stops_no_other() -> None:
    script = """
import json
from sensors import Group
class Broken:
    metrics = [{"name": "broken"}]
    def begin(self): return 0
    def read(self): return [1 // 0]
class Well:
    metrics = [{"name": "well"}]
    def begin(self): return 0
    def read(self): return [7]
group = Group(1000)
group.add(Broken())
group.add(Well())
group.begin()
print(json.dumps(group.read()))
"""
    lines = run_on_vm(script).splitlines()
    assert lines == ["broken does not answer: ZeroDivisionError('divide by zero',)", "[null, 7]"]


TAKEN = [{"driver": "adc", "pin": 27, "name": "taken"}, {"driver": "bh1750"}]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"driver": "no_such"}, "there is no driver 'no_such'"),
        ({"driver": "../main"}, "there is no driver '../main'"),
        ({"driver": "sensor"}, "there is no driver 'sensor'"),
        ({"driver": 5}, "there is no driver 5"),
        ({}, "driver is missing"),
        (7, "an entry of sensors must be an object"),
        ({"driver": "adc"}, "adc: pin is missing"),
        ({"driver": "adc", "pin": 26, "interval_ms": 0}, "adc: interval_ms must be 20 to 3600000, not 0"),
        ({"driver": "digital_in", "pin": 15, "pull": "side"}, "digital_in: pull must be none, up or down,"),
        ({"driver": "adc", "pin": 26, "name": "taken"}, "adc: the name taken is there twice"),
        ({"driver": "adc", "pin": 26, "name": "Not A Name"}, "adc: a name must be 1 to 64 of"),
        ({"driver": "adc", "pin": 26, "decimals": 10}, "adc: decimals must be 0 to 9, not 10"),
        ({"driver": "digital_in", "pin": 27}, "digital_in: pin 27 is taken: it is an analog input"),
        ({"driver": "digital_out", "pin": 3, "name": "interval"}, "digital_out: the command set_interval is"),
        ({"driver": "sht3x", "scl": 6}, "sht3x: i2c 0 is in use with sda 4, scl 5"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_had_is_told_and_the_others_stay(entry: Any, words: str) -> None:
    config = json.dumps({"sensors": [*TAKEN, entry]})
    script = f"""
import json, settings
from sensors import Sensors
sensors = Sensors()
sensors.add_configured(settings.Settings(json.loads({config!r})))
print(json.dumps(sensors.names()))
"""
    lines = run_on_vm(script).splitlines()
    assert lines[0].startswith("board.json: sensors[2] is left out: " + words)
    assert json.loads(lines[-1]) == ["taken", "illuminance"]


@pytest.mark.parametrize(
    ("name", "params", "answer"),
    [
        ("set_relay", {"state": "on"}, {"state": "on"}),
        ("set_relay", {"state": "open"}, "state must be one of on, off"),
        ("set_fan", {"duty": 37.5}, {"duty": 37.5}),
        ("set_fan", {"duty": 101}, "duty must be 0 to 100"),
        ("set_fan", {"duty": "much"}, "duty must be a number"),
        (
            "set_interval",
            {"metric": "acceleration_x", "interval_ms": 500},
            "the rate of acceleration_x is set in",
        ),
        (
            "set_interval",
            {"metric": "humidity", "interval_ms": 500},
            "temperature can be read each 2000 ms at most",
        ),
    ],
)
def test_outputs_are_set_by_commands_that_are_checked(name: str, params: dict[str, Any], answer: Any) -> None:
    sensors = [
        {"driver": "digital_out", "pin": 3, "name": "relay"},
        {"driver": "pwm", "pin": 8, "name": "fan"},
        {"driver": "mpu6050"},
        {"driver": "dht22", "pin": 9},
    ]
    script = f"""
import asyncio, json, node, settings
from jobs import Refused
node.make_outbox = lambda: node.Outbox(4096)
n = node.Node(settings.Settings({{"sensors": json.loads({json.dumps(sensors)!r})}}))
async def go():
    try:
        return await n._commands.run({name!r}, json.loads({json.dumps(params)!r}))
    except Refused as error:
        return str(error)
print(json.dumps(asyncio.run(go())))
"""
    got = json.loads(run_on_vm(script).splitlines()[-1])
    assert got == answer if isinstance(answer, dict) else got.startswith(answer)


def test_every_driver_at_once_leaves_room_for_an_outbox_and_for_work() -> None:
    chips = ("sht3x", "bme280", "ina219", "mpu6050", "bh1750", "veml7700")
    sensors: list[dict[str, Any]] = [{"driver": name, "prefix": name} for name in chips]
    sensors += [
        {"driver": "adc", "pin": 26},
        {"driver": "digital_in", "pin": 15},
        {"driver": "digital_out", "pin": 2},
    ]
    sensors += [{"driver": "pwm", "pin": 3}, {"driver": "pulse_counter", "pin": 6}]
    sensors += [{"driver": "ds18b20", "pin": 22, "prefix": "w"}, {"driver": "dht22", "pin": 9, "prefix": "d"}]
    script = f"""
import gc, json
gc.threshold(8192)  # as main.py
import node, settings
n = node.Node(settings.Settings({{"sensors": json.loads({json.dumps(sensors)!r})}}))
gc.collect()
print(json.dumps([len(n.sensors.names()), len(n.outbox._ring), gc.mem_free()]))
"""
    said = run_on_vm(script).splitlines()
    metrics, outbox, free = json.loads(said[-1])
    assert (said[:-1], metrics) == ([], 30)
    assert outbox >= 30_000
    assert free >= 30_000


def test_a_driver_for_which_there_is_no_room_is_told_and_left_out() -> None:
    script = """
import json, settings
import drivers
from sensors import Sensors
drivers.load = lambda name: bytearray(1 << 20)
sensors = Sensors()
sensors.add_configured(settings.Settings({"sensors": [{"driver": "bme280"}]}))
print(json.dumps(sensors.names()))
"""
    lines = run_on_vm(script).splitlines()
    assert lines[0].startswith("board.json: sensors[0] is left out: memory allocation failed")
    assert lines[-1] == "[]"
