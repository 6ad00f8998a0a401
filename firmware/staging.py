"""What an update asks of the flash: hashes, room, folders."""

import asyncio
import hashlib
import os

from micropython import const
from trial import NEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from manifest import File

_PIECE = const(512)
_EEXIST = const(17)


async def digest(path: str) -> "bytes | None":
    """Return a file's SHA-256, or None where there is none; other tasks go on between."""
    try:
        file = open(path, "rb")  # noqa: ASYNC230, SIM115 - a board has no other way; closed by `with` below
    except OSError:
        return None
    sha256, buffer = hashlib.sha256(), bytearray(_PIECE)
    view = memoryview(buffer)
    with file:
        while True:
            count = file.readinto(buffer)
            if not count:
                found: bytes = sha256.digest()
                return found
            sha256.update(view[:count])
            await asyncio.sleep_ms(0)


def fits(files: "Sequence[File]") -> bool:
    """Whether there is room for those of the files that are not staged yet."""
    stat = os.statvfs("/")
    block, free = stat[1] or 1, stat[3]
    # Whole blocks, and as many again for folders and the file system's own records.
    return sum([2 + file.size // block for file in files if not _is(file.path + NEW)]) <= free


def make_folder(path: str) -> None:
    """Make the folders that a file is in. Raises OSError."""
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as error:
            if error.errno != _EEXIST:
                raise
        at = path.find("/", at + 1)


def remove(path: str) -> None:
    """Remove a file, if there is one."""
    try:  # noqa: SIM105 - MicroPython has no contextlib
        os.remove(path)
    except OSError:
        pass  # it was not there


def _is(path: str) -> bool:
    try:
        os.stat(path)
    except OSError:
        return False
    return True
