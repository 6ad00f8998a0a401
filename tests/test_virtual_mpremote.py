"""MicroPython's own tool on the virtual board, as on any board."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.virtual.board import VirtualBoard

pytestmark = pytest.mark.slow


class Mpremote:
    def __init__(self, board: VirtualBoard) -> None:
        self._board = board

    def __call__(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "mpremote", "connect", self._board.path, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def reset(self) -> None:
        """Reset, and wait until the board is back on the bus."""
        resets = self._board.hard_resets
        self("reset")
        end_s = time.monotonic() + 20
        while self._board.hard_resets == resets:
            assert time.monotonic() < end_s
            time.sleep(0.01)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[VirtualBoard]:
    (tmp_path / "flash").mkdir()
    made = VirtualBoard(tmp_path / "flash", link=tmp_path / "tty")
    made.start()
    yield made
    made.stop()
    assert made.crashes == []


@pytest.fixture
def mpremote(board: VirtualBoard) -> Mpremote:
    return Mpremote(board)


def test_exec_and_eval(mpremote: Mpremote) -> None:
    assert mpremote("exec", "print('a', 1)") == "a 1\n"
    assert mpremote("eval", "6*7") == "42\n"


def test_a_file_comes_back_as_it_went(mpremote: Mpremote, tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    (tmp_path / "there").write_bytes(data)
    mpremote("cp", str(tmp_path / "there"), ":file")
    assert hashlib.sha256(data).hexdigest() in mpremote("sha256sum", ":file")
    mpremote("cp", ":file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


def test_folders_are_copied_listed_and_removed(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "pack" / "inner").mkdir(parents=True)
    (tmp_path / "pack" / "one.py").write_text("x = 1\n")
    (tmp_path / "pack" / "inner" / "two.py").write_text("y = 2\n")
    mpremote("cp", "-r", str(tmp_path / "pack"), ":")
    listing = mpremote("ls", ":pack")
    assert "6 one.py" in listing
    assert "inner/" in listing
    assert mpremote("exec", "from pack.inner.two import y; print(y)") == "2\n"
    mpremote("rm", "-r", ":pack")
    assert "pack" not in mpremote("ls")


def test_df_shows_the_flash(mpremote: Mpremote) -> None:
    assert "1441792" in mpremote("df")


def test_a_soft_reset_skips_main_and_a_hard_one_runs_it(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("open('ran', 'w').close()\n")
    mpremote("cp", str(tmp_path / "main.py"), ":")
    mpremote("soft-reset")
    assert "ran" not in mpremote("resume", "ls")  # mpremote resets into the raw REPL, which skips main.py
    mpremote.reset()
    assert "ran" in mpremote("resume", "ls")


def test_a_reset_is_seen_by_the_firmware(mpremote: Mpremote) -> None:
    mpremote.reset()
    assert mpremote("exec", "import machine; print(machine.reset_cause())") == "3\n"


def test_a_traceback_comes_to_the_host(board: VirtualBoard) -> None:
    command = [sys.executable, "-m", "mpremote", "connect", board.path, "exec", "1/0"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr + done.stdout


def test_a_busy_board_is_interrupted(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("while True: pass\n")
    mpremote("cp", str(tmp_path / "main.py"), ":")
    mpremote.reset()
    assert mpremote("exec", "print('free')") == "free\n"


def test_the_clock_is_set(mpremote: Mpremote) -> None:
    mpremote("rtc", "--set")
    assert not mpremote("rtc").startswith("(2021")
