"""A board's watchdog: once fed it must be fed again in time, or it resets the board."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Watchdog:
    """Counts real time, also for a board in virtual time. Its thread starts with the first feeding."""

    def __init__(self, on_expiry: Callable[[], None]) -> None:
        self._on_expiry = on_expiry
        self._changed = threading.Condition()
        self._deadline_s: float | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._bitten = False

    def take_bite(self) -> bool:
        """Tell whether it reset the board since the last call; a register says so on a chip."""
        with self._changed:
            bitten, self._bitten = self._bitten, False
            return bitten

    def feed(self, timeout_ms: int) -> None:
        """Give the firmware `timeout_ms` until it must feed again."""
        with self._changed:
            armed = self._deadline_s is not None
            self._deadline_s = time.monotonic() + timeout_ms / 1000
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            elif not armed:
                self._changed.notify()

    def disarm(self) -> None:
        """Forget the deadline, as a reset does."""
        with self._changed:
            self._deadline_s = None

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                left_s = None if self._deadline_s is None else self._deadline_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    self._deadline_s = None
                    self._bitten = True
                    self._on_expiry()
                    continue
                self._changed.wait(left_s)
