"""`outpost flash` that is cut at any moment: a board is never lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hub.flash import flasher, image, plan, scripts
from hub.flash.plan import STAGED
from hub.links.raw_repl import BoardError, BoardGone
from hub.links.serial_port import PortAbsent, PortUnusable
from tests.flash_rig import Bare, board, born, flash, folder, is_whole, restart, staged, wait
from tests.soak import SOAK, times
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["board", "folder"]  # fixtures

pytestmark = [needs_vm, pytest.mark.slow]


CUTS = times(6, 20)


@contextlib.contextmanager
def cut(board: Bare, after_s: float, *, power: bool) -> Iterator[None]:
    """Cut the cable or the power at a moment, and give it back at the end."""

    def pull() -> None:
        board.power_off() if power else board.unplug()

    timer = threading.Timer(after_s, pull)
    timer.start()
    try:
        yield
    finally:
        timer.join()
        board.power_on() if power else board.replug()


@pytest.mark.timeout(400)
def test_a_cut_at_any_moment_leaves_a_board_that_the_next_run_repairs(
    board: Bare, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flasher, "CATCH_S", 0.5)  # here nobody plugs it in while the first run waits
    port = board.port
    chance = random.Random(7)
    before = time.monotonic()
    flash(port)
    whole_s = time.monotonic() - before
    was_cut = 0
    for number in range(CUTS):
        asyncio.run(born(port))
        # Other files than those that stand there, so that there is something to copy and to exchange.
        for path in folder.rglob("*.py"):
            path.write_bytes(path.read_bytes() + b"# an older file\n")
        with cut(board, chance.uniform(0, whole_s), power=number % 2 == 0):
            try:
                flash(port)
            except (BoardError, PortAbsent, PortUnusable):
                was_cut += 1
        if number % 2:
            restart(board)  # with its own power a board stays where the cable left it: at the REPL
        asyncio.run(born(port))  # old or new, it starts
        flash(port)
        assert is_whole(folder), f"cut {number}"
        assert staged(folder) == [], f"cut {number}"
    asyncio.run(born(port))
    assert was_cut >= CUTS // 2


CUTTING = """\
import os, machine
left = [{step}]
rename = os.rename
def cutting(path, to):
    if left[0] == 0:
        machine.reset()
    left[0] -= 1
    rename(path, to)
os.rename = cutting
"""


@pytest.mark.timeout(600)
def test_a_cut_at_any_step_of_the_renames_is_ended_by_the_boards_next_start(
    board: Bare, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = scripts.exchange
    flash(board.port)
    steps = len(image.firmware()) + 1  # the journal's own
    for step in [1, 2, steps // 2] if not SOAK else range(steps):
        for path in folder.rglob("*.py"):
            path.write_bytes(path.read_bytes() + b"# an older file\n")
        cutting = CUTTING.format(step=step)
        monkeypatch.setattr(scripts, "exchange", lambda files, cutting=cutting: cutting + exchange(files))
        resets = board.hard_resets
        with contextlib.suppress(BoardError, PortAbsent, PortUnusable):
            flash(board.port)
        wait(lambda resets=resets: board.hard_resets > resets)  # type: ignore[misc] # a default has no type
        asyncio.run(born(board.port))
        # Before the journal stands, all is old; from then on, all is new.
        assert is_whole(folder) == (step >= 2), f"step {step}"
        left = [file for file in staged(folder) if file.name != f"trial.json{STAGED}"]
        assert len(left) == (0 if step >= 2 else len(image.firmware()) - step), f"step {step}"
        monkeypatch.setattr(scripts, "exchange", exchange)
        flash(board.port)
        assert is_whole(folder)
        assert staged(folder) == []


def test_what_a_cut_run_copied_is_not_copied_again(board: Bare) -> None:
    count = 0

    def stop_in_the_middle(pieces: int) -> None:
        nonlocal count
        count += pieces
        if count > 30_000:
            board.unplug()

    with pytest.raises(BoardGone):
        flasher.flash(
            board.port, image.firmware(), planned=lambda _board, _todo: None, copied=stop_in_the_middle
        )
    board.replug()
    seen: list[plan.Plan] = []
    flash(board.port, seen)
    assert sum(len(file.data) for file in seen[0].copy) < seen[0].copy_bytes + 1
    assert len(seen[0].copy) < len(seen[0].exchange)


def test_ctrl_c_ends_the_command_and_leaves_the_board_alive(
    board: Bare, folder: Path, tmp_path: Path
) -> None:
    (folder / "main.py").write_text("print('the old one')\n")
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "hub.cli", "flash", board.port, "--data", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        while "copying" not in running.stdout.readline():
            pass
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "Traceback" not in errors
    assert (folder / "main.py").read_text() == "print('the old one')\n"
    flash(board.port)
    assert is_whole(folder)
