"""Pulse-width outputs by sysfs (kernel: Documentation/driver-api/pwm): `machine.PWM` on the Pi.

A pin is "pwmchip0:2": a chip and its channel. Which of them is on which pin of the header, the overlay says
(dtoverlay=pwm-2chan).
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PIN = re.compile(r"(pwmchip\d{1,3}):(\d{1,3})")


class PulseOutput:
    """One channel, exported at the first use. `ensure` and `duty_u16` block and raise OSError."""

    def __init__(self, pin: int | str, freq: int, duty: int, sys_root: Path) -> None:
        """Raise ValueError where `pin` has not the form of one."""
        found = _PIN.fullmatch(str(pin))
        if found is None:
            raise ValueError(f'pin must be a chip and its channel, as in "pwmchip0:0", not {pin!r}')
        self.pin = pin
        self._chip = sys_root / "class/pwm" / found[1]
        self._channel = found[2]
        self._folder = self._chip / f"pwm{found[2]}"
        self._period_ns = round(1e9 / freq)
        self._duty = duty
        self._ready = False

    def ensure(self) -> None:
        """Export the channel and start it with its duty, where that is not done. Raises OSError."""
        if self._ready and self._folder.exists():
            return
        self._ready = False
        try:
            if not self._folder.exists():
                (self._chip / "export").write_text(self._channel)
            # The kernel refuses a period below the duty, and a duty beyond the period.
            self._write("duty_cycle", 0)
            self._write("period", self._period_ns)
            self._write_duty()
            self._write("enable", 1)
        except OSError as error:
            raise self._in_words(error) from error
        self._ready = True

    def duty_u16(self, duty: int, /) -> None:
        """Set the share of each period that the output is high, 0 to 65535."""
        self._duty = duty
        self.ensure()
        try:
            self._write_duty()
        except OSError as error:
            self._ready = False
            raise self._in_words(error) from error

    def close(self) -> None:
        """Leave the output as it is: a fan goes on while the hub restarts."""
        self._ready = False

    def _write_duty(self) -> None:
        self._write("duty_cycle", self._period_ns * self._duty // 65535)

    def _write(self, name: str, value: int) -> None:
        (self._folder / name).write_text(str(value))

    def _in_words(self, error: OSError) -> OSError:
        if error.errno == errno.ENOENT:
            return OSError(
                errno.ENOENT, f"{self._chip.name} has no channel {self._channel}: is its overlay loaded?"
            )
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return OSError(error.errno, f"no right to write {self._chip.name}: it wants the group gpio")
        return OSError(error.errno, f"{self.pin}: {error.strerror or error}")
