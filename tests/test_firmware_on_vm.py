"""The firmware's parts on the MicroPython VM, with a board's 192 KB heap and simulated chips."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.vm import needs_vm, run_on_vm

if TYPE_CHECKING:
    from typing import Any

pytestmark = [needs_vm, pytest.mark.slow]


def ask(script: str) -> Any:
    """Run a script that prints one line of JSON."""
    return json.loads(run_on_vm(script).splitlines()[-1])


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


def test_the_whole_firmware_takes_less_than_72_kb_of_heap() -> None:
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
    assert ask(script) < 72 * 1024


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
from jobs import Refused
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
