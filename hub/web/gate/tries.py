"""How often somebody may try: sliding windows by name, and never a lock for ever. Knows no clock."""

from __future__ import annotations

from collections import OrderedDict, deque

import msgspec

from hub.model import OutpostError


class Window(msgspec.Struct, frozen=True):
    """At most `tries` within `span_ms`."""

    tries: int
    span_ms: int


LOGIN_WINDOWS = (Window(3, 60_000), Window(10, 3_600_000))
REMEMBERED = 10_000


class TooManyTries(OutpostError):
    """Not now: `wait_ms` says when the next try is taken."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(f"too many tries: wait {max(1, -(-wait_ms // 1000))} s")
        self.wait_ms = wait_ms


class Tries:
    """What was tried lately, for each of at most REMEMBERED names (the least recent is forgotten first)."""

    def __init__(self, windows: tuple[Window, ...] = LOGIN_WINDOWS, remembered: int = REMEMBERED) -> None:
        self._windows = windows
        self._remembered = remembered
        self._longest_ms = max(window.span_ms for window in windows)
        self._tried: OrderedDict[str, deque[int]] = OrderedDict()

    def take(self, names: tuple[str, ...], now_ms: int) -> None:
        """Count a try against every name. Raises TooManyTries, counting nothing, where none is left."""
        wait_ms = max(self._wait_ms(name, now_ms) for name in names)
        if wait_ms > 0:
            raise TooManyTries(wait_ms)
        for name in names:
            self._tried.setdefault(name, deque()).append(now_ms)
            self._tried.move_to_end(name)
        while len(self._tried) > self._remembered:
            self._tried.popitem(last=False)

    def give_back(self, names: tuple[str, ...], now_ms: int) -> None:
        """Take back the try that was counted at `now_ms`: it went well."""
        for name in names:
            tried = self._tried.get(name)
            if tried is not None and now_ms in tried:
                tried.remove(now_ms)

    def _wait_ms(self, name: str, now_ms: int) -> int:
        tried = self._tried.get(name)
        if tried is None:
            return 0
        # A clock that was set back must lock nobody out: what lies ahead of it is forgotten.
        while tried and not now_ms - self._longest_ms < tried[0] <= now_ms:
            tried.popleft()
        wait_ms = 0
        for window in self._windows:
            within = [at for at in tried if now_ms - window.span_ms < at <= now_ms]
            if len(within) >= window.tries:
                wait_ms = max(wait_ms, within[-window.tries] + window.span_ms - now_ms)
        return wait_ms
