"""Error numbers that WASI calls return to the VM.

MicroPython hands them on in OSError, where firmware compares them with `errno`, so they are Linux's (and real
boards') numbers. Only those that the VM's C library itself interprets are WASI's.

One trap remains: MicroPython's compiler folds `errno.ENOENT`, written with the module's name, into the number
its own build has, here WASI's 44. `from errno import ENOENT` gives the board's 2 everywhere.
"""

from __future__ import annotations

from enum import IntEnum


class Errno(IntEnum):
    """Returned by every WASI call; 0 is success."""

    OK = 0
    ENOENT = 2
    EIO = 5
    EBADF = 9
    EEXIST = 17
    ENOTDIR = 20
    EISDIR = 21
    EINVAL = 22
    ENOSPC = 28
    ESPIPE = 29
    EROFS = 30
    WASI_EBADF = 8
    """Ends the C library's search for preopened folders."""
    WASI_EINTR = 27
    """Makes MicroPython's read loop run pending exceptions, then try again."""


NOT_A_LINK = 28
"""WASI's EINVAL, which the C library's realpath wants from readlink (in Linux's numbers: ENOSPC)."""
