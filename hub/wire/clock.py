"""Map a board's ticks to the hub's clocks, from round trips, with a bound.

After Cristian, "Probabilistic clock synchronization" (1989): the error is at most half the round trip; the
shortest round trips bound it best. Offset and rate by a line through the best of them, as Klipper's clocksync
does. It works on the hub's monotonic clock; the wall clock enters only where a time is asked for, so that a
host whose wall clock jumps loses and reorders nothing.
"""

KEPT = 64
_BEST = 8
TICK_MS = 1.0
"""A board's tick is whole milliseconds."""
UNKNOWN_RATE = 200e-6
"""How far a board's crystal may be off while its rate was not measured."""
FLOOR_RATE = 5e-6
_SPAN_FOR_RATE_MS = 60_000.0


class Clock:
    """One boot's ticks against the hub's monotonic milliseconds."""

    def __init__(self) -> None:
        self.rtt_ms = 0.0
        self.first_ticks: int | None = None
        self._trips: list[tuple[float, int, float]] = []  # (round trip, ticks, monotonic at its middle)
        self._ticks0 = 0.0
        self._mono0 = 0.0
        self._rate = 1.0
        self._bound = 1e9
        self._rate_bound = UNKNOWN_RATE
        self._guess: tuple[int, float] | None = None

    @property
    def ready(self) -> bool:
        """Whether a round trip was seen."""
        return self.first_ticks is not None

    def hint(self, ticks: int, received_ms: float) -> None:
        """Take a one-way time: good for a first guess, of unknown delay."""
        if not self.ready:
            self._guess = (ticks, received_ms)

    def add(self, sent_ms: float, ticks: int, received_ms: float) -> None:
        """Take in one round trip: monotonic ms at ping and at pong, and the board's ticks between."""
        trip = received_ms - sent_ms
        if trip < 0:
            return
        if self.first_ticks is None:
            self.first_ticks = ticks
        self.rtt_ms = trip if not self._trips else self.rtt_ms + (trip - self.rtt_ms) / 8
        self._trips.append((trip, ticks, sent_ms + trip / 2))
        if len(self._trips) > KEPT:
            # Of the older half the worst goes, so that good old trips give the rate a long span.
            older = self._trips[: KEPT // 2]
            older.remove(max(older))
            self._trips[: KEPT // 2] = older
        self._fit()

    def monotonic_ms(self, ticks: int) -> float:
        """Return when those ticks were, on the hub's monotonic clock."""
        if not self.ready:
            if self._guess is None:
                return 0.0
            return self._guess[1] + (ticks - self._guess[0])
        return self._mono0 + (ticks - self._ticks0) * self._rate

    @property
    def best_bound_ms(self) -> float:
        """How far off the map is where it is best, now."""
        return self._bound

    def bound_ms(self, ticks: int) -> float:
        """Return how far off `monotonic_ms(ticks)` may be."""
        if not self.ready:
            return 1e9
        return self._bound + abs(ticks - self._ticks0) * self._rate_bound

    def mapped_back(self, ticks: int) -> bool:
        """Whether `ticks` lie before the first round trip, where the clock was not watched."""
        return self.first_ticks is None or ticks < self.first_ticks - 1000

    def _fit(self) -> None:
        """Lay a line through the best round trips; with a short span only the offset is taken from them."""
        best = sorted(self._trips)[:_BEST]
        _, base, base_mono = best[0]
        points = [(1.0 / (trip + TICK_MS) ** 2, t - base, m - base_mono) for trip, t, m in best]
        total = sum([w for w, _, _ in points])
        x = sum([w * t for w, t, _ in points]) / total
        y = sum([w * m for w, _, m in points]) / total
        span = max([t for _, t, _ in points]) - min([t for _, t, _ in points])
        self._rate = 1.0
        self._rate_bound = UNKNOWN_RATE
        if span >= _SPAN_FOR_RATE_MS:
            square = sum([w * (t - x) ** 2 for w, t, _ in points])
            rate = sum([w * (t - x) * (m - y) for w, t, m in points]) / square
            if abs(rate - 1.0) < 0.01:
                self._rate = rate
                self._rate_bound = max(FLOOR_RATE, min(UNKNOWN_RATE, (best[-1][0] + TICK_MS) / span))
        self._ticks0 = base + x
        self._mono0 = base_mono + y
        self._bound = best[0][0] / 2 + TICK_MS + self._residual(best)

    def _residual(self, best: "list[tuple[float, int, float]]") -> float:
        """Return how far the best trip lies from the line."""
        _, ticks, mono = best[0]
        return abs(self._mono0 + (ticks - self._ticks0) * self._rate - mono)


def utc_ms(monotonic_ms: float, now_monotonic_ms: float, now_utc_ms: int) -> int:
    """Return the UTC ms of a moment on the monotonic clock, by the wall clock as it stands now."""
    return now_utc_ms - round(now_monotonic_ms - monotonic_ms)
