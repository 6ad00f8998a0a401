"""A virtual board is configured by commands: checked, stored, on trial, confirmed or put back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual import image
from hub.wire.events import Opened, Printed
from tests.board_host import Host
from tests.failing_driver import DEEDS, DRIVER, hurry
from tests.vm import needs_vm, run_on_vm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [needs_vm, pytest.mark.slow]

DOOR = {"driver": "digital_in", "pin": 15, "name": "door"}
NEW = {
    "name": "renamed",
    "interval_ms": 500,
    "sensors": [DOOR, {"driver": "adc", "pin": 26, "name": "light"}],
}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path, image.demo_configuration("bench"))
    hurry(tmp_path / "flash", "guard.py", "CONFIRM_MS = const(20000)", "CONFIRM_MS = const(700)")
    hurry(tmp_path / "flash", "watchdog.py", "_TIMEOUT_MS = const(8000)", "_TIMEOUT_MS = const(700)")
    made.board.start()
    made.until(lambda: made.session.open)
    yield made
    made.board.stop()
    made.hang_up()
    assert made.board.crashes == []


def metrics(host: Host) -> set[str]:
    return {name for group in host.of(Opened)[-1].birth.groups for name in group.names}


def notices(host: Host) -> list[str]:
    return [opened.birth.notice for opened in host.of(Opened)]


def test_a_new_configuration_is_answered_tried_and_confirmed(host: Host, tmp_path: Path) -> None:
    former = host.command("configuration").value
    assert former["configuration"] == image.demo_configuration("bench")
    assert former["on_trial"] is False
    answer = host.command("configure", configuration=NEW)
    assert (answer.ok, answer.value["changed"]) == (True, True)
    host.until(lambda: "new settings on trial" in notices(host))
    assert host.of(Opened)[-1].birth.name == "renamed"
    assert {"door", "light"} <= metrics(host)
    assert "humidity" not in metrics(host)
    host.until(lambda: notices(host)[-1] == "")
    told = host.command("configuration").value
    assert (told["configuration"], told["on_trial"]) == (NEW, False)
    assert host.command("configure", configuration=NEW).value == {"changed": False}
    assert not (tmp_path / "flash" / "trial.json").exists()


def test_names_and_a_set_interval_outlive_a_restart(host: Host, tmp_path: Path) -> None:
    host.command("set_interval", metric="vibration", interval_ms=200)
    host.command("set_interval", metric="sequence", interval_ms=400)
    host.command("reboot")
    host.until(lambda: len({opened.boot_id for opened in host.of(Opened)}) == 2)
    birth = host.of(Opened)[-1].birth
    intervals = {name: group.interval_ms for group in birth.groups for name in group.names}
    assert (intervals["vibration"], intervals["sequence"], intervals["temperature"]) == (200, 400, 400)
    kept = json.loads((tmp_path / "flash" / "board.json").read_text())
    assert (kept["name"], kept["interval_ms"], kept["sensors"][2]["interval_ms"]) == ("bench", 400, 200)


@pytest.mark.parametrize(
    ("deed", "why"), [("crashing", "MemoryError('no room for a sample',)"), ("hanging", "its watchdog")]
)
def test_a_configuration_that_stops_the_board_three_times_is_put_back_and_reported(
    host: Host, tmp_path: Path, deed: str, why: str
) -> None:
    flash = tmp_path / "flash"
    (flash / "drivers" / f"{deed}.py").write_text(DRIVER.format(deed=DEEDS[deed]))
    former = (flash / "board.json").read_bytes()
    bad = {"name": "bad", "sensors": [{"driver": deed}]}
    resets = host.board.hard_resets
    assert host.command("configure", configuration=bad).ok
    host.until(lambda: notices(host)[-1].startswith("the former settings is back: "))
    assert why in notices(host)[-1]
    assert (flash / "board.json").read_bytes() == former
    assert host.of(Opened)[-1].birth.name == "bench"
    # One restart for the change, one after each of the three boots, one for the way back.
    assert host.board.hard_resets - resets == 5
    told = host.command("configuration").value
    assert why in told["put_back"]
    assert host.command("configuration", put_back=True).value["configuration"] == bad


def test_what_cannot_be_had_after_all_comes_back_at_once(host: Host, tmp_path: Path) -> None:
    (tmp_path / "flash" / "drivers" / "absent.py").write_text(
        DRIVER.format(deed="return [0]") + "    \n"
        "def make(data, hardware):\n"
        "    if type(hardware).__name__ == 'Hardware': raise ValueError('pin 99 is not on this board')\n"
        "    return Bad()\n"
    )
    assert host.command("configure", configuration={"sensors": [{"driver": "absent"}]}).ok
    host.until(lambda: "pin 99 is not on this board" in notices(host)[-1])
    assert host.board.hard_resets == 2


def test_a_board_that_crashes_with_its_settings_confirmed_comes_without_sensors(
    host: Host, tmp_path: Path
) -> None:
    flash = tmp_path / "flash"
    (flash / "drivers" / "crashing.py").write_text(DRIVER.format(deed=DEEDS["crashing"]))
    (flash / "board.json").write_text(json.dumps({"name": "hurt", "sensors": [{"driver": "crashing"}]}))
    host.board.reset()
    host.until(lambda: notices(host)[-1].startswith("it crashed three times"), timeout_s=60)
    assert "no room for a sample" in notices(host)[-1]
    assert "bad" not in metrics(host)
    assert host.command("configure", configuration=NEW).ok
    host.until(lambda: "door" in metrics(host))


BASE: dict[str, Any] = {"sensors": [{"driver": "adc", "pin": 26, "name": "light"}, {"driver": "bme280"}]}


def with_sensor(entry: Any) -> dict[str, Any]:
    return {"sensors": [*BASE["sensors"], entry]}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"nmae": "x"}, "nmae: there is no such key; there are name, interval_ms, "),
    ({"name": 5}, "name: must be of type str"),
    ({"name": "x" * 65}, "name: must be at most 64 printable characters"),
    ({"interval_ms": 5}, "interval_ms: must be 20 to 3600000"),
    ({"led": 2.5}, "led: must be a pin's number or name"),
    ({"watchdog": 1}, "watchdog: must be of type bool"),
    ({"sensors": {}}, "sensors: must be of type list"),
    ({"sensors": [DOOR] * 33}, "sensors: a board takes at most 32"),
    ({"mqtt": {"host": "h", "port": 0}}, "mqtt: this board has no network"),
    ({"mqtt": {"hots": "h"}}, "mqtt: this board has no network"),
    (with_sensor(5), "sensors[2]: an entry of sensors must be an object"),
    (with_sensor({}), "sensors[2].driver: "),
    (with_sensor({"driver": "no_such"}), "sensors[2].driver: there is no driver 'no_such'"),
    (with_sensor({"driver": "digital_in"}), "sensors[2].pin: is missing"),
    (with_sensor({"driver": "digital_in", "pin": 2.5}), "sensors[2].pin: must be a pin's number or name"),
    (with_sensor({"driver": "digital_in", "pin": 26}), "sensors[2].pin: 26 is taken: it is an analog input"),
    (with_sensor({"driver": "digital_in", "pin": 4}), "sensors[2].pin: 4 is taken: it is i2c 0"),
    (with_sensor({"driver": "sht3x", "i2c": 1, "sda": 26}), "sensors[2].sda: pin 26 is taken"),
    (with_sensor({"driver": "sht3x", "scl": 9}), "sensors[2].i2c: 0 is in use with sda 4, scl 5"),
    (
        with_sensor({"driver": "adc", "pin": 27, "nmae": "x"}),
        "sensors[2].nmae: there is no such option; there",
    ),
    (with_sensor({"driver": "adc", "pin": 27, "name": "light"}), "sensors[2].name: the name light is there"),
    (with_sensor({"driver": "adc", "pin": 27, "name": "uptime"}), "sensors[2].name: the name uptime is the"),
    (with_sensor({"driver": "adc", "pin": 27, "name": "No Name"}), "sensors[2].name: a name must be 1 to 64"),
    (with_sensor({"driver": "sht3x"}), "sensors[2].prefix: the name temperature is there twice"),
    (with_sensor({"driver": "ina219", "max_a": 1000}), "sensors[2].max_a: "),
    ({"led": 26, **BASE}, "sensors[0].pin: 26 is taken: it is the LED"),
]


def test_each_wrong_configuration_is_refused_by_the_field_that_is_wrong() -> None:
    script = f"""
import json
import time
import configure
from jobs import Refused
for data in json.loads({json.dumps([data for data, _ in WRONG])!r}):
    try:
        configure.check(data)
        print("taken")
    except Refused as error:
        print(error)
"""
    said = run_on_vm(script).splitlines()
    assert [text[: len(words)] for text, (_, words) in zip(said, WRONG, strict=True)] == [w for _, w in WRONG]


def test_a_refused_configuration_changes_nothing(host: Host, tmp_path: Path) -> None:
    written = host.board.flash.written_bytes
    answer = host.command("configure", configuration={"sensors": [{"driver": "digital_in", "pin": []}]})
    assert (answer.ok, answer.value) == (False, "sensors[0].pin: must be a pin's number or name, not []")
    answer = host.command("configure", configuration=7)
    assert (answer.ok, answer.value) == (False, "configuration must be of type object")
    assert host.board.flash.written_bytes == written


def test_every_drivers_options_fit_an_answer_and_leave_no_module_behind(host: Host) -> None:
    names = host.command("drivers").value["drivers"]
    assert {"adc", "bme280", "mpu6050", "pwm"} <= set(names)
    assert not {"internal", "options", "sensor"} & set(names)
    free = [host.command("read").value["memory"]]
    for name in names:
        answer = host.command("drivers", driver=name)
        assert answer.ok, answer.value
        schema = answer.value["schema"]
        assert {"driver", "interval_ms"} <= set(schema["properties"])
    free.append(host.command("read").value["memory"])
    # What stays are the last answers (4 KB) and the options' names; 14 drivers would be 35 KB.
    assert free[0] - free[1] < 14_000, free
    refused = host.command("drivers", driver="../main")
    assert (refused.ok, refused.value) == (False, "there is no driver '../main'")


def test_a_long_configuration_comes_in_parts(host: Host, tmp_path: Path) -> None:
    sensors = [
        {"driver": "digital_in", "pin": pin, "name": f"door_{pin}", "title": f"The door number {pin} is open"}
        for pin in range(22)
    ]
    long = {"name": "long", "sensors": sensors}
    answer = host.command("configure", configuration=long)
    assert answer.ok, answer.value
    host.until(lambda: "door_21" in metrics(host))
    told = host.command("configuration").value
    found = told["configuration"]["sensors"]
    parts = 1
    while "next" in told:
        told = host.command("configuration", **{"from": told["next"]}).value
        found += told["configuration"]["sensors"]
        parts += 1
    assert found == sensors
    assert parts > 1


def test_secrets_are_never_told_and_stay_for_the_same_network_alone() -> None:
    script = """
import json
import time
import configure, describe
class Trial:
    kind = ""
    notice = None
class Node:
    guard = None
class Guard:
    trial = Trial()
Node.guard = Guard()
network = {"host": "broker", "user": "me", "password": "geheim", "ssid": "net", "wifi_password": "auch"}
former = {"mqtt": network}
with open("/board.json", "w") as file: json.dump(former, file)
print(json.dumps(describe.told({}, Node())))
for mqtt in ({"host": "broker", "user": "me", "ssid": "net"}, {"host": "evil", "user": "me", "ssid": "net2"}):
    data = {"mqtt": mqtt}
    configure._keep_secrets(data, former)
    print(json.dumps(data))
"""
    told, same, other = (json.loads(line) for line in run_on_vm(script).splitlines())
    assert "geheim" not in json.dumps(told)
    assert "auch" not in json.dumps(told)
    assert (same["mqtt"]["password"], same["mqtt"]["wifi_password"]) == ("geheim", "auch")
    assert set(other["mqtt"]) == {"host", "user", "ssid"}


def test_setting_an_interval_again_and_again_writes_little(host: Host, tmp_path: Path) -> None:
    hurry(tmp_path / "flash", "keeping.py", "_QUIET_MS = const(10_000)", "_QUIET_MS = const(1500)")
    written = host.board.flash.written_bytes
    for index in range(6):
        assert host.command("set_interval", metric="vibration", interval_ms=100 + index).ok
    path = tmp_path / "flash" / "board.json"
    host.until(lambda: json.loads(path.read_text())["sensors"][2].get("interval_ms") == 105)
    first = host.board.flash.written_bytes - written
    for index in range(6):
        assert host.command("set_interval", metric="vibration", interval_ms=200 + index).ok
    assert host.board.flash.written_bytes - written == first < 1000
    assert host.of(Printed) == []


def test_the_watchdog_leaves_whoever_is_at_the_repl_alone(host: Host) -> None:
    resets = host.board.hard_resets
    host.press(b"\x03")
    host.until(lambda: [line for line in host.of(Printed) if line.text.startswith(">>>")])
    end_s = time.monotonic() + 1.5  # twice what the watchdog waits here
    host.until(lambda: time.monotonic() > end_s)
    assert host.board.hard_resets == resets
