"""The rows of a damaged SQLite file, page by page: for a file whose schema or first page is gone.

SQLite's file format, https://www.sqlite.org/fileformat2.html: 1.3 header, 1.5 free list, 1.6 B-tree pages,
2.1 records, 4.1 WAL. Nothing here is believed: what does not add up is no row.
"""

from __future__ import annotations

import contextlib
import mmap
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from hub.store.format import chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

Cell: TypeAlias = int | float | str | bytes | None
Found: TypeAlias = tuple[int, list[Cell]]

_MAGIC = b"SQLite format 3\0"
_SIZES = (1024, 4096)
"""Of pages: what the store makes now, and made."""
_LEAF = 0x0D
_WAL_HEAD, _FRAME_HEAD = 32, 24
_LONGEST = 1 << 27
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_CELL_POINTERS = 8


_LOOKED_AT = 1 << 16
"""So many pages are looked at for a chunk before a file is taken for somebody else's."""


class NoRow(ValueError):
    """Bytes that are no row."""


class Pages:
    """A file's pages, those of its WAL in their place. Close it. Raises OSError, ValueError where empty."""

    def __init__(self, file: Path) -> None:
        self._opened = file.open("rb")
        try:
            self._data = mmap.mmap(self._opened.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            self._opened.close()
            raise
        wal = Path(f"{file}-wal")
        self._wal = wal.read_bytes() if wal.exists() else b""
        told = int.from_bytes(self._data[16:18], "big") if self._data[:16] == _MAGIC else 0
        in_wal = int.from_bytes(self._wal[8:12], "big")
        self.sizes = tuple(size for size in dict.fromkeys((told, in_wal)) if size in _SIZES) or _SIZES

    def close(self) -> None:
        """Give the file free."""
        self._data.close()
        self._opened.close()

    def rows(self, size: int) -> Iterator[tuple[int, int, list[Found]]]:
        """Yield of each page of rows its number, how many pages there are, and the rows in it."""
        view = _View(self._data, self._wal, size, _overlay(self._wal, size))
        count = len(self._data) // size
        count = max(count, *view.overlay, 0) if view.overlay else count
        free = _free(view, count) if self._data[:16] == _MAGIC else set()
        for number in range(2, count + 1):
            if number not in free:
                yield number, count, list(_rows(view, number))


def holds_samples(file: Path) -> bool:
    """Tell that a file is a store, whatever state it is in, by an intact chunk. Raises OSError."""
    with contextlib.suppress(ValueError):  # an empty file cannot be mapped
        pages = Pages(file)
        try:
            return any(
                is_chunk(cells)
                for size in pages.sizes
                for _, _, rows in islice(pages.rows(size), _LOOKED_AT)
                for _, cells in rows
            )
        finally:
            pages.close()
    return False


def is_chunk(cells: list[Cell]) -> bool:
    """Tell that a row is of the table `chunk`, and intact."""
    match cells:
        case [None, int(n), bytes(data)]:
            return n > 0 and intact(data)
    return False


def intact(data: bytes) -> bool:
    """Tell that bytes are a chunk's or a rollup's, by their checksum."""
    try:
        chunk.check(data)
    except chunk.ChunkDamaged:
        return False
    return True


class _View(msgspec.Struct):
    data: mmap.mmap
    wal: bytes
    size: int
    overlay: dict[int, int]
    """Of pages in the WAL: where their last committed bytes begin."""

    def page(self, number: int) -> bytes:
        if (at := self.overlay.get(number)) is not None:
            return self.wal[at : at + self.size]
        return self.data[(number - 1) * self.size : number * self.size]


def _overlay(wal: bytes, size: int) -> dict[int, int]:
    found: dict[int, int] = {}
    begun: dict[int, int] = {}
    salts = wal[16:24]
    for at in range(_WAL_HEAD, len(wal) - _FRAME_HEAD - size + 1, _FRAME_HEAD + size):
        if wal[at + 8 : at + 16] != salts:
            break
        begun[int.from_bytes(wal[at : at + 4], "big")] = at + _FRAME_HEAD
        if any(wal[at + 4 : at + 8]):  # the last frame of a commit
            found |= begun
            begun.clear()
    return found


def _free(view: _View, count: int) -> set[int]:
    """Return the pages of the free list, whose rows went long ago, as far as it can be followed."""
    free: set[int] = set()
    trunk = int.from_bytes(view.page(1)[32:36], "big")
    while 1 < trunk <= count and trunk not in free:
        page = view.page(trunk)
        leaves = min(int.from_bytes(page[4:8], "big"), view.size // 4 - 2)
        free.add(trunk)
        free.update(int.from_bytes(page[8 + 4 * n : 12 + 4 * n], "big") for n in range(leaves))
        trunk = int.from_bytes(page[:4], "big")
    return free


def _rows(view: _View, number: int) -> Iterator[Found]:
    page = view.page(number)
    if len(page) < view.size or page[0] != _LEAF:
        return
    cells = int.from_bytes(page[3:5], "big")
    for place in range(_CELL_POINTERS, min(_CELL_POINTERS + 2 * cells, view.size - 1), 2):
        try:
            yield _cell(view, page, int.from_bytes(page[place : place + 2], "big"))
        except (ValueError, IndexError):
            continue


def _cell(view: _View, page: bytes, at: int) -> Found:
    size, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if size > _LONGEST:
        raise NoRow("what it says of its lengths does not add up")
    local = _local(size, view.size)
    if local == size:
        return rowid, _record(page[at : at + size], size)
    parts, following = [page[at : at + local]], int.from_bytes(page[at + local : at + local + 4], "big")
    left = size - local
    while left > 0:
        page = view.page(following) if following > 1 else b""
        if len(page) < view.size:
            raise NoRow("what it says of its lengths does not add up")
        parts.append(page[4 : 4 + left])
        following, left = int.from_bytes(page[:4], "big"), left - len(parts[-1])
    return rowid, _record(b"".join(parts), size)


def _local(size: int, page: int) -> int:
    """Return how many of a payload's bytes lie on its leaf."""
    if size <= page - 35:
        return size
    least = (page - 12) * 32 // 255 - 23
    local = least + (size - least) % (page - 4)
    return local if local <= page - 35 else least


def _record(data: bytes, size: int) -> list[Cell]:
    if len(data) != size:
        raise NoRow("what it says of its lengths does not add up")
    end, at = _varint(data, 0)
    if end > size:
        raise NoRow("what it says of its lengths does not add up")
    body, cells = end, []
    while at < end:
        kind, at = _varint(data, at)
        cell, body = _value(data, kind, body)
        cells.append(cell)
    if body != size:
        raise NoRow("what it says of its lengths does not add up")
    return cells


def _value(data: bytes, kind: int, at: int) -> tuple[Cell, int]:
    if kind in (0, 8, 9):
        return None if kind == 0 else kind - 8, at
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(data[at:end], "big", signed=True), end
    if kind < 12:  # a float, which no table has that is looked for here, or what is reserved
        raise NoRow("what it says of its lengths does not add up")
    end = at + (kind - 12) // 2
    raw = data[at:end]
    return (raw.decode() if kind % 2 else raw), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of up to nine bytes, seven bits each, the highest first, and where it ends."""
    number = 0
    for place in range(at, at + 8):
        byte = data[place]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place + 1
    return number << 8 | data[at + 8], at + 9
