"""What is to be done on a board: which files it lacks, and whether they fit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from hub.flash.image import BoardFile  # noqa: TC001 - msgspec resolves the fields' types
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Sequence

Hashes: TypeAlias = Mapping[str, tuple[str | None, str | None]]
"""By path: the SHA-256 of the file on the board, and of what waits beside it; None where there is none."""

# A copied file waits under this name until all are there and whole.
STAGED = ".new"
PLATFORMS = {"rp2": "RP2040 or RP2350", "esp32": "ESP32"}
OLDEST = (1, 24)


class WrongChip(OutpostError):
    """The firmware does not run on this board, or not on its MicroPython."""


class NoRoom(OutpostError):
    """The board's flash is too small for what is to be copied."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """What a board says of itself at its REPL."""

    implementation: str
    """`micropython`, or what else runs there."""
    version: tuple[int, ...]
    platform: str
    machine: str
    block_bytes: int
    free_blocks: int

    @property
    def text(self) -> str:
        """What it is, in a line for people."""
        return f"{self.machine}, MicroPython {'.'.join(map(str, self.version[:3]))}"


class Plan(msgspec.Struct, frozen=True):
    """`copy` goes under temporary names; then all of `exchange` take their places."""

    copy: tuple[BoardFile, ...]
    exchange: tuple[BoardFile, ...]
    """Those, and what a run that was cut has left there."""
    same: int
    """How many files are there already."""

    @property
    def copy_bytes(self) -> int:
        """How much has to be copied."""
        return sum(len(file.data) for file in self.copy)


def check(board: Board) -> None:
    """Raise WrongChip where the firmware does not run on `board`."""
    if board.implementation != "micropython":
        raise WrongChip(
            f"it runs {board.implementation}, not MicroPython: https://micropython.org/download/ has it"
        )
    if board.platform not in PLATFORMS:
        raise WrongChip(
            f"the firmware is for {' and '.join(PLATFORMS.values())}; this board is {board.machine} "
            f"({board.platform})"
        )
    if board.version[:2] < OLDEST:
        raise WrongChip(
            f"the board has MicroPython {'.'.join(map(str, board.version[:3]))}; the firmware needs "
            f"{'.'.join(map(str, OLDEST))} or newer, from https://micropython.org/download/"
        )


def make(files: Sequence[BoardFile], board: Board, hashes: Hashes) -> Plan:
    """Return what has to be done so that `files` are on `board`. Raises NoRoom."""
    states = [(file, *hashes.get(file.path, (None, None))) for file in files]
    exchange = [(file, staged) for file, there, staged in states if there != file.sha256]
    plan = Plan(
        copy=tuple(file for file, staged in exchange if staged != file.sha256),
        exchange=tuple(file for file, _ in exchange),
        same=len(files) - len(exchange),
    )
    # Whole blocks, and as many again for folders and the file system's own records.
    need = sum(2 + len(file.data) // board.block_bytes for file in plan.copy)
    if need > board.free_blocks:
        raise NoRoom(
            f"the board's flash has {board.free_blocks * board.block_bytes // 1000} kB free, and "
            f"{need * board.block_bytes // 1000} kB are needed beside what is there; remove files of your "
            "own (`mpremote fs ls`, `mpremote fs rm`)"
        )
    return plan
