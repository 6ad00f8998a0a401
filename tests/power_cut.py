"""What a disk holds after a power cut, from a recording of what a process had the kernel do. Not a test.

strace writes down every write and sync of a real store on a real file system. `Recording.cut` plays it up
to a moment: what was synced is there, of the rest any sectors are, in any order, as a disk's cache leaves
them. A file that was made counts as there once it was synced (ext4, btrfs and F2FS do so).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import random
    from pathlib import Path

SECTOR = 512
_CALLS = "write,pwrite64,ftruncate,fsync,fdatasync"
_CALL = re.compile(r"\d+ +(\w+)\((\d+)<([^>]*)>(.*)\) += (-?\d+)")
"""Thread, name, descriptor with its path (`-y`), the other arguments, result."""
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Call(msgspec.Struct, frozen=True):
    """A write (`data` at `offset`), a truncation (`data` None), or a sync (`offset` -1) of a file."""

    path: str
    offset: int
    data: bytes | None = None


class Recording(msgspec.Struct, frozen=True):
    """What a process did to the files of a folder, and what it printed, in order."""

    before: dict[str, bytes]
    """What the files held."""
    calls: list[Call | bytes]

    def cut(self, folder: Path, end: int, rng: random.Random) -> bytes:
        """Make `folder` what a cut after `end` calls leaves of it; return what was printed till then."""
        printed = b""
        durable = {path: bytearray(content) for path, content in self.before.items()}
        cached: dict[str, list[Call]] = {}
        for call in self.calls[:end]:
            if isinstance(call, bytes):
                printed += call
            elif call.offset < 0:
                for waiting in cached.pop(call.path, []):
                    _apply(durable.setdefault(call.path, bytearray()), waiting, None, 1.0)
            else:
                cached.setdefault(call.path, []).append(call)
        share = rng.choice((0.0, 0.5, 0.9, 1.0))
        for path, calls in cached.items():
            # In any order: what was written last may be all that is there.
            for waiting in rng.sample(calls, len(calls)):
                _apply(durable.setdefault(path, bytearray()), waiting, rng, share)
        folder.mkdir(mode=0o700)
        for path, content in durable.items():
            (folder / path).write_bytes(content)
        return printed


def _apply(content: bytearray, call: Call, rng: random.Random | None, share: float) -> None:
    if call.data is None:
        if rng is None or rng.random() < share:
            del content[call.offset :]
            content.extend(bytes(call.offset - len(content)))
        return
    for at in range(0, len(call.data), SECTOR):
        if rng is None or rng.random() < share:
            sector = call.data[at : at + SECTOR]
            start = call.offset + at
            content.extend(bytes(max(0, start - len(content))))
            content[start : start + len(sector)] = sector


def reason_against() -> str | None:
    """Say why nothing can be recorded here; None when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True)
    return None if done.returncode == 0 else "this machine permits no tracing"


def record(command: list[str], folder: Path, log: Path) -> Recording:
    """Run a program to its end; record what it does to the files of `folder` and writes to fd 1."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run(
        ["strace", "-f", "-y", "-xx", "-s", "8000000", "-e", f"trace={_CALLS}", "-o", str(log), *command],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=300,
    )
    calls: list[Call | bytes] = []
    unfinished: dict[str, str] = {}
    ends = {name: len(content) for name, content in before.items()}
    with log.open() as lines:
        for line in lines:
            thread = line.split(" ", 1)[0]
            whole = line.rstrip()
            if whole.endswith("<unfinished ...>"):
                unfinished[thread] = whole.removesuffix("<unfinished ...>").rstrip()
                continue
            if " resumed>" in whole:
                whole = unfinished.pop(thread) + whole.split(" resumed>", 1)[1]
            call = _call(whole, folder, ends)
            if call is not None:
                calls.append(call)
    return Recording(before, calls)


def _call(line: str, folder: Path, ends: dict[str, int]) -> Call | bytes | None:
    found = _CALL.match(line)
    if found is None:
        return None
    name, descriptor, named, rest, result = found.groups()
    path = bytes.fromhex(named.replace("\\x", "")).decode() if named.startswith("\\x") else named
    inside = path.startswith(f"{folder}/") and not path.endswith(("-shm", "/lock"))
    if int(result) < 0:
        return None
    data = _TEXT.search(rest)
    content = b"" if data is None else bytes.fromhex(data[1].replace("\\x", ""))[: int(result)]
    if name == "write" and descriptor == "1":
        return content
    if not inside:
        return None
    short = path.removeprefix(f"{folder}/")
    if name == "write":  # to files that grow at their end alone
        at = ends.get(short, 0)
        ends[short] = at + len(content)
        return Call(short, at, content)
    if name == "pwrite64":
        return Call(short, int(rest.rsplit(",", 1)[1]), content)
    if name == "ftruncate":
        return Call(short, int(rest.rsplit(",", 1)[1]))
    return Call(short, -1) if name in ("fsync", "fdatasync") else None
