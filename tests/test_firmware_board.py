"""The whole firmware on a virtual board, with the hub's side of the session at the other end of its pty."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from hil.virtual import image
from hub.wire.events import Closed, Lost, Opened, Printed, Taken
from tests.board_host import Host
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


pytestmark = [needs_vm, pytest.mark.slow]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    served = Host(tmp_path, image.demo_configuration("bench"))
    served.board.start()
    yield served
    served.board.stop()
    served.hang_up()
    assert served.board.crashes == []


def test_the_demo_board_introduces_itself_and_sends_all_its_metrics(host: Host) -> None:
    host.until(lambda: len(host.of(Taken)) > 25)
    (opened,) = host.of(Opened)
    assert opened.birth.name == "bench"
    names = [name for group in opened.birth.groups for name in group.names]
    assert {"temperature", "humidity", "light", "vibration", "door", "memory", "uptime", "sequence"} <= set(
        names
    )
    intervals = {name: group.interval_ms for group in opened.birth.groups for name in group.names}
    assert (intervals["vibration"], intervals["temperature"]) == (100, 1000)
    assert all(value is not None for taken in host.of(Taken) for value in taken.values)
    assert host.of(Printed) == []


def test_commands_work_and_wrong_ones_are_refused_in_words(host: Host) -> None:
    host.until(lambda: host.session.open)
    assert host.command("led", state="on").value == {"state": "on"}
    assert host.board.wiring.outputs["LED"] == 1
    read = host.command("read")
    assert read.ok
    assert 15 < read.value["temperature"] < 30
    assert isinstance(read.value["door"], bool)
    refused = host.command("led", state="purple")
    assert (refused.ok, refused.value) == (False, "state must be one of on, off, blink")


def test_a_new_interval_reaches_the_hub_and_holds(host: Host) -> None:
    host.until(lambda: host.session.open)
    host.command("set_interval", metric="vibration", interval_ms=50)
    host.until(lambda: len(host.of(Opened)) == 2)
    assert {g.interval_ms for g in host.of(Opened)[1].birth.groups} == {50, 1000}
    seen = len(host.values("vibration"))
    host.until(lambda: len(host.values("vibration")) > seen + 30)
    ticks = [taken.ticks for taken in host.of(Taken) if "vibration" in taken.group.names][-20:]
    assert 40 <= (ticks[-1] - ticks[0]) / 19 <= 90


def test_a_reboot_is_answered_and_begins_a_new_boot(host: Host) -> None:
    host.until(lambda: host.session.open)
    assert host.command("reboot").value == {"restarting": True}
    host.until(lambda: len(host.of(Opened)) == 2)
    first, second = host.of(Opened)
    assert second.boot_id != first.boot_id
    assert second.reset_cause == "watchdog"
    assert len(host.of(Closed)) == 1


def test_a_pulled_cable_leaves_no_hole_and_no_double_in_the_sequence(host: Host) -> None:
    host.until(lambda: len(host.of(Taken)) > 10)
    for _ in range(2):
        host.board.unplug()
        host.until(lambda: not host.session.open)
        time.sleep(2)
        host.board.replug()
        host.until(lambda: host.session.open)
    host.until(lambda: host.session.figures()["outbox_depth"] < 3)
    sequence = host.values("sequence")
    assert sequence == list(range(len(sequence)))
    assert [taken.seq for taken in host.of(Taken)] == list(range(len(host.of(Taken))))
    assert host.of(Lost) == []


def test_ctrl_c_leads_to_the_repl_and_not_to_a_reset(host: Host) -> None:
    host.until(lambda: host.session.open)
    boots = host.board.boots
    host.press(b"\x03")
    host.until(lambda: [line for line in host.of(Printed) if line.text.startswith(">>>")])
    assert host.board.boots == boots


def spoil(path: Path, before: str, after: str) -> None:
    """Change a line in the board's copy of a file."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_defect_in_a_command_fails_the_command_and_not_the_board(tmp_path: Path) -> None:
    host = Host(tmp_path, {})
    spoil(tmp_path / "flash" / "commands.py", "self.led.identify()", "1 // 0")
    host.board.start()
    try:
        host.until(lambda: host.session.open)
        answer = host.command("identify")
        assert (answer.ok, "ZeroDivisionError" in answer.value) == (False, True)
        assert [p for p in host.of(Printed) if "commands.py" in p.text], "no traceback"
        assert host.command("led", state="on").ok
    finally:
        host.board.stop()
        host.hang_up()
    assert host.board.boots == 1


def test_an_interval_that_cannot_be_kept_is_told_and_the_board_runs_on(tmp_path: Path) -> None:
    host = Host(tmp_path, {"interval_ms": "often"})
    spoil(tmp_path / "flash" / "keeping.py", "_QUIET_MS = const(10_000)", "_QUIET_MS = const(10)")
    host.board.start()
    try:
        host.until(lambda: host.session.open)
        assert host.command("set_interval", metric="uptime", interval_ms=400).ok
        host.until(lambda: [p for p in host.of(Printed) if "the interval is not kept" in p.text])
        seen = len(host.of(Taken))
        host.until(lambda: len(host.of(Taken)) > seen + 3)
    finally:
        host.board.stop()
        host.hang_up()
    assert host.board.boots == 1


def test_a_board_whose_code_fails_says_so_and_starts_anew(tmp_path: Path) -> None:
    host = Host(tmp_path, {})
    (tmp_path / "flash" / "actuators.py").write_text("raise ValueError('broken on purpose')\n")
    host.board.start()
    try:
        host.until(lambda: [p for p in host.of(Printed) if "broken on purpose" in p.text])
        host.until(lambda: host.board.boots >= 2)
    finally:
        host.board.stop()
        host.hang_up()
