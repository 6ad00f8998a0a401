"""The whole firmware on a virtual board, with the hub's side of the session at the other end of its pty."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual import image
from hil.virtual.board import VirtualBoard
from hub.wire.events import Answered, Closed, Lost, Opened, Printed, Taken
from hub.wire.hub_session import HubSession
from hub.wire.known import Known
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub.wire.events import Event

pytestmark = [needs_vm, pytest.mark.slow]


class Host:
    """A hub without a hub: one session on whatever port the board has now."""

    def __init__(self, folder: Path, configuration: dict[str, Any]) -> None:
        image.assemble(folder / "flash", configuration)
        self.link = folder / "tty"
        self.board = VirtualBoard(folder / "flash", link=self.link)
        self.events: list[Event] = []
        self._fd: int | None = None
        self.session = HubSession(Known(), lambda uid, boot: -1, lambda uid: None, self._now_ms())

    def _now_ms(self) -> float:
        return time.monotonic() * 1000

    def until(self, found: Callable[[], Any], timeout_s: float = 30) -> Any:
        """Serve the port until `found` returns something true."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            self._serve()
            got = found()
            if got:
                return got
        raise AssertionError(f"not within {timeout_s} s; the last events: {self.events[-5:]}")

    def command(self, name: str, **params: Any) -> Answered:
        """Send a command and return its answer."""
        command_id = f"c{len(self.events)}"
        self.session.send(command_id, name, params, 10_000, self._now_ms())
        answer = self.until(lambda: [a for a in self.of(Answered) if a.command_id == command_id])
        found: Answered = answer[0]
        return found

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def values(self, metric: str) -> list[Any]:
        return [
            taken.values[taken.group.names.index(metric)]
            for taken in self.of(Taken)
            if metric in taken.group.names
        ]

    def press(self, keys: bytes) -> None:
        """Type at the board's console."""
        self.until(lambda: self._fd is not None)
        assert self._fd is not None
        os.write(self._fd, keys)

    def hang_up(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _serve(self) -> None:
        try:
            if self._fd is None:
                self._fd = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            if select.select([self._fd], [], [], 0.02)[0]:
                self.session.feed(os.read(self._fd, 4096), self._now_ms())
            self.session.tick(self._now_ms())
            data = self.session.data_to_send()
            if data:
                os.write(self._fd, data)
        except OSError:
            self.hang_up()
            self.session.close("unplugged")
            time.sleep(0.02)
        for event in self.session.events():
            self.events.append(event)
            if isinstance(event, Taken) and self.session.boot_id is not None:
                self.session.ack(self.session.boot_id, event.seq)


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
