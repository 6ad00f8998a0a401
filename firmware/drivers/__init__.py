"""Drivers: one file for each kind of sensor, loaded only where `board.json` names it.

A driver's file has `make(data)`, which returns an object with
- `metrics`: the entries of the birth, in order;
- `begin() -> int`: start a measurement; the ms until it can be read;
- `read() -> list`: one value for each metric: an int scaled by the metric's decimals, or None.
Both may raise OSError, where the sensor does not answer: its values are then None.
"""

from wire.message import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Driver(Protocol):
        """What a driver's `make` returns."""

        metrics: list[dict[str, Any]]

        def begin(self) -> int:
            """Start a measurement."""

        def read(self) -> list[int | None]:
            """Return its values."""


def make(data: "dict[str, Any]") -> "Driver":
    """Return the driver for one entry of `sensors`. Raises ValueError, KeyError or OSError."""
    name = data["driver"]
    if not is_id(name) or "." in name:
        raise ValueError(f"driver {name!r} is no name")
    try:
        module = __import__("drivers." + name, None, None, ("make",))
    except ImportError:
        raise ValueError(f"there is no driver {name!r}")  # noqa: B904 - MicroPython has no `from`
    driver: Driver = module.make(data)
    return driver


def metric(data: "dict[str, Any]", name: str, unit: str, decimals: int) -> "dict[str, Any]":
    """Return a birth's entry for a number, with what `data` says of name, title and unit."""
    entry = {
        "name": data.get("name", name),
        "unit": data.get("unit", unit),
        "decimals": data.get("decimals", decimals),
    }
    if "title" in data:
        entry["title"] = data["title"]
    return entry
