"""`outpost configure` on a running hub with a virtual board."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hil.hub import HubProcess
from hil.virtual import image
from hil.virtual.board import VirtualBoard
from tests.e2e.api import Api
from tests.failing_driver import DEEDS, DRIVER, hurry
from tests.vm import needs_vm

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [needs_vm, pytest.mark.e2e]


def configure(hub: HubProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "configure", "--data", str(hub.data), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_board_is_configured_from_a_file_and_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    image.assemble(flash, {"name": "mine"})
    hurry(flash, "guard.py", "CONFIRM_MS = const(20000)", "CONFIRM_MS = const(1500)")
    (flash / "drivers" / "crashing.py").write_text(DRIVER.format(deed=DEEDS["crashing"]))
    board = VirtualBoard(flash, link=tmp_path / "tty")
    config = f'[serial]\nports = ["{tmp_path / "tty"}"]\nenrolment = "off"\n[mqtt]\nenabled = false\n'
    files = {
        "good": {"name": "theirs", "sensors": [{"driver": "digital_in", "pin": 3}]},
        "wrong": {"sensors": [{"driver": "digital_in"}]},
        "crash": {"sensors": [{"driver": "crashing"}]},
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    board.start()
    try:
        with HubProcess(tmp_path / "data", config=config) as hub:
            api = Api(hub)
            end_s = time.monotonic() + 30
            while not api.online(board.uid):
                assert time.monotonic() < end_s
                time.sleep(0.1)
            good = configure(hub, board.uid, str(tmp_path / "good.json"))
            assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "confirmed"), good.stderr
            wrong = configure(hub, board.uid, str(tmp_path / "wrong.json"))
            assert (wrong.returncode, "sensors[0].pin: is missing" in wrong.stderr) == (1, True)
            crash = configure(hub, board.uid, str(tmp_path / "crash.json"))
            assert crash.returncode == 1
            assert "the former settings is back: MemoryError" in crash.stderr
            shown = configure(hub, board.uid)
            assert json.loads(shown.stdout) == files["good"]
            assert "put back: MemoryError" in shown.stderr
            assert configure(hub, board.uid, str(tmp_path / "nothing.json")).returncode == 2
    finally:
        board.stop()
