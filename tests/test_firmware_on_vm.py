"""The firmware's parts on the MicroPython VM, with a board's 192 KB heap and simulated chips."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hil.virtual.chips import I2cBus, Sht3x
from hil.virtual.hardware import Wiring
from tests.vm import needs_vm, run_on_vm

if TYPE_CHECKING:
    from typing import Any

pytestmark = [needs_vm, pytest.mark.slow]


def ask(script: str, wiring: Wiring | None = None) -> Any:
    """Run a script that prints one line of JSON."""
    return json.loads(run_on_vm(script, wiring=wiring).splitlines()[-1])


class Ready(Sht3x):
    """The chip with its measurement done at once, since a script's time stands still."""

    _MEASURE_S = dict.fromkeys(Sht3x._MEASURE_S, 0.0)


def sht3x(temperature_c: float, humidity: float) -> Wiring:
    wiring = Wiring()
    wiring.buses[0] = I2cBus({0x44: Ready(lambda: temperature_c, lambda: humidity, lambda: 0.0)})
    return wiring


@pytest.mark.parametrize(
    ("temperature_c", "humidity", "values"),
    [
        (21.5, 48.25, [2150, 4825]),
        (-39.9, 0.0, [-3990, 0]),
        (0.0, 100.0, [0, 10000]),
        (125.0, 99.99, [12500, 9999]),
    ],
)
def test_sht3x_gives_hundredths_of_degrees_and_percent(
    temperature_c: float, humidity: float, values: list[int]
) -> None:
    script = (
        "import json; from drivers import sht3x; s = sht3x.make({}); s.begin(); print(json.dumps(s.read()))"
    )
    assert ask(script, sht3x(temperature_c, humidity)) == values


def test_sht3x_checksum_is_the_datasheets() -> None:
    assert ask("import json; from drivers import sht3x; print(json.dumps(sht3x.crc8(b'\\xbe\\xef')))") == 0x92


class Damaged(Ready):
    """A chip whose bytes arrive damaged."""

    def read(self, count: int) -> bytes:
        data = super().read(count)
        return data[:1] + bytes([data[1] ^ 4]) + data[2:]


@pytest.mark.parametrize("chips", [{}, {0x44: Damaged(lambda: 20.0, lambda: 50.0, lambda: 0.0)}])
def test_a_sensor_that_does_not_answer_gives_null_and_is_told_once(chips: dict[int, Any]) -> None:
    wiring = Wiring()
    wiring.buses[0] = I2cBus(chips)
    script = """
import json
from drivers import sht3x
from sensors import Group
group = Group(1000)
group.add(sht3x.make({}))
for _ in range(3):
    group.begin()
    values = group.read()
print(json.dumps(values))
"""
    lines = run_on_vm(script, wiring=wiring).splitlines()
    assert lines[0].startswith("temperature does not answer:")
    assert [json.loads(line) for line in lines[1:]] == [[None, None]]


def test_an_adc_scales_volts_by_its_zero_and_slope() -> None:
    wiring = Wiring()
    wiring.analog_v[1] = lambda: 1.65 + 0.66 * 0.5
    script = """
import json
from drivers import adc
d = adc.make({"pin": 27, "name": "v", "unit": "g", "decimals": 3, "per_volt": 1.51515, "zero_v": 1.65})
print(json.dumps([d.read(), d.metrics]))
"""
    assert ask(script, wiring) == [[500], [{"name": "v", "unit": "g", "decimals": 3}]]


def test_a_digital_input_can_be_inverted() -> None:
    wiring = Wiring()
    wiring.inputs["15"] = lambda: True
    script = """
import json
from drivers import digital_in as d
print(json.dumps([d.make({"pin": 15}).read(), d.make({"pin": 15, "invert": True, "pull": "up"}).read()]))
"""
    assert ask(script, wiring) == [[1], [0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "/board.json: syntax error in JSON; the defaults hold"),
        ('{"interval_ms": 1}', "/board.json: interval_ms must be 20 to 3600000; the defaults hold"),
        ('{"sensors": {}}', "/board.json: sensors must be of type list; the defaults hold"),
        ("[]", "the defaults hold"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told_and_the_board_runs_bare(text: str, words: str) -> None:
    script = f"""
with open("/board.json", "w") as file:
    file.write({text!r})
import settings
print(settings.load().interval_ms)
"""
    lines = run_on_vm(script).splitlines()
    assert words in lines[0]
    assert lines[1] == "1000"


@pytest.mark.parametrize(
    "sensor",
    [
        {"driver": "no_such"},
        {"driver": "../main"},
        {"driver": 5},
        {},
        {"driver": "adc"},
        {"driver": "adc", "pin": 26, "interval_ms": 0},
        {"driver": "digital_in", "pin": 15, "pull": "sideways"},
        {"driver": "adc", "pin": 26, "name": "taken"},
        {"driver": "adc", "pin": 26, "name": "Not A Name"},
        {"driver": "adc", "pin": 26, "unit": "x" * 17},
        {"driver": "adc", "pin": 26, "title": 5},
        {"driver": "adc", "pin": 26, "decimals": 10},
    ],
)
def test_a_sensor_that_cannot_be_had_is_left_out_and_the_others_stay(sensor: dict[str, Any]) -> None:
    config = json.dumps({"sensors": [{"driver": "adc", "pin": 27, "name": "taken"}, sensor]})
    script = f"""
import json, settings
from sensors import Sensors
sensors = Sensors()
sensors.add_configured(settings.Settings(json.loads({config!r})))
print(json.dumps(sensors.names()))
"""
    lines = run_on_vm(script).splitlines()
    assert "is left out" in lines[0]
    assert json.loads(lines[-1]) == ["taken"]


def test_a_group_never_outgrows_a_frame() -> None:
    script = """
import json
from sensors import Sensors
from wire.frame import MAX_PAYLOAD
from wire.message import payload, reading
class Fake:
    def __init__(self, n): self.metrics = [{"name": "m%d" % n}]
sensors = Sensors()
for n in range(30): sensors.add(Fake(n), 1000)
longest = max(len(group.metrics) for group in sensors.groups)
size = len(payload(reading((1 << 53) - 1, (1 << 53) - 1, 63, [-(1 << 53) + 1] * longest)))
print(json.dumps([len(sensors.groups), size <= MAX_PAYLOAD]))
"""
    assert ask(script) == [3, True]


def test_time_goes_on_where_the_ticks_wrap() -> None:
    script = """
import json, time
import port
class Time:
    ticks_diff = time.ticks_diff
    at = 0
    def ticks_ms(): return Time.at & ((1 << 30) - 1)
port.time = Time
Time.at = (1 << 30) - 100
clock = port.Clock()
seen = []
for step in (50, 60, 1 << 28, 1 << 28, 1 << 28, 1 << 28):
    Time.at += step
    seen.append(clock.now())
print(json.dumps(seen))
"""
    assert ask(script) == [50, 110, *[110 + n * (1 << 28) for n in range(1, 5)]]


def test_each_boot_has_its_own_id() -> None:
    boots = {run_on_vm("import port; print(port.boot_id())") for _ in range(3)}
    assert len(boots) == 3


def test_the_whole_firmware_takes_less_than_60_kb_of_heap() -> None:
    script = """
import gc, json
gc.collect()
before = gc.mem_alloc()
import node, settings
node.make_outbox = lambda: node.Outbox(512)
n = node.Node(settings.Settings({}))
gc.collect()
print(json.dumps(gc.mem_alloc() - before))
"""
    assert ask(script) < 60_000


@pytest.mark.parametrize(
    ("name", "params", "answer"),
    [
        ("led", {"state": "on"}, {"state": "on"}),
        ("led", {"state": "blink", "interval_ms": 100}, {"state": "blink"}),
        ("led", {}, "state is missing"),
        ("led", {"state": "purple"}, "state must be one of on, off, blink"),
        ("led", {"state": ["on"]}, "state must be one of on, off, blink"),
        ("led", {"state": "on", "x": 1}, "there is no parameter 'x'"),
        ("led", {"state": "on", "interval_ms": True}, "interval_ms must be a whole number"),
        ("led", {"state": "on", "interval_ms": 1}, "interval_ms must be 20 to 10000"),
        ("identify", {}, {"seconds": 3}),
        ("set_interval", {"metric": "nope", "interval_ms": 500}, "metric must be one of"),
        ("__init__", {}, "there is no command '__init__'"),
    ],
)
def test_commands_do_what_they_say_or_say_why_not(name: str, params: dict[str, Any], answer: Any) -> None:
    script = f"""
import asyncio, json, node, settings
from commands import Refused
n = node.Node(settings.Settings({{}}))
async def go():
    try:
        return await n._commands.run({name!r}, json.loads({json.dumps(params)!r}))
    except Refused as error:
        return str(error)
print(json.dumps(asyncio.run(go())))
"""
    got = ask(script)
    assert got == answer if isinstance(answer, dict) else got.startswith(answer)


def test_an_hour_without_a_hub_fill_the_outbox_and_leave_the_rest_of_the_heap_alone() -> None:
    # The outbox fills in 25 minutes; what is seen after each of four quarters must be the same.
    script = """
import asyncio, gc, json
import node, port, settings

class Deaf:
    async def read(self):
        await asyncio.sleep_ms(1000)
        return b""
    async def write(self, frame):
        pass

port.Console = Deaf
board = node.Node(settings.Settings({"sensors": [{"driver": "adc", "pin": 26, "name": "light"}]}))
heap = []

async def watch():
    for _ in range(4):
        await asyncio.sleep(900)
        gc.collect()
        heap.append(gc.mem_alloc())
    board._failed.set()

async def main():
    asyncio.create_task(watch())
    await board.run()

asyncio.run(main())
box = board.outbox
print(json.dumps([heap, box.next_seq, box.dropped, len(box)]))
"""
    heap, taken, dropped, kept = json.loads(run_on_vm(script, virtual_time=True).splitlines()[-1])
    assert 3590 <= taken <= 3610
    assert kept > 1000
    assert dropped + kept == taken
    assert max(heap) - min(heap) < 1000
