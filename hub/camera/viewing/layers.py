"""Which of two layers a viewer's path can bear, told by its browser's reports. Pure; times are monotonic.

The main layer is what the camera gives; the low one has half its width and height. A path is bad when it
loses one packet in ten (GCC's bound, draft-ietf-rmcat-gcc, 6), or when the browser's estimate (REMB) stays
well below what is sent and does not grow: after a still scene an estimate lags behind on a good path too.
Nothing tells that a bad path would bear more again, so that is tried: after 10 s, and later each time it
failed.
"""

from __future__ import annotations

import math

BAD_LOSS = 0.1
GOOD_LOSS = 0.02
_SMOOTHING_S = 4.0
_STEP_S = 1.0
"""The most that one report counts for. Chromium makes seven a second of a few packets each."""
_OBSERVED_S = 3.0
"""No verdict on loss before."""
_TIGHT_SHARE = 0.7
_TIGHT_S = 2.5
_GROWTH = 1.05
_HOLD_S = 10.0
_HOLD_LIMIT_S = 160.0
_TRIED_S = 60.0
"""A main layer that lasts so long was no failed try."""


class LayerChoice:
    """One viewer's. `low` says which layer it should have."""

    def __init__(self) -> None:
        self.low = False
        self._hold_s = _HOLD_S
        self._loss = 0.0
        self._observed_s = 0.0
        self._reported_s: float | None = None
        self._tight: tuple[float, int] | None = None
        """Since when the estimate is below what is sent, and what it was then."""
        self._bad_s = 0.0
        self._up_s: float | None = None
        """When the main layer was tried again."""

    def lost(self, fraction: float, now_s: float) -> None:
        """Take a receiver report's loss, 0 to 1, since the report before it."""
        step_s = _STEP_S if self._reported_s is None else min(_STEP_S, now_s - self._reported_s)
        self._reported_s = now_s
        self._observed_s += step_s
        self._loss += (1 - math.exp(-step_s / _SMOOTHING_S)) * (fraction - self._loss)
        if self._loss > BAD_LOSS and (self.low or self._observed_s >= _OBSERVED_S):
            self._bad(now_s)
        elif self.low and self._loss > GOOD_LOSS:
            self._bad_s = now_s
        else:
            self._maybe_up(now_s)

    def estimated(self, bits_per_s: int, sent_bits_per_s: float, now_s: float) -> None:
        """Take the browser's estimate of the path, and what was sent on it of late."""
        if bits_per_s >= _TIGHT_SHARE * sent_bits_per_s:
            self._tight = None
            self._maybe_up(now_s)
        elif self._tight is None or bits_per_s > _GROWTH * self._tight[1]:
            self._tight = now_s, bits_per_s
        elif now_s - self._tight[0] >= _TIGHT_S:
            self._bad(now_s)

    def _bad(self, now_s: float) -> None:
        self._bad_s = now_s
        if self.low:
            return
        failed = self._up_s is not None and now_s - self._up_s < _TRIED_S
        self._hold_s = min(2 * self._hold_s, _HOLD_LIMIT_S) if failed else _HOLD_S
        self._change(low=True)

    def _maybe_up(self, now_s: float) -> None:
        clear = self._tight is None and self._loss <= GOOD_LOSS and self._observed_s >= _OBSERVED_S
        if self.low and clear and now_s - self._bad_s >= self._hold_s:
            self._up_s = now_s
            self._change(low=False)

    def _change(self, *, low: bool) -> None:
        self.low = low
        self._loss, self._observed_s, self._reported_s, self._tight = 0.0, 0.0, None, None
