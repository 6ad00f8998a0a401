"""The chip's watchdog: a node that hangs is restarted.

It counts in hardware, so it also ends what no exception ends: an endless loop, a bus that never answers.
"""

import sys

import machine
from micropython import const

_TIMEOUT_MS = const(8000)
"""An RP2040 can wait 8388 ms."""
_ESP32_MS = const(30000)
_OFF_MS = const(86400000)
# Of the RP2 chips, by the datasheets (RP2040 4.7.6, RP2350 12.9.7): CTRL, of which bit 30 switches it on; the
# address at which a written bit is cleared lies 0x3000 higher. REASON, at 8, has bit 0 after a timeout alone.
_RP2040 = const(0x40058000)
_RP2350 = const(0x400D8000)


class Watchdog:
    """Fed by the node's loop from `start` on; `stop` at the latest when the REPL gets the board."""

    def __init__(self) -> None:
        self._dog: machine.WDT | None = None

    def start(self) -> None:
        """Start it, where the port has one."""
        if hasattr(machine, "WDT"):
            self._dog = machine.WDT(timeout=_TIMEOUT_MS if sys.platform == "rp2" else _ESP32_MS)

    def feed(self) -> None:
        """Say that the node lives; at least each 8 s."""
        if self._dog is not None:
            self._dog.feed()

    def stop(self) -> None:
        """Stop it, so that whoever works at the REPL is not restarted."""
        if self._dog is None:
            return
        self._dog = None
        if sys.platform == "rp2":
            machine.mem32[_base() + 0x3000] = 1 << 30
        else:
            machine.WDT(timeout=_OFF_MS)  # an ESP32 cannot stop it


def bitten() -> bool:
    """Whether the watchdog ended the boot before, because nobody fed it."""
    if sys.platform == "rp2":  # its own resets go by the watchdog, too
        return bool(machine.mem32[_base() + 8] & 1)
    return machine.reset_cause() == machine.WDT_RESET


def _base() -> int:
    import os  # noqa: PLC0415 - for this alone

    return _RP2350 if "RP235" in os.uname()[4] else _RP2040
