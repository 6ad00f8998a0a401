"""The rig file and the hil plugin's options."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil import rig
from hil.bench import SerialBench
from hil.rig import RigError

PLACE = '[[place]]\nname = "a"\n[place.resource]\nport = "/dev/ttyACM0"\n'


def load(tmp_path: Path, text: str) -> rig.Rig:
    path = tmp_path / "rig.toml"
    path.write_text(text)
    return rig.load(path)


def test_a_rig_file_is_read(tmp_path: Path) -> None:
    text = (
        '[hub]\nurl = "http://pi:8080"\ntoken_file = "t"\n[[place]]\nname = "a"\ndevice = "e661"\n'
        '[place.resource]\nport = "/dev/x"\npower_off = ["off"]\npower_on = ["on"]\n'
    )
    (tmp_path / "t").write_text("outpost_secret\n")
    found = load(tmp_path, text)
    place = found.named(None)
    assert (place.name, place.device, place.resource.port) == ("a", "e661", "/dev/x")
    assert (place.resource.power_off, place.resource.power_on) == (("off",), ("on",))
    assert found.hub is not None
    assert found.hub.token(tmp_path) == "outpost_secret"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("place = [", "rig.toml"),
        ("", "place"),
        ("place = []", "there is none"),
        (PLACE.replace("port", "prot"), "`place[0].resource.prot` is unknown here; known: port, virtual"),
        (PLACE.replace('port = "/dev/ttyACM0"', ""), "either `port` or `virtual = true`"),
        (PLACE + "virtual = true", "either `port` or `virtual = true`"),
        (PLACE + PLACE, "is there twice"),
        (PLACE + 'power_off = ["x"]', "go together"),
        (PLACE.replace('"a"', "3"), "`place[0].name`: expected a text, got a whole number"),
    ],
)
def test_a_wrong_rig_file_is_refused_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RigError) as refused:
        load(tmp_path, text)
    assert words.lower() in str(refused.value).lower()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"none\.toml: cannot be read"):
        rig.load(tmp_path / "none.toml")


def test_of_several_places_one_must_be_named(tmp_path: Path) -> None:
    found = load(tmp_path, PLACE + PLACE.replace('"a"', '"b"'))
    assert found.named("b").name == "b"
    with pytest.raises(RigError, match="--place: a, b"):
        found.named(None)
    with pytest.raises(RigError, match="no place 'c'; it has: a, b"):
        found.named("c")


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="none: the hub's token cannot be read"):
        rig.HubAddress(url="http://x", token_file="none").token(tmp_path)


def test_a_missing_port_is_named() -> None:
    with pytest.raises(RigError, match=r"/dev/none: there is no such port"):
        SerialBench("/dev/none", (), ()).start()


def test_the_power_switch_is_the_rigs_own_command(tmp_path: Path) -> None:
    bench = SerialBench("/dev/none", ("touch", str(tmp_path / "off")), ("touch", str(tmp_path / "on")))
    bench.unplug()
    bench.replug()
    assert bench.can_unplug
    assert {path.name for path in tmp_path.iterdir()} == {"off", "on"}


def test_a_power_switch_that_fails_says_so(tmp_path: Path) -> None:
    bench = SerialBench("/dev/none", ("ls", str(tmp_path / "none")), ("true",))
    with pytest.raises(RigError, match=r"ls .*none.*No such file"):
        bench.unplug()


def run_suite(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-p", "hil.plugin", "-p", "no:cacheprovider", *arguments]
    root = Path(__file__).parents[1]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=root, timeout=110)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "/dev/x", "--rig", "y"], "exclude each other"),
        (["--rig", "/nowhere/rig.toml"], "cannot be read"),
        (["--place", "none"], "no place 'none'"),
        (["--hub-url", "http://x"], "go together"),
        (["--hub-url", "http://x", "--hub-token-file", "t"], "only the suite's own hub reaches it"),
    ],
)
def test_wrong_options_end_pytest_with_the_reason(arguments: list[str], words: str) -> None:
    done = run_suite("hil/suite", *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert words in done.stderr


@pytest.mark.e2e
def test_the_suite_runs_on_a_board_behind_a_port(tmp_path: Path) -> None:
    """As on a real board: the suite gets a port, and no hands."""
    link = tmp_path / "tty"
    command = [sys.executable, "-m", "hil.virtual", "--link", str(link)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as board:
        try:
            assert board.stdout is not None
            board.stdout.readline()
            done = run_suite(
                "--port", str(link), "hil/suite/test_birth.py", "hil/suite/test_unplug.py", "-rs"
            )
        finally:
            board.terminate()
    assert done.returncode == 0, done.stdout
    assert "6 passed, 3 skipped" in done.stdout
    assert "this rig cannot unplug the board" in done.stdout


@pytest.mark.e2e
def test_a_board_without_firmware_fails_the_suite(tmp_path: Path) -> None:
    link = tmp_path / "tty"
    command = [sys.executable, "-m", "hil.virtual", "--link", str(link), "--profile", "bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as board:
        try:
            assert board.stdout is not None
            board.stdout.readline()
            done = run_suite("--port", str(link), "hil/suite/test_birth.py", "-x", "--online-timeout", "2")
        finally:
            board.terminate()
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "Does the board run the firmware?" in done.stdout


@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_a_project_of_ones_own_needs_no_settings(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "async def test_the_led(board):\n"
        '    assert (await board.send("led", state="on")).state == "succeeded"\n'
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "hil.plugin",
            "-p",
            "no:cacheprovider",
            "-q",
            "test_mine.py",
            "--online-timeout",
            "90",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "Warning" not in done.stderr
