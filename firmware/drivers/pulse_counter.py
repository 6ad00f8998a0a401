"""A pulse counter: a water or energy meter, a rain gauge, an anemometer. It counts by the pin's interrupt.

Its metrics are the amount since the board started, `per_pulse` for each pulse, and its rate: the amount for
each `rate_s` seconds, over the time since the reading before.
"""

from . import fitting
from .options import named, number, one_of, pin, text, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ("pin",)
_COUNT = (
    0x3FFFFFFF  # the largest small int on a 32-bit board: the count wraps, so that counting allocates nothing
)


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return named(
        {
            "pin": pin(),
            "pull": one_of(("none", "up", "down"), "up"),
            "edge": one_of(("falling", "rising"), "falling"),
            "debounce_ms": whole(0, 1000, 0, "ms"),
            "per_pulse": number(1e-9, 1e9, 1),
            "rate_s": whole(1, 86_400, 1, "s"),
            "rate_unit": text(16),
            "rate_decimals": whole(0, 9, 3),
        }
    )


def ratio(value: float) -> "tuple[int, int]":
    """Return `value` as whole numbers, numerator and power of ten, to seven digits.

    A board's floats have 24 bits: a count of millions times one of them would stand still.
    """
    parts = 1
    while value * parts < 1_000_000 and parts < 1_000_000_000_000:
        parts *= 10
    return round(value * parts), parts


class PulseCounter:
    """One pin's pulses. An edge within `debounce_ms` of the one counted before does not count."""

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware") -> None:
        name, decimals = data.get("name", "pulses"), data.get("decimals", 0)
        title = data.get("title", name)
        self.metrics: list[dict[str, Any]] = [
            {"name": name, "unit": data.get("unit", ""), "decimals": decimals, "title": title},
            {
                "name": name + "_rate",
                "unit": data.get("rate_unit", "Hz" if data["rate_s"] == 1 and data["per_pulse"] == 1 else ""),
                "decimals": data["rate_decimals"],
                "title": title + " rate",
            },
        ]
        self._amount, self._parts = ratio(data["per_pulse"] * 10**decimals)
        self._rate = data["per_pulse"] * 10 ** data["rate_decimals"] * data["rate_s"] * 1000
        self._debounce_ms: int = data["debounce_ms"]
        self._hardware = hardware
        self._edges = 0  # changed by the interrupt alone
        self._edge_ticks = hardware.ticks_ms() - self._debounce_ms
        self._total = 0
        self._counted = 0
        self._read_ticks: int | None = None
        self._pin = hardware.edges(data["pin"], data["pull"], data["edge"] == "rising", self._edge)

    def _edge(self, pin: "Any") -> None:
        # Called by the interrupt, between any two steps of the program: it changes what nothing else changes.
        if self._debounce_ms:
            if self._hardware.since_ms(self._edge_ticks) < self._debounce_ms:
                return
            self._edge_ticks = self._hardware.ticks_ms()
        self._edges = (self._edges + 1) & _COUNT

    def begin(self) -> int:
        """Do nothing: the pulses are counted."""
        return 0

    def read(self) -> "list[int | None]":
        """Return the amount, and the rate since the reading before (None at the first)."""
        new = (self._edges - self._counted) & _COUNT
        self._counted = (self._counted + new) & _COUNT
        self._total += new
        rate = None
        if self._read_ticks is not None:
            elapsed_ms = self._hardware.since_ms(self._read_ticks)
            if elapsed_ms <= 0:
                return [self._scaled(), None]
            rate = fitting(round(new * self._rate / elapsed_ms))
        self._read_ticks = self._hardware.ticks_ms()
        return [self._scaled(), rate]

    def _scaled(self) -> "int | None":
        return fitting((self._total * self._amount + self._parts // 2) // self._parts)


def make(data: "dict[str, Any]", hardware: "Hardware") -> PulseCounter:
    """Return the counter for an entry of `board.json`."""
    return PulseCounter(data, hardware)
