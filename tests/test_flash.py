"""`outpost flash` on the virtual board, as on any: a real MicroPython, its REPL, its flash."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hil.hub import HubProcess
from hub.links.first_birth import NoBirth
from tests.e2e.api import Api
from tests.flash_rig import (
    UID,
    Bare,
    board,
    born,
    flash,
    folder,
    is_whole,
    outpost_flash,
    restart,
    staged,
    wait,
)
from tests.vm import needs_vm

if TYPE_CHECKING:
    from pathlib import Path

    from hub.flash import plan

__all__ = ["board", "folder"]  # fixtures

pytestmark = [needs_vm, pytest.mark.slow]


CRASHING = """\
import time, machine
try:
    import nothing
except Exception:
    time.sleep(1)
    machine.reset()
"""


def test_a_bare_board_is_flashed_and_born(board: Bare, folder: Path, tmp_path: Path) -> None:
    done = outpost_flash(board.port, data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"({UID})" in done.stdout
    for word in ("MicroPython 1.", "uptime", "s ", "commands: ", "led"):
        assert word in done.stdout
    assert is_whole(folder)
    assert staged(folder) == []


def test_a_flashed_board_gets_nothing_twice(board: Bare, tmp_path: Path) -> None:
    flash(board.port)
    asyncio.run(born(board.port))
    written = board.flash.written_bytes
    done = outpost_flash(board.port, data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "nothing to copy" in done.stdout
    assert board.flash.written_bytes == written


async def test_only_what_differs_is_copied_to_a_board_whose_firmware_runs(board: Bare, folder: Path) -> None:
    await asyncio.to_thread(flash, board.port)
    await born(board.port)
    (folder / "settings.py").write_text("broken = True\n")
    seen: list[plan.Plan] = []
    await asyncio.to_thread(flash, board.port, seen)
    assert [file.path for file in seen[0].copy] == ["/settings.py"]
    assert is_whole(folder)
    assert (await born(board.port)).device == UID


def test_a_dry_run_writes_nothing(board: Bare, folder: Path, tmp_path: Path) -> None:
    done = outpost_flash(board.port, "--dry-run", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "would copy /main.py" in done.stdout
    assert list(folder.iterdir()) == []


def test_the_boards_own_configuration_stays_until_another_is_given(
    board: Bare, folder: Path, tmp_path: Path
) -> None:
    (folder / "board.json").write_text('{"name": "mine"}')
    assert "mine (" in outpost_flash(board.port, data=tmp_path).stdout
    (tmp_path / "theirs.json").write_text('{"name": "theirs"}')
    done = outpost_flash(board.port, "--config", str(tmp_path / "theirs.json"), data=tmp_path)
    assert "theirs (" in done.stdout
    assert "1 files to copy" in done.stdout


def test_a_board_that_crashes_at_each_start_is_caught(board: Bare, folder: Path, tmp_path: Path) -> None:
    (folder / "main.py").write_text(CRASHING)
    restart(board)
    for _ in range(3):
        done = outpost_flash(board.port, "--dry-run", data=tmp_path)
        assert done.returncode == 0, done.stderr
    assert outpost_flash(board.port, data=tmp_path).returncode == 0


def test_a_board_in_a_busy_loop_is_interrupted(board: Bare, folder: Path) -> None:
    (folder / "main.py").write_text("while True: pass\n")
    restart(board)
    flash(board.port)
    assert asyncio.run(born(board.port)).device == UID


async def test_a_firmware_that_fails_is_shown_with_its_own_words(board: Bare, folder: Path) -> None:
    (folder / "main.py").write_text("raise ValueError('what went wrong')\n")
    restart(board)
    with pytest.raises(NoBirth, match="what went wrong"):
        await born(board.port, 4)


# --- a hub that has the port ----------------------------------------------------------------------------


def test_a_hub_lends_the_port_and_has_the_same_board_again(board: Bare, tmp_path: Path) -> None:
    config = f'[serial]\nports = ["{board.port}"]\n[mqtt]\nenabled = false\n'
    with HubProcess(tmp_path / "data", config=config) as hub:
        api = Api(hub)
        first = outpost_flash(board.port, data=hub.data)
        assert first.returncode == 0, first.stderr
        assert f"the hub lends {board.port}" in first.stdout
        # What was flashed here is no stranger.
        wait(lambda: api.online(UID) and api.device(UID)["key"] == "proven")
        boot = api.device(UID)["boot_id"]
        (tmp_path / "by-id").symlink_to(board.port)
        again = outpost_flash(tmp_path / "by-id", data=hub.data)
        assert again.returncode == 0, again.stderr
        assert "nothing to copy" in again.stdout
        wait(lambda: api.online(UID) and api.device(UID)["boot_id"] != boot)
        wait(lambda: api.device(UID)["key"] == "proven")
        assert [item["id"] for item in api.get("devices")["items"] if item["link"] == "serial"] == [UID]
