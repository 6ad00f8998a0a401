"""Drivers in the whole firmware on a virtual board, as a hub sees them: batches, outputs, loose chips."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual.chips.bme280 import Bme280
from hil.virtual.chips.mpu6050 import Mpu6050
from hub.wire.events import Lost, Opened, Printed, Taken
from tests.board_host import Host
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [needs_vm, pytest.mark.slow]

CONFIGURATION = {
    "name": "bench",
    "sensors": [
        {"driver": "mpu6050"},
        {"driver": "bme280", "interval_ms": 200},
        {"driver": "digital_out", "pin": 16, "name": "pump"},
        {"driver": "pwm", "pin": 17, "name": "fan"},
        {"driver": "adc", "pin": 16},
    ],
}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    served = Host(tmp_path, CONFIGURATION)
    board = served.board
    now_s = board.clock.now_s
    chips = board.wiring.buses[0].chips
    chips[0x68] = Mpu6050(lambda t: (math.sin(t), 0.0, 1.0, 0.0, 0.0, 0.0), now_s)
    chips[0x76] = Bme280(lambda: 21.5, lambda: 1013.25, now_s, lambda: 48.25)
    board.start()
    yield served
    board.stop()
    served.hang_up()
    assert board.crashes == []


def samples(host: Host, metric: str) -> list[tuple[int, Any]]:
    """Return (ticks, value) of a metric, in the order in which they came."""
    return [
        (taken.ticks, taken.values[taken.group.names.index(metric)])
        for taken in host.of(Taken)
        if metric in taken.group.names
    ]


def test_50_samples_a_second_arrive_with_even_times_and_none_missing(host: Host) -> None:
    host.until(lambda: len(samples(host, "acceleration_x")) >= 250, timeout_s=60)
    taken = samples(host, "acceleration_x")
    (opened,) = host.of(Opened)
    intervals = {name: group.interval_ms for group in opened.birth.groups for name in group.names}
    assert (intervals["acceleration_x"], intervals["temperature"]) == (20, 200)
    steps = [after - before for (before, _), (after, _) in pairwise(taken)]
    assert sum(steps) / len(steps) == pytest.approx(20, abs=0.5)
    assert sorted(steps)[len(steps) // 20] >= 15  # nearly all: a busy host stalls the board, not the chip
    assert host.of(Lost) == []
    # sin(t) has no slope beyond 1: a missing or double sample, or a wrong time, would show as a jump.
    values = [(ticks, value) for ticks, value in taken if value is not None]
    slopes = [(after - before) / (later - sooner) for (sooner, before), (later, after) in pairwise(values)]
    assert max(abs(slope) for slope in slopes) <= 0.001 * 2


def test_outputs_are_commands_of_the_birth_and_show_what_was_set(host: Host) -> None:
    host.until(lambda: host.session.open)
    (opened,) = host.of(Opened)
    assert {"set_pump", "set_fan"} <= {command.name for command in opened.birth.commands}
    assert host.command("set_pump", state="on").value == {"state": "on"}
    assert host.command("set_fan", duty=37.5).value == {"duty": 37.5}
    assert (host.board.wiring.outputs["16"], host.board.wiring.duties["17"]) == (1, 24576)
    read = host.command("read").value
    assert (read["pump"], read["fan"]) == (True, 37.5)
    refused = host.command("set_fan", duty=200)
    assert (refused.ok, refused.value) == (False, "duty must be 0 to 100")


def test_a_loose_chip_gives_nulls_is_told_and_comes_back_while_the_others_go_on(host: Host) -> None:
    chips = host.board.wiring.buses[0].chips
    host.until(lambda: [v for v in host.values("pressure") if v is not None])
    loose = chips.pop(0x76)
    host.until(lambda: host.values("pressure")[-1] is None)
    moving = len(host.values("acceleration_x"))
    host.until(lambda: len(host.values("acceleration_x")) > moving + 50)
    assert isinstance(loose, Bme280)
    loose.power_on()
    chips[0x76] = loose
    host.until(lambda: host.values("pressure")[-1] is not None)
    assert host.values("pressure")[-1] == pytest.approx(1013.25, abs=0.02)
    said = [line.text for line in host.of(Printed)]
    assert [line for line in said if line.startswith("temperature does not answer")] == said[1:2]
    assert said[-1] == "temperature answers again"


def test_an_entry_that_is_left_out_is_told_on_the_console(host: Host) -> None:
    host.until(lambda: host.of(Printed))
    assert (
        host.of(Printed)[0].text
        == "board.json: sensors[4] is left out: adc: pin 16 is taken: it is an output"
    )
