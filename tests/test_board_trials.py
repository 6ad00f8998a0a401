"""Changes on trial on the virtual board: real boots, real crashes, a hub's session at the other end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hub.wire.events import Printed
from tests.board_host import Host
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [needs_vm, pytest.mark.slow]

# Opens a trial of whatever lies beside node.py, as an update does before it restarts the board.
OPENING = """\
import os, trial
if 'node.py.new' in os.listdir('/'):
    trial.Trial().open('firmware', ['/node.py'])
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A board that is off, with the firmware on its flash."""
    made = Host(tmp_path, {"name": "trial"})
    yield made
    made.board.stop()
    made.hang_up()
    assert made.board.crashes == []


def test_a_firmware_that_crashes_three_times_gives_way_to_the_former_one(host: Host, tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    former = (flash / "node.py").read_bytes()
    (flash / "node.py.new").write_text("raise ValueError('broken on purpose')\n")
    (flash / "boot.py").write_text(OPENING)
    host.board.start()
    host.until(lambda: host.session.open)
    assert (flash / "node.py").read_bytes() == former
    assert len([p for p in host.of(Printed) if "ValueError: broken" in p.text]) == 3
    notice = json.loads((flash / "trial.json").read_text())["notice"]
    assert (notice["kind"], notice["why"]) == ("firmware", "ValueError('broken on purpose',)")


def test_a_board_that_crashes_with_nothing_on_trial_stays_reachable_and_stops_writing(
    host: Host, tmp_path: Path
) -> None:
    (tmp_path / "flash" / "node.py").write_text("raise ValueError('broken on purpose')\n")
    host.board.start()
    host.until(lambda: host.board.boots >= 4)
    written = host.board.flash.written_bytes
    boots = host.board.boots
    host.until(lambda: host.board.boots >= boots + 2)
    assert host.board.flash.written_bytes == written
    seen = len(host.of(Printed))
    host.until(lambda: [p for p in host.of(Printed)[seen:] if "ValueError: broken" in p.text])
    host.press(b"\x03")
    host.until(lambda: [p for p in host.of(Printed) if p.text.startswith(">>>")])


def test_a_board_whose_flash_cannot_be_written_starts_nevertheless(host: Host, tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    state = {"kind": "firmware", "phase": "trial", "files": [], "gone": [], "added": [], "boots": 1}
    (flash / "trial.json").write_text(json.dumps(state))
    (flash / "trial.json.new").mkdir()  # so that the state cannot be written
    host.board.start()
    host.until(lambda: host.session.open)
    assert [p for p in host.of(Printed) if "OSError" in p.text]
