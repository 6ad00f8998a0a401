"""A bare board, and `outpost flash` on it. Not a test."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hil.virtual.board import VirtualBoard
from hil.virtual.flash import PICO_BYTES
from hub.flash import flasher, image, plan
from hub.flash.plan import STAGED
from hub.links.first_birth import first_birth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub.model import Birth


UID = "e6614103e7452b2f"


class Bare(VirtualBoard):
    """A board with MicroPython; its port has one name, also while it is away."""

    def __init__(self, folder: Path, port: Path, flash_bytes: int = PICO_BYTES) -> None:
        super().__init__(folder, uid=UID, link=port, flash_bytes=flash_bytes)
        self.port = str(port)


@contextlib.contextmanager
def bare_board(folder: Path, port: Path) -> Iterator[Bare]:
    """Run a bare board: MicroPython, an empty flash."""
    made = Bare(folder, port)
    made.start()
    yield made
    made.stop()
    assert made.crashes == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The board's flash, as the host sees it."""
    (tmp_path / "flash").mkdir()
    return tmp_path / "flash"


@pytest.fixture
def board(folder: Path, tmp_path: Path) -> Iterator[Bare]:
    """A bare board that runs."""
    with bare_board(folder, tmp_path / "tty") as made:
        yield made


def restart(board: Bare) -> None:
    """Have the board start what is on its flash now; its port is there afterwards."""
    board.power_off()
    board.power_on()


def outpost_flash(port: object, *arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run `outpost flash`."""
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
    """Return what the board on a port says of itself."""
    return await first_birth(lambda: str(port), timeout_s)


def staged(folder: Path) -> list[Path]:
    """Return what was copied and took no place yet."""
    return list(folder.rglob(f"*{STAGED}"))


def is_whole(folder: Path) -> bool:
    """Whether all of the firmware is there, to the byte."""
    return all((folder / file.path[1:]).read_bytes() == file.data for file in image.firmware())


def wait(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Return when a condition is met."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)
