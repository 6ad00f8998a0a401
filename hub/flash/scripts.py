"""What runs on a board while it is flashed: MicroPython, sent to its raw REPL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.flash.image import START, TRIAL
from hub.flash.plan import STAGED, Board, Hashes
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hub.flash.image import BoardFile

IDENTIFY = """\
import os, sys
print(sys.implementation[0])
print(*[part for part in sys.implementation[1] if isinstance(part, int)])
print(sys.platform)
print(os.uname()[4] if hasattr(os, 'uname') else sys.platform)
stat = os.statvfs('/')
print(stat[1], stat[3])
"""
"""Asks what the board is; anything with a raw REPL can answer."""
_HASHES = """\
import hashlib, binascii
def sha256(path):
    try:
        file = open(path, 'rb')
    except OSError:
        return '-'
    digest, buffer = hashlib.sha256(), bytearray(512)
    view = memoryview(buffer)
    while True:
        count = file.readinto(buffer)
        if not count:
            break
        digest.update(view[:count])
    file.close()
    return binascii.hexlify(digest.digest()).decode()
for path in {paths!r}:
    print(sha256(path), sha256(path + {staged!r}), path)
"""
_FOLDERS = """\
import os
for path in {paths!r}:
    try:
        os.mkdir(path)
    except OSError as error:
        if error.errno != 17:
            raise
"""
# By the board alone, so that no cable can come between. A cut is ended by the board's next start: trial.py
# comes first, with it goes the journal of what is to be renamed, then main.py, which reads it, then the rest.
_EXCHANGE = """\
import os, sys
try:
    os.rename({trial!r} + {staged!r}, {trial!r})
except OSError:
    pass
sys.modules.pop('trial', None)
import trial
trial.Trial().exchange({paths!r})
"""
SETTLE = """\
try:
    import trial
    found = trial.Trial()
    found.settle()
    if found.kind:
        found.back('the board was flashed')
except Exception as error:
    print(repr(error))
"""
"""Ends what a cut has left half done, and puts back what is on trial; without trial.py there is neither."""
_FORGET = """\
import os
for path in {paths!r}:
    try:
        os.remove(path + {staged!r})
    except OSError:
        pass
"""


class Unreadable(OutpostError):
    """A board's answer makes no sense."""


def identified(printed: str) -> Board:
    """Read what IDENTIFY printed. Raises Unreadable."""
    try:
        implementation, version, platform, machine, space = printed.splitlines()
        block_bytes, free_blocks = (int(part) for part in space.split())
        return Board(
            implementation=implementation,
            version=tuple(int(part) for part in version.split()),
            platform=platform,
            machine=machine,
            block_bytes=max(1, block_bytes),
            free_blocks=free_blocks,
        )
    except ValueError as error:
        raise Unreadable(f"the board's answer makes no sense: {printed[:200]!r}") from error


def look(files: Iterable[BoardFile]) -> str:
    """Ask for the hashes of `files`, and of what waits beside them."""
    return _HASHES.format(paths=_paths(files), staged=STAGED)


def seen(printed: str) -> Hashes:
    """Read what `look` printed. Raises Unreadable."""
    hashes = {}
    for line in printed.splitlines():
        there, found, rest = line.partition(" ")
        staged, found_too, path = rest.partition(" ")
        if not found or not found_too:
            raise Unreadable(f"the board's answer makes no sense: {line[:200]!r}")
        hashes[path] = (None if there == "-" else there, None if staged == "-" else staged)
    return hashes


def folders(files: Iterable[BoardFile]) -> str:
    """Make the folders that `files` are in."""
    found = {file.path.rsplit("/", 1)[0] for file in files}
    nested = {folder[:end] for folder in found for end in range(1, len(folder) + 1) if _ends(folder, end)}
    return _FOLDERS.format(paths=sorted(nested))


def exchange(files: Sequence[BoardFile]) -> str:
    """Give the files that wait their places; a cut at any step is ended by the board's next start."""
    paths = sorted(_paths(files), key=lambda path: path != START)
    return _EXCHANGE.format(paths=[path for path in paths if path != TRIAL], staged=STAGED, trial=TRIAL)


def forget(files: Iterable[BoardFile]) -> str:
    """Remove what waits beside `files`."""
    return _FORGET.format(paths=_paths(files), staged=STAGED)


def _ends(folder: str, end: int) -> bool:
    return end == len(folder) or folder[end] == "/"


def _paths(files: Iterable[BoardFile]) -> list[str]:
    return [file.path for file in files]
