"""`outpost update` against a hub process and a virtual board."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hil.hub import HubProcess
from tests.e2e.api import Api
from tests.flash_rig import wait
from tests.update_rig import UID, board_with
from tests.vm import needs_vm

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [needs_vm, pytest.mark.e2e]


def outpost_update(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "update", "--data", str(data), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_board_is_updated_from_the_command_line(tmp_path: Path) -> None:
    config = f'[serial]\nports = ["{tmp_path / "tty"}"]\nenrolment = "auto"\n[mqtt]\nenabled = false\n'
    with board_with(tmp_path), HubProcess(tmp_path / "data", config=config) as hub:
        flash = tmp_path / "flash"
        whole = (flash / "outbox.py").read_bytes()
        (flash / "outbox.py").write_bytes(whole + b"# another\n")
        (flash / "guard.py.new").write_bytes(b"of an update long ago")
        wait(lambda: Api(hub).online(UID))
        checked = outpost_update(hub.data, "--all", "--check")
        assert (checked.returncode, "is no newer" in checked.stdout) == (0, True), checked
        done = outpost_update(hub.data, UID)
        assert done.returncode == 0, done.stderr
        assert f"{UID}: runs 0." in done.stdout
        assert "fetching" in done.stdout
        assert (flash / "outbox.py").read_bytes() == whole
        assert [item["command"] for item in Api(hub).get("commands")["items"]] == ["update"]
        missing = outpost_update(hub.data, "nobody")
        assert (missing.returncode, "nobody" in missing.stderr) == (1, True)


def test_neither_a_device_nor_all_is_bad_usage(tmp_path: Path) -> None:
    assert outpost_update(tmp_path).returncode == 2
    assert outpost_update(tmp_path, UID, "--all").returncode == 2
