"""The data folder: made, checked and locked, so that one hub alone writes it and only its user reads it."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from hub.model import OutpostError

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "outpost.db"
LOCK = "lock"
_MAGIC = b"SQLite format 3\0"
_REMEDIES = {
    errno.EACCES: "; run this as the hub's user, or by sudo",
    errno.EPERM: "; run this as the hub's user, or by sudo",
    errno.EROFS: "; copy the folder to where it can be written, and name the copy",
    errno.ENOSPC: "; free some space",
}


class StoreError(OutpostError):
    """The store cannot be used; the message names the folder or file, the reason and the remedy."""


class NoStore(StoreError):
    """No hub has used the folder."""


class Folder:
    """A data folder, held by one hub from construction to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = prepare(path)
        self._lock = _lock(path / LOCK)

    def release(self) -> None:
        """Let another hub have the folder. Safe to call twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def prepare(path: Path) -> Path:
    """Make the folder (0700) and an empty database file (0600) where missing; return the file's path.

    Takes no lock: programs beside the hub use it too. Never in a process that has the database open: it
    closes the file, with which all of the process's locks on it go (POSIX), and the next program beside the
    hub would take the WAL for nobody's and delete it. Raises StoreError.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreError(f"{path}: is not a folder; name a folder for the data with --data") from error
    except OSError as error:
        raise StoreError(
            f"{path}: the data folder cannot be made: {error.strerror}{_remedy(error)}"
        ) from error
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
        database = path / DATABASE
        # SQLite gives its -wal and -shm files the mode of the database, so the mode is set before it opens.
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if database.stat().st_mode & 0o077:
            database.chmod(0o600)
        with database.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise StoreError(
            f"{error.filename or path}: the data folder cannot be written: {error.strerror}{_remedy(error)}"
        ) from error
    if head and head != _MAGIC and not _holds_samples(database):
        raise StoreError(f"{database}: is not a database; move it away, or name another folder with --data")
    return database


def _remedy(error: OSError) -> str:
    return _REMEDIES.get(error.errno or 0, "")


def _holds_samples(database: Path) -> bool:
    from hub.store.format.pages import holds_samples  # noqa: PLC0415 - numpy is slow to import, and seldom needed here

    return holds_samples(database)


def check_used(path: Path) -> None:
    """Raise NoStore where no hub has used the folder: a wrong name must not make a store. StoreError."""
    try:
        there = (path / DATABASE).exists()
    except OSError as error:
        raise StoreError(
            f"{path}: the folder cannot be read: {error.strerror}; run this as the hub's user, or by sudo"
        ) from error
    if not there:
        raise NoStore(
            f"{path}: there is no store; name the hub's data folder with --data, or let a hub make it: "
            "`outpost run --data FOLDER`, once"
        )


def _lock(path: Path) -> int | None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: the data folder cannot be locked: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
        os.close(handle)
        raise StoreError(
            f"{path.parent}: another hub (process {owner or 'unknown'}) uses this data folder; "
            "stop it, or name another folder with --data"
        ) from error
    except OSError as error:
        os.close(handle)
        raise StoreError(f"{path}: the data folder cannot be locked: {error.strerror}") from error
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        # A full disk must not keep the hub from starting; the number only makes an error message better.
        pass
    return handle
