"""What a VM waits on: bytes from the host, Ctrl-C, a reset, or the passing of time.

Input goes into a ring of 512 bytes as in MicroPython's rp2 port; a full ring holds the sender up, as USB
does.
"""

from __future__ import annotations

import threading
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

RX_RING_BYTES = 512


class Wake(Enum):
    """Why a wait ended."""

    INPUT = auto()
    INTERRUPT = auto()
    TIME = auto()
    RESET = auto()


class Port(Protocol):
    """Where a board's output goes: a pty, or memory."""

    def write(self, data: bytes) -> None:
        """Send bytes to the host; may block as the hardware would, then drops."""

    def writable(self) -> bool:
        """Tell whether a write would find room now."""


class Captured:
    """A port that keeps what the board writes. Used to run scripts on the bare VM."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        """Keep the bytes."""
        self._data += data

    def writable(self) -> bool:
        """There is always room."""
        return True

    def text(self) -> str:
        """Return all that was written, line ends as LF."""
        return self._data.decode(errors="replace").replace("\r\n", "\n")


class Console:
    """A board's stdin and its interruptions. `feed`, `interrupt` and `request_reset` come from any thread."""

    def __init__(self, on_interrupt: Callable[[], None]) -> None:
        self._on_interrupt = on_interrupt
        self._changed = threading.Condition()
        self._rx = bytearray()
        self._interrupted = False
        self.interrupt_char = -1
        """The byte that raises KeyboardInterrupt; -1 while the boot ROM or the REPL takes it as input."""
        self.reset_cause: int | None = None
        """A reset that waits for the VM to notice."""

    # -- from the host's side -------------------------------------------------------------------------

    def room(self, timeout_s: float) -> int:
        """Wait until the ring has room and return how much; 0 after the time."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._rx) < RX_RING_BYTES, timeout_s)
            return max(0, RX_RING_BYTES - len(self._rx))

    def feed(self, data: bytes) -> None:
        """Take bytes from the host. Ctrl-C empties the ring and interrupts, where the VM asked for that."""
        with self._changed:
            interrupt = self.interrupt_char >= 0 and self.interrupt_char in data
            if interrupt:
                self._rx.clear()
                self._rx += data[data.rindex(self.interrupt_char) + 1 :]
            else:
                self._rx += data
            self._changed.notify_all()
        if interrupt:
            self.interrupt()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the VM, wherever it is."""
        self._interrupted = True
        self._on_interrupt()
        with self._changed:
            self._changed.notify_all()

    def request_reset(self, cause: int) -> None:
        """Have every present and next wait end with RESET."""
        with self._changed:
            self.reset_cause = cause
            self._changed.notify_all()

    # -- from the VM's side ---------------------------------------------------------------------------

    def boot(self) -> None:
        """Forget interruptions and resets meant for the VM's last life. Input stays, as on a board."""
        with self._changed:
            self.reset_cause = None
            self._interrupted = False
            self.interrupt_char = -1  # until boot.py or main.py runs, there is nothing to interrupt

    def set_interrupt_char(self, char: int) -> None:
        """Say which byte interrupts from now on (-1: none); one that waits in the ring does so at once."""
        with self._changed:
            self.interrupt_char = char
            waits = char >= 0 and char in self._rx
            if waits:
                del self._rx[: self._rx.rindex(char) + 1]
        if waits:
            self.interrupt()

    def available(self) -> int:
        """Return how many bytes wait."""
        return len(self._rx)

    def take(self, count: int) -> bytes:
        """Take up to `count` bytes, at once."""
        with self._changed:
            data = bytes(self._rx[:count])
            del self._rx[:count]
            self._changed.notify_all()
            return data

    def interrupted(self) -> bool:
        """Tell whether Ctrl-C came since the last call."""
        found, self._interrupted = self._interrupted, False
        return found

    def interrupt_waits(self) -> bool:
        """Tell whether Ctrl-C came, and leave it standing."""
        return self._interrupted

    def wait(self, timeout_s: float | None, *, for_input: bool) -> Wake:
        """Sleep until something happens or `timeout_s` passed (None: for ever)."""
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while True:
                if self.reset_cause is not None:
                    return Wake.RESET
                if self._interrupted:
                    return Wake.INTERRUPT
                if for_input and self._rx:
                    return Wake.INPUT
                left_s = None if end_s is None else end_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    return Wake.TIME
                self._changed.wait(left_s)
