"""A board's clock: real time, or virtual time that jumps over every idle wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RP2_EPOCH_NS = 1_609_459_200 * 10**9
"""An RP2040's real-time clock starts at 2021-01-01 00:00 after power-on."""


class BoardClock:
    """Seconds since the board was made, since it booted, and what its real-time clock says.

    With `virtual`, time advances as the VM works and `skip` adds the waits, so a day of sampling passes in
    seconds.
    """

    def __init__(self, *, virtual: bool = False, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.virtual = virtual
        self._monotonic_s = monotonic_s
        self._start_s = monotonic_s()
        self._skipped_s = 0.0
        self._boot_s = 0.0
        self._rtc_at_boot_ns = RP2_EPOCH_NS

    def now_s(self) -> float:
        """Seconds since the board was made; resets leave it alone."""
        return self._monotonic_s() - self._start_s + self._skipped_s

    def boot(self) -> None:
        """Start both of the board's clocks, as power-on and hard resets do, and soft resets do not."""
        self._boot_s = self.now_s()
        self._rtc_at_boot_ns = RP2_EPOCH_NS

    def uptime_ns(self) -> int:
        """Nanoseconds since the board booted: what `time.ticks_ms` counts."""
        return int((self.now_s() - self._boot_s) * 1e9)

    def rtc_ns(self) -> int:
        """Return what the board takes for UTC, in nanoseconds since 1970."""
        return self._rtc_at_boot_ns + self.uptime_ns()

    def set_rtc_s(self, utc_s: float) -> None:
        """Set the board's real-time clock."""
        self._rtc_at_boot_ns = int(utc_s * 1e9) - self.uptime_ns()

    def skip(self, seconds: float) -> None:
        """Jump ahead: nothing happens for that long."""
        self._skipped_s += max(0.0, seconds)
