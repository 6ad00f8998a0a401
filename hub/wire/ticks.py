"""A board's time: milliseconds since boot that do not wrap, from a counter that does."""


class Ticks:
    """Unwrap MicroPython's `ticks_ms`, which wraps at 2**30 ms (12.4 days).

    `now(raw)` must be called at least once in 6.2 days. The boot's first call is time 0, unless `raw` started
    lower than `period` and `start_raw` says where.
    """

    def __init__(self, start_raw: int, period: int = 1 << 30) -> None:
        self._mask = period - 1
        self._last = start_raw & self._mask
        self._total = 0

    def now(self, raw: int) -> int:
        """Return the ms since boot for the counter's reading `raw`; never less than before."""
        step = (raw - self._last) & self._mask
        if step <= self._mask >> 1:  # else the counter seems to have gone back: keep the time that was
            self._total += step
            self._last = raw & self._mask
        return self._total
