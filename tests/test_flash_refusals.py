"""What `outpost flash` cannot do, it says, and leaves the board as it was."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from hub.flash import flasher, image, plan
from hub.flash.plan import STAGED, NoRoom, WrongChip
from hub.links import raw_repl
from hub.links.raw_repl import BoardFull, NoMicroPython
from tests.flash_rig import Bare, board, flash, folder, outpost_flash, restart, staged, wait
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["board", "folder"]  # fixtures

pytestmark = [needs_vm, pytest.mark.slow]


def test_a_full_flash_is_refused_and_stays_as_it_was(folder: Path, tmp_path: Path) -> None:
    board = Bare(folder, tmp_path / "tty", flash_bytes=60_000)
    board.start()
    try:
        with pytest.raises(NoRoom, match="are needed"):
            flash(board.port)
        assert list(folder.iterdir()) == []
    finally:
        board.stop()


def test_a_flash_that_fills_up_meanwhile_is_cleared_of_what_was_copied(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "main.py").write_text("print('mine')\n")
    board = Bare(folder, tmp_path / "tty", flash_bytes=80_000)
    board.start()
    everything = plan.Plan(tuple(image.firmware()), tuple(image.firmware()), 0)
    monkeypatch.setattr(plan, "make", lambda *_: everything)
    try:
        with pytest.raises(BoardFull):
            flash(board.port)
        assert staged(folder) == []
        assert (folder / "main.py").read_text() == "print('mine')\n"
    finally:
        board.stop()


def test_another_chip_is_refused_by_its_name_and_starts_again(board: Bare, folder: Path) -> None:
    (folder / "boot.py").write_text("import sys\nsys.platform = 'esp8266'\n")
    restart(board)
    starts = board.hard_resets
    with pytest.raises(WrongChip, match="esp8266"):
        flash(board.port)
    wait(lambda: board.hard_resets > starts)
    assert [file.name for file in folder.iterdir()] == ["boot.py"]


def test_a_file_that_does_not_arrive_whole_takes_no_place(
    board: Bare, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = raw_repl.RawRepl.write

    def damaging(repl: raw_repl.RawRepl, path: str, data: bytes, progress: Callable[[int], None]) -> None:
        write(repl, path, data + b"?" if path == f"/node.py{STAGED}" else data, progress)

    monkeypatch.setattr(raw_repl.RawRepl, "write", damaging)
    with pytest.raises(flasher.Damaged, match=r"/node\.py"):
        flash(board.port)
    assert not (folder / "main.py").exists()
    assert staged(folder) == []


@pytest.fixture
def pty(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A port behind which is no MicroPython: its other end, and its path."""
    master, slave = os.openpty()
    (tmp_path / "stick").symlink_to(os.ttyname(slave))
    yield master, tmp_path / "stick"
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("noise", [b"", b"ets Jun  8 2016 00:22:57\r\nrst:0x10\r\n", b"$GPGGA,1,2*33\r\n"])
def test_what_is_no_micropython_is_told_where_to_get_it(
    pty: tuple[int, Path], noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_repl, "TRIES", 2)
    stop = threading.Event()

    def speak() -> None:
        while not stop.wait(0.05):
            if noise:
                os.write(pty[0], noise)

    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        with pytest.raises(NoMicroPython, match=r"micropython\.org/download"):
            flash(pty[1])
    finally:
        stop.set()
        speaker.join()


def test_a_port_where_nothing_is_ends_with_1(tmp_path: Path) -> None:
    done = outpost_flash(tmp_path / "nothing", data=tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / 'nothing'}: nothing is there" in done.stderr


def test_a_port_that_another_program_has_is_refused_with_its_pid(board: Bare, tmp_path: Path) -> None:
    with open(board.port, "rb+", buffering=0):  # noqa: PTH123 - a program that locks nothing
        done = outpost_flash(board.port, data=tmp_path)
    assert done.returncode == 1
    assert f"pid {os.getpid()}" in done.stderr


def test_a_configuration_that_is_none_ends_with_2_before_the_board_is_touched(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("{")
    done = outpost_flash(tmp_path / "nothing", "--config", str(tmp_path / "b.json"), data=tmp_path)
    assert done.returncode == 2
    assert "b.json" in done.stderr
