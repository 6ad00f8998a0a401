"""A board's flash: a folder of the host, with a size, and counts of what wears flash out."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BLOCK_BYTES = 4096
PICO_BYTES = 1_441_792
"""The file system of a Raspberry Pi Pico; a Pico W has 868,352."""


class ReadOnly(Exception):
    """The path lies in the board's ROM."""


class Flash:
    """The file system a board sees: `/rom` read-only from `rom` folders, all else in `root`."""

    def __init__(self, root: Path, rom: tuple[Path, ...], size_bytes: int = PICO_BYTES) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        self._rom = rom
        self.size_bytes = size_bytes
        self.written_bytes = 0
        """Bytes written to files since the board was made."""
        self.erased_blocks = 0
        """Blocks a real flash would have erased for them; each bears about 100,000 erasures."""
        self._at_least_free = 0

    def resolve(self, path: str) -> tuple[Path, bool]:
        """Return where a board's path lies on the host, and whether it is ROM. It cannot leave the board."""
        clean = posixpath.normpath("/" + path.strip("/"))
        if clean == "/rom" or clean.startswith("/rom/"):
            inner = clean[5:]
            for folder in self._rom:
                if (folder / inner).exists():
                    return folder / inner, True
            return self._rom[0] / inner, True
        return self._root / clean.lstrip("/"), False

    def for_change(self, path: str) -> Path:
        """Return where a path to be changed lies. Raises ReadOnly."""
        found, rom = self.resolve(path)
        if rom:
            raise ReadOnly(path)
        self.erased_blocks += 1
        self.freed()
        return found

    def freed(self) -> None:
        """Note that files changed in another way than by growing: count again before the next refusal."""
        self._at_least_free = 0

    def free_bytes(self) -> int:
        """Return what is left: whole blocks count, and one more for each file's entry."""
        used = sum(
            -(-file.stat().st_size // BLOCK_BYTES) * BLOCK_BYTES + BLOCK_BYTES
            for file in self._root.rglob("*")
            if file.is_file()
        )
        self._at_least_free = max(0, self.size_bytes - used)
        return self._at_least_free

    def take(self, count: int) -> bool:
        """Account for a write of `count` bytes. Returns False where they do not fit."""
        blocks = -(-count // BLOCK_BYTES)
        need = blocks * BLOCK_BYTES
        if need > self._at_least_free and count > self.free_bytes():
            return False
        self._at_least_free = max(0, self._at_least_free - need)
        self.written_bytes += count
        self.erased_blocks += blocks
        return True
