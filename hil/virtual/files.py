"""The VM's WASI calls on files and folders, served from a board's flash."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from hil.virtual.errors import NOT_A_LINK, Errno
from hil.virtual.flash import BLOCK_BYTES, Flash, ReadOnly

if TYPE_CHECKING:
    from pathlib import Path

    from hil.virtual.memory import GuestMemory

_ROOT_FD = 3
_FIRST_FD = 4
_FILETYPE_CHARACTER, _FILETYPE_FOLDER, _FILETYPE_FILE = 2, 3, 4
_CREATE, _DIRECTORY, _EXCLUSIVE, _TRUNCATE = 1, 2, 4, 8
_RIGHT_WRITE = 64
_APPEND = 1

Entries: TypeAlias = list[tuple[str, int]]
Open: TypeAlias = "BinaryIO | Entries"
WasiCall: TypeAlias = Callable[..., int]


class FileCalls:
    """WASI snapshot preview 1: `path_*` and `fd_*` for descriptors from 3 up."""

    def __init__(self, memory: GuestMemory, flash: Flash) -> None:
        self._memory, self._flash = memory, flash
        self._open: dict[int, Open] = {}

    def close_all(self) -> None:
        """Close what the VM left open when it died."""
        for file in self._open.values():
            if not isinstance(file, list):
                file.close()
        self._open.clear()

    def calls(self) -> dict[str, WasiCall]:
        """Return the calls by their WASI names."""
        return {
            "fd_prestat_get": self._prestat_get,
            "fd_prestat_dir_name": self._prestat_dir_name,
            "fd_fdstat_get": self._fdstat_get,
            "fd_close": self._close,
            "fd_sync": self._sync,
            "fd_seek": self._seek,
            "fd_readdir": self._readdir,
            "path_open": self._path_open,
            "path_filestat_get": self._filestat_get,
            "path_create_directory": lambda _fd, path, n: self._change(os.mkdir, path, n),
            "path_remove_directory": lambda _fd, path, n: self._change(os.rmdir, path, n),
            "path_unlink_file": lambda _fd, path, n: self._change(os.unlink, path, n),
            "path_rename": self._rename,
            "path_readlink": lambda *_: NOT_A_LINK,
        }

    # -- descriptors ----------------------------------------------------------------------------------

    def _prestat_get(self, fd: int, out: int) -> int:
        if fd != _ROOT_FD:
            return Errno.WASI_EBADF
        self._memory.write(out, struct.pack("<II", 0, 1))  # a folder whose name has one byte
        return Errno.OK

    def _prestat_dir_name(self, _fd: int, out: int, _length: int) -> int:
        self._memory.write(out, b"/")
        return Errno.OK

    def _fdstat_get(self, fd: int, out: int) -> int:
        kind = _FILETYPE_FILE
        if fd < _ROOT_FD:
            kind = _FILETYPE_CHARACTER
        elif fd == _ROOT_FD or isinstance(self._open.get(fd), list):
            kind = _FILETYPE_FOLDER
        every_right = 2**64 - 1
        self._memory.write(out, struct.pack("<BxHxxxxQQ", kind, 0, every_right, every_right))
        return Errno.OK

    def read(self, fd: int, count: int) -> bytes | Errno:
        """Read from an open file (`fd_read` beyond the console)."""
        file = self._open.get(fd)
        if file is None or isinstance(file, list):
            return Errno.EBADF
        return file.read(count)

    def write(self, fd: int, data: bytes) -> Errno:
        """Write to an open file (`fd_write` beyond the console)."""
        file = self._open.get(fd)
        if file is None or isinstance(file, list):
            return Errno.EBADF
        if not self._flash.take(len(data)):
            return Errno.ENOSPC
        file.write(data)
        return Errno.OK

    def _close(self, fd: int) -> int:
        file = self._open.pop(fd, None)
        if file is None:
            return Errno.EBADF
        if not isinstance(file, list):
            file.close()
        return Errno.OK

    def _sync(self, _fd: int) -> int:
        return Errno.OK

    def _seek(self, fd: int, offset: int, whence: int, out: int) -> int:
        file = self._open.get(fd)
        if file is None or isinstance(file, list):
            return Errno.ESPIPE
        try:
            self._memory.write_u64(out, file.seek(offset, whence))
        except OSError:
            return Errno.EINVAL
        return Errno.OK

    def _readdir(self, fd: int, buffer: int, size: int, cookie: int, out: int) -> int:
        entries = self._open.get(fd)
        if not isinstance(entries, list):
            return Errno.EBADF
        data = b""
        for index, (name, kind) in enumerate(entries[cookie:], start=cookie + 1):
            text = name.encode()
            data += struct.pack("<QQIBxxx", index, index, len(text), kind) + text
            if len(data) >= size:
                break
        data = data[:size]  # a cut entry tells the C library to ask again from its cookie
        self._memory.write(buffer, data)
        self._memory.write_u32(out, len(data))
        return Errno.OK

    # -- paths ----------------------------------------------------------------------------------------

    def _path_open(
        self,
        _dir: int,
        _follow: int,
        path: int,
        length: int,
        how: int,
        rights: int,
        _inherit: int,
        flags: int,
        out: int,
    ) -> int:
        found, rom = self._flash.resolve(self._memory.text(path, length))
        write = bool(rights & _RIGHT_WRITE)
        if found.is_dir():
            if write:
                return Errno.EISDIR
            opened: Open | Errno = _list(found)
        elif how & _DIRECTORY:
            return Errno.ENOTDIR if found.exists() else Errno.ENOENT
        else:
            opened = self._open_file(found, how, write=write, append=bool(flags & _APPEND), rom=rom)
        if isinstance(opened, Errno):
            return opened
        fd = _FIRST_FD
        while fd in self._open:
            fd += 1
        self._open[fd] = opened
        self._memory.write_u32(out, fd)
        return Errno.OK

    def _open_file(self, path: Path, how: int, *, write: bool, append: bool, rom: bool) -> BinaryIO | Errno:
        refused = self._may_open(path, how, write=write, rom=rom)
        if refused is not None:
            return refused
        if append:
            return path.open("ab", buffering=0)
        if not path.exists() or how & _TRUNCATE:
            self._flash.freed()
            return path.open("w+b", buffering=0)
        return path.open("r+b" if write else "rb", buffering=0)

    def _may_open(self, path: Path, how: int, *, write: bool, rom: bool) -> Errno | None:
        if path.exists():
            if how & _CREATE and how & _EXCLUSIVE:
                return Errno.EEXIST
            return Errno.EROFS if rom and (write or how & _TRUNCATE) else None
        if not how & _CREATE or not path.parent.is_dir():
            return Errno.ENOENT
        if rom:
            return Errno.EROFS
        return Errno.ENOSPC if self._flash.free_bytes() < BLOCK_BYTES else None

    def _filestat_get(self, _dir: int, _follow: int, path: int, length: int, out: int) -> int:
        found, _rom = self._flash.resolve(self._memory.text(path, length))
        try:
            stat = found.stat()
        except NotADirectoryError:
            return Errno.ENOTDIR
        except (OSError, ValueError):
            return Errno.ENOENT
        folder = found.is_dir()
        kind, size = (_FILETYPE_FOLDER, 0) if folder else (_FILETYPE_FILE, stat.st_size)
        times = (0, int(stat.st_mtime) * 10**9, 0)
        self._memory.write(out, struct.pack("<QQBxxxxxxxQQQQQ", 0, 0, kind, 1, size, *times))
        return Errno.OK

    def _change(self, operation: Callable[[Path], None], path: int, length: int) -> int:
        try:
            operation(self._flash.for_change(self._memory.text(path, length)))
        except ReadOnly:
            return Errno.EROFS
        except OSError as error:
            return error.errno or Errno.EIO
        return Errno.OK

    def _rename(self, _from: int, old: int, old_length: int, _to: int, new: int, new_length: int) -> int:
        try:
            target = self._flash.for_change(self._memory.text(new, new_length))
        except ReadOnly:
            return Errno.EROFS
        return self._change(
            lambda source: os.replace(source, target),  # noqa: PTH105 - it returns nothing, as the others do
            old,
            old_length,
        )


def _list(folder: Path) -> Entries:
    names = sorted(entry for entry in folder.iterdir() if entry.name != "__pycache__")
    return [(".", _FILETYPE_FOLDER), ("..", _FILETYPE_FOLDER)] + [
        (entry.name, _FILETYPE_FOLDER if entry.is_dir() else _FILETYPE_FILE) for entry in names
    ]
