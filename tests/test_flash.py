"""`outpost flash` on the virtual board, as on any: a real MicroPython, its REPL, a flash that can be full."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import click
import pytest

from hil.hub import HubProcess
from hil.virtual.board import VirtualBoard
from hil.virtual.flash import PICO_BYTES
from hub.cli import flashing
from hub.cli.client import Failed
from hub.flash import flasher, image, plan, scripts
from hub.flash.plan import STAGED, NoRoom, WrongChip
from hub.links import raw_repl
from hub.links.first_birth import NoBirth, first_birth
from hub.links.raw_repl import BoardError, BoardFull, BoardGone, NoMicroPython
from hub.links.serial_port import PortAbsent, PortUnusable
from hub.links.usb import UsbPort
from tests.e2e.api import Api
from tests.soak import SOAK, times
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub.model import Birth

pytestmark = [needs_vm, pytest.mark.slow]

UID = "e6614103e7452b2f"
CUTS = times(6, 20)
CRASHING = """\
import time, machine
try:
    import nothing
except Exception:
    time.sleep(1)
    machine.reset()
"""


class Bare(VirtualBoard):
    """A board with MicroPython; its port has one name, also while it is away."""

    def __init__(self, folder: Path, port: Path, flash_bytes: int = PICO_BYTES) -> None:
        super().__init__(folder, uid=UID, link=port, flash_bytes=flash_bytes)
        self.port = str(port)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The board's flash, as the host sees it."""
    (tmp_path / "flash").mkdir()
    return tmp_path / "flash"


@pytest.fixture
def board(folder: Path, tmp_path: Path) -> Iterator[Bare]:
    """A bare board: MicroPython, an empty flash."""
    made = Bare(folder, tmp_path / "tty")
    made.start()
    yield made
    made.stop()
    assert made.crashes == []


def restart(board: Bare) -> None:
    """Have the board start what is on its flash now; its port is there afterwards."""
    board.power_off()
    board.power_on()


def outpost_flash(port: object, *arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "flash", str(port), "--data", str(data), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def flash(port: object, seen: list[plan.Plan] | None = None) -> None:
    """Flash in this process."""
    flasher.flash(
        str(port),
        image.firmware(),
        planned=lambda _board, todo: None if seen is None else seen.append(todo),
        copied=lambda _count: None,
    )


async def born(port: object, timeout_s: float = 30) -> Birth:
    return await first_birth(lambda: str(port), timeout_s)


def staged(folder: Path) -> list[Path]:
    return list(folder.rglob(f"*{STAGED}"))


def is_whole(folder: Path) -> bool:
    return all((folder / file.path[1:]).read_bytes() == file.data for file in image.firmware())


# --- from bare to born ----------------------------------------------------------------------------------


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


def wait(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)


# --- cuts -----------------------------------------------------------------------------------------------


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


# --- what cannot be done --------------------------------------------------------------------------------


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


# --- which board ----------------------------------------------------------------------------------------


def boards(*devices: str) -> Callable[[], list[UsbPort]]:
    return lambda: [UsbPort(device=device, maker="Raspberry Pi Pico") for device in devices]


def test_the_only_board_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards("/dev/ttyACM0"))
    assert flashing.only_board() == "/dev/ttyACM0"


def test_of_several_boards_one_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards("/dev/ttyACM0", "/dev/ttyACM1"))
    with pytest.raises(click.UsageError, match=r"ttyACM1 \(Raspberry Pi Pico\)"):
        flashing.only_board()


def test_no_board_is_told_how_to_plug_one_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards())
    monkeypatch.setattr("hub.links.usb.bootloaders", list)
    with pytest.raises(Failed, match="carries data"):
        flashing.only_board()


def test_a_board_that_waits_for_micropython_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards())
    monkeypatch.setattr("hub.links.usb.bootloaders", lambda: ["RPI-RP2"])
    with pytest.raises(Failed, match="RPI-RP2"):
        flashing.only_board()
