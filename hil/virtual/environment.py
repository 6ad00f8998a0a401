"""The world around a virtual board: a greenhouse with a day, a fan that shakes, and a door that people use.

Every quantity is a function of the time, so that a board in virtual time lives through days. Noise comes from
a generator seeded by the board, so that two boards differ and one repeats itself.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_DAY_S = 86_400.0
_FAN_PERIOD_S, _FAN_ON_S = 90.0, 30.0
_DOOR_PERIOD_S, _DOOR_OPEN_S = 47.0, 6.0


class Environment:
    """What sensors could measure. `now_s` is UTC in seconds."""

    def __init__(self, seed: str, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._random = random.Random(seed)  # noqa: S311 - weather, not secrets
        self._warmer_c = self._random.uniform(-2.0, 2.0)
        self._phase_s = self._random.uniform(0.0, 60.0)

    def _day(self) -> float:
        """Return the height of the day's curve, -1 to 1: lowest at 3:00 UTC, highest at 15:00."""
        return math.sin(2 * math.pi * (self._now_s() / _DAY_S - 0.375))

    def temperature_c(self) -> float:
        """Air temperature in °C: 21 ± 5 over the day, a slow draught, and the sensor's own 0.02 of noise."""
        draught = 0.4 * math.sin(2 * math.pi * (self._now_s() + self._phase_s) / 600)
        return 21 + self._warmer_c + 5 * self._day() + draught + self._random.gauss(0, 0.02)

    def humidity_percent(self) -> float:
        """Relative humidity in %: falls as the air warms."""
        humidity = 62 - 18 * self._day() - 2 * self._warmer_c + self._random.gauss(0, 0.08)
        return min(100.0, max(0.0, humidity))

    def light_fraction(self) -> float:
        """Brightness, 0 (night) to 1: daylight with passing clouds, and a lamp's glow at night."""
        daylight = max(0.0, math.sin(2 * math.pi * (self._now_s() / _DAY_S - 0.25)))
        clouds = 0.85 + 0.15 * math.sin(2 * math.pi * (self._now_s() + self._phase_s) / 240)
        return min(1.0, max(0.0, 0.04 + 0.9 * daylight * clouds + self._random.gauss(0, 0.003)))

    def fan_on(self) -> bool:
        """Tell whether the fan runs: 30 s of every 90 s."""
        return (self._now_s() + self._phase_s) % _FAN_PERIOD_S < _FAN_ON_S

    def vibration_g(self) -> float:
        """Acceleration in g about 0: sensor noise, and the fan's shaking while it runs."""
        shaking = 0.0
        if self.fan_on():
            shaking = 0.35 * math.sin(2 * math.pi * 23.7 * self._now_s()) + self._random.gauss(0, 0.12)
        return shaking + self._random.gauss(0, 0.02)

    def door_open(self) -> bool:
        """Tell whether the door is open: 6 s of every 47 s."""
        return (self._now_s() + self._phase_s) % _DOOR_PERIOD_S < _DOOR_OPEN_S
