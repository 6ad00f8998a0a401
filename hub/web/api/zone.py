"""Where the hub is: the IANA name of the machine's time zone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from zoneinfo import ZoneInfo

_ZONES = "zoneinfo/"


def time_zone(etc: Path = Path("/etc"), said: str | None = None) -> str:
    """Return the machine's IANA zone: of TZ (`said`), else of /etc; UTC where none is told."""
    for name in (said if said is not None else os.environ.get("TZ", ""), *_of(etc)):
        if name and _known(name.removeprefix(":")):
            return name.removeprefix(":")
    return "UTC"


def _of(etc: Path) -> tuple[str, ...]:
    """Return what `/etc/localtime` points to and what `/etc/timezone` says, the surer first."""
    found = []
    with contextlib.suppress(OSError):  # a copy, or nothing
        found.append(str((etc / "localtime").readlink()).partition(_ZONES)[2])
    with contextlib.suppress(OSError, UnicodeDecodeError):  # Debian's own file, which others lack
        found.append((etc / "timezone").read_text("utf-8").strip())
    return tuple(found)


def _known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # KeyError: a zone that nobody knows
        return False
    return True
