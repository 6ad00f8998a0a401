"""Whether the hub's clock may be believed when it says that samples are old. Pure but for one look at a file.

A Pi has no clock that runs without power. What lets samples go must not act on a time that nobody knows to be
right: a clock that is behind lets them stay, one that jumped ahead would delete years.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

BUILT_MS = 1_672_531_200_000
"""2023-01-01: no hub of this kind ran before."""
JUMP_MS = 3 * 86_400_000
"""Further ahead of the last time that was believed, a clock must be known to be right."""
PATIENCE_S = 7 * 86_400.0
"""A clock that has run on for so long without anyone putting it right is believed."""
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the clock."""

    now_ms: int
    believed_ms: int | None
    """The clock when it was last believed, or the newest sample; None in a store without any."""
    doubted_s: float
    """For how long it has been doubted."""
    synchronised: bool
    """The system says that a time server set it."""


def doubt(found: Evidence) -> str | None:
    """Return why nothing may go by this clock, for people; None where it may."""
    said = _day(found.now_ms)
    if found.now_ms < BUILT_MS:
        return f"the hub's clock says {said}, before there was an Outpost; set it, or connect a time server"
    if found.synchronised or found.believed_ms is None or found.doubted_s >= PATIENCE_S:
        return None
    ahead_ms = found.now_ms - found.believed_ms
    if ahead_ms <= JUMP_MS:
        return None
    return (
        f"the hub's clock says {said}, {ahead_ms // 86_400_000} days after it was last seen right; "
        "nothing is deleted until a time server confirms it, or for 7 days"
    )


def synchronised(marker: Path = _SYNCHRONISED) -> bool:
    """Tell whether systemd-timesyncd has set the clock since the boot (systemd-timesyncd.service(8))."""
    return marker.exists()


def _day(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
