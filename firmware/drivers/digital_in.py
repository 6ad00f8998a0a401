"""A digital input as a boolean.

Debounced, a new level counts once the pin has it, and still has it `debounce_ms` later.
"""

from .options import flag, named, one_of, pin, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware, Input

REQUIRED = ("pin",)


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return named(
        {
            "pin": pin(),
            "pull": one_of(("none", "up", "down"), "none"),
            "invert": flag(False),
            "debounce_ms": whole(0, 1000, 0, "ms"),
        },
        number_too=False,
    )


class DigitalIn:
    """One pin: 1 while it is high, or low with `invert`."""

    def __init__(self, pin: "Input", entry: "dict[str, Any]", invert: bool, debounce_ms: int) -> None:
        self.metrics = [entry]
        self._pin = pin
        self._invert = 1 if invert else 0
        self._debounce_ms = debounce_ms
        self._seen = self._state = pin.value()

    def begin(self) -> int:
        """Look at the pin; where it differs from the last state, ask to look again."""
        self._seen = self._pin.value()
        return self._debounce_ms if self._seen != self._state else 0

    def read(self) -> "list[int | None]":
        """Return the pin's state; the last one while the pin still bounces."""
        if self._debounce_ms == 0 or self._pin.value() == self._seen:
            self._state = self._pin.value() if self._debounce_ms == 0 else self._seen
        return [self._state ^ self._invert]


def make(data: "dict[str, Any]", hardware: "Hardware") -> DigitalIn:
    """Return the input for an entry of `board.json`."""
    entry = {"name": data.get("name", "input"), "kind": "boolean"}
    if "title" in data:
        entry["title"] = data["title"]
    pin = hardware.input(data["pin"], data["pull"])
    return DigitalIn(pin, entry, data["invert"], data["debounce_ms"])
