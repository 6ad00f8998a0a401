"""A digital input as a boolean.

{"driver": "digital_in", "pin": 15, "name": "door", "pull": "up", "invert": false}
"""

from machine import Pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DigitalIn:
    """One pin: 1 while it is high, or low with `invert`."""

    def __init__(self, pin: Pin, entry: "dict[str, Any]", invert: bool) -> None:
        self.metrics = [entry]
        self._pin = pin
        self._invert = 1 if invert else 0

    def begin(self) -> int:
        """Do nothing: a pin answers at once."""
        return 0

    def read(self) -> "list[int | None]":
        """Return the pin's state."""
        return [self._pin.value() ^ self._invert]


def make(data: "dict[str, Any]") -> DigitalIn:
    """Return the input for an entry of `board.json`."""
    pull = data.get("pull")
    if pull not in (None, "up", "down"):
        raise ValueError("pull must be up or down")
    if pull is None:
        pin = Pin(data["pin"], Pin.IN)
    else:
        pin = Pin(data["pin"], Pin.IN, Pin.PULL_UP if pull == "up" else Pin.PULL_DOWN)
    entry = {"name": data.get("name", "input"), "kind": "boolean"}
    if "title" in data:
        entry["title"] = data["title"]
    return DigitalIn(pin, entry, bool(data.get("invert", False)))
