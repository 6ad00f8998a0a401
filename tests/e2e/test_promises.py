"""The promises, on a hub that is really killed and boards that are really unplugged."""

from __future__ import annotations

import subprocess
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import UIDS

if TYPE_CHECKING:
    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e

BOARD, OTHER = UIDS


def has_no_hole_and_no_double(values: list[Any]) -> bool:
    """`sequence` starts anew with each boot and grows by one with each sample in it."""
    return all(after in (before + 1, 0, 1) for before, after in pairwise(values))


def test_a_birth_makes_metrics_with_units_and_commands_without_configuration(rig: Rig) -> None:
    device = rig.api.device(BOARD)
    units = {metric["name"]: metric["unit"] for metric in device["metrics"]}
    assert units["temperature"] == "°C"
    assert units["humidity"] == "%"
    assert {"light", "vibration", "door", "memory", "uptime", "sequence"} <= units.keys()
    assert {"led", "read", "set_interval", "identify", "reboot"} <= {
        one["name"] for one in device["commands"]
    }


def test_what_the_board_sent_is_stored_without_hole_or_double(rig: Rig) -> None:
    rig.wait(lambda: len(rig.api.stored(BOARD, "sequence")) >= 5)
    assert has_no_hole_and_no_double(rig.api.stored(BOARD, "sequence"))


def test_a_killed_hub_loses_nothing_and_stores_nothing_twice(rig: Rig) -> None:
    for _ in range(3):
        time.sleep(1.7)
        rig.hub.kill()
        rig.hub.start()
        rig.wait(lambda: rig.api.online(BOARD))
    before = len(rig.api.stored(BOARD, "sequence"))
    rig.wait(lambda: len(rig.api.stored(BOARD, "sequence")) >= before + 2)
    assert has_no_hole_and_no_double(rig.api.stored(BOARD, "sequence"))


def test_an_unplugged_board_keeps_its_samples_until_it_is_back(rig: Rig) -> None:
    rig.boards[0].unplug()
    rig.wait(lambda: not rig.api.online(BOARD))
    time.sleep(3)
    rig.boards[0].replug()
    rig.wait(lambda: rig.api.online(BOARD))
    before = len(rig.api.stored(BOARD, "sequence"))
    rig.wait(lambda: len(rig.api.stored(BOARD, "sequence")) >= before + 2)
    assert has_no_hole_and_no_double(rig.api.stored(BOARD, "sequence"))


def test_a_command_to_an_unplugged_board_fails_at_once_and_says_why(rig: Rig) -> None:
    rig.boards[1].unplug()
    rig.wait(lambda: not rig.api.online(OTHER))
    result = rig.api.command(OTHER, "led", state="on")
    rig.boards[1].replug()
    rig.wait(lambda: rig.api.online(OTHER))
    assert result["state"] == "failed"
    assert "offline" in result["error"]


def test_a_board_in_trouble_leaves_the_others_alone(rig: Rig) -> None:
    before = len(rig.api.stored(OTHER, "sequence"))
    rig.boards[0].power_off()
    rig.wait(lambda: len(rig.api.stored(OTHER, "sequence")) >= before + 3)
    rig.boards[0].power_on()
    rig.wait(lambda: rig.api.online(BOARD))


def test_plain_and_json_payloads_by_mqtt_become_samples(rig: Rig) -> None:
    for topic, payload in (
        ("outpost/shed/temperature", "21.5"),
        ("outpost/shed/fan", '{"value": 1200, "unit": "rpm"}'),
    ):
        subprocess.run(
            ["mosquitto_pub", "-p", str(rig.broker.port), "-t", topic, "-m", payload, "-q", "1"], check=True
        )
    rig.wait(lambda: any(item["id"] == "shed" for item in rig.api.get("devices")["items"]))
    rig.wait(lambda: rig.api.stored("shed", "temperature") == [21.5])
    assert {metric["name"]: metric["unit"] for metric in rig.api.device("shed")["metrics"]}["fan"] == "rpm"


def test_the_host_is_a_device_with_units(rig: Rig) -> None:
    units = {metric["unit"] for metric in rig.api.device("host")["metrics"]}
    assert "%" in units


def test_the_audit_trail_knows_who_asked_for_what(rig: Rig) -> None:
    rig.api.command(BOARD, "identify")
    entry = rig.api.get("commands")["items"][0]
    assert (entry["device"], entry["command"], entry["state"]) == (BOARD, "identify", "succeeded")
    assert entry["caller"].startswith("token:")


def test_a_board_that_does_not_answer_in_time_gives_timed_out(rig: Rig) -> None:
    rig.boards[1].console.interrupt()  # Ctrl-C: the board sits at its REPL, and says nothing of commands
    result = rig.api.post(f"devices/{OTHER}/commands", {"command": "read", "params": {}, "ttl_ms": 1500})
    rig.boards[1].reset()
    rig.wait(lambda: not rig.api.online(OTHER))
    rig.wait(lambda: rig.api.online(OTHER))
    assert result["state"] == "timed_out"
