"""`python -m hil.virtual` as a process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hil.virtual.__main__ import stable_uid

pytestmark = pytest.mark.slow


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "hil.virtual", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def board(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = start("--link", str(tmp_path / "tty-x"), "--name", "Shed", "--flash", str(tmp_path / "flash"))
    yield process
    process.kill()
    process.communicate()


def ready(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_it_says_one_line_when_the_port_is_there(board: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert ready(board) == f"virtual board {stable_uid('tty-x')} (Shed) at {tmp_path / 'tty-x'}\n"
    assert (tmp_path / "tty-x").exists()


def test_the_firmware_says_hello(board: "subprocess.Popen[str]", tmp_path: Path) -> None:
    ready(board)
    with serial.Serial(str(tmp_path / "tty-x"), timeout=20) as port:
        assert port.read_until(b'\x1e["hello",').endswith(b'\x1e["hello",')
        assert stable_uid("tty-x").encode() in port.read_until(b"\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_removes_the_link(
    board: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    ready(board)
    board.send_signal(number)
    _, errors = board.communicate(timeout=20)
    assert (board.returncode, errors) == (0, "")
    assert not os.path.lexists(tmp_path / "tty-x")


def test_the_flash_and_an_edited_configuration_are_kept(tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "board.json").write_text('{"name": "mine"}')
    process = start("--link", str(tmp_path / "tty"), "--flash", str(flash))
    ready(process)
    process.terminate()
    process.communicate(timeout=20)
    assert (flash / "board.json").read_text() == '{"name": "mine"}'
    assert (flash / "wire" / "frame.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--uid", "xyz"], "16 hex digits"),
        (["--profile", "none"], "invalid choice"),
        ([], "--link"),
    ],
)
def test_bad_usage_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    process = start(*(["--link", str(tmp_path / "tty")] if arguments else []), *arguments)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert words in errors


def test_a_taken_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tty").write_text("precious")
    process = start("--link", str(tmp_path / "tty"))
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "is no link" in errors


def test_an_unbuilt_vm_is_refused_with_the_remedy(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom hil.vm import places\n"
        f"places.build_folder = lambda: pathlib.Path({str(tmp_path)!r})\n"
        "from hil.virtual.__main__ import main\n"
        f"sys.exit(main(['--link', {str(tmp_path / 'tty')!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2
    assert "-m hil.vm build" in done.stderr
