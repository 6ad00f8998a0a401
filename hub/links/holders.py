"""Which programs have a device open, by /proc: not all of them lock it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def holders(path: str, proc: Path = Path("/proc")) -> list[str]:
    """Return the other programs that have the device open, as `name (pid 123)`.

    Programs of other users are seen by root alone.
    """
    device = os.path.realpath(path)
    processes = sorted(proc.glob("[0-9]*"), key=lambda folder: int(folder.name))
    return [
        f"{_name(process)} (pid {process.name})"
        for process in processes
        if int(process.name) != os.getpid() and _has_open(process, device)
    ]


def _has_open(process: Path, device: str) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) == device:
                    return True
    return False


def _name(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "a program"
    return " ".join(words)[:80].strip() or "a program"
