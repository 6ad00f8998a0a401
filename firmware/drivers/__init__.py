"""Drivers: one file for each kind of sensor or output, loaded only where `board.json` names it.

A driver's file has
- `REQUIRED`: the names of the options that have no default;
- `options() -> dict`: all its options, as the properties of a JSON Schema (options.py makes them);
- `make(options, hardware)`, which returns the driver (contract.pyi).
What a driver asks of the board it asks of `hardware` (contract.pyi; on a board hardware.py): the files here
import nothing of a port, so that they run wherever something offers the same calls.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Driver, Hardware

MOST = 9_007_199_254_740_991
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def load(name: "Any") -> "Any":
    """Return a driver's module. Raises ValueError where there is none of that name."""
    if isinstance(name, str) and name and all(letter in _LETTERS for letter in name):
        try:
            module = __import__(__name__ + "." + name, None, None, ("make",))
        except ImportError:
            module = None
        if hasattr(module, "options"):
            return module
    raise ValueError(f"there is no driver {name!r}")


def schema(name: str) -> "dict[str, Any]":
    """Return the JSON Schema of a driver's entry in `board.json`. Raises ValueError."""
    module = load(name)
    return {
        "type": "object",
        "properties": module.options(),
        "required": list(module.REQUIRED),
        "additionalProperties": False,
    }


def check(data: "Any") -> "tuple[Any, dict[str, Any]]":
    """Return the module and the options, with their defaults, of an entry of `sensors`.

    Raises ValueError that names the driver and the option; touches no pin.
    """
    if not isinstance(data, dict):
        raise ValueError("an entry of sensors must be an object with a driver")
    name = data.get("driver")
    if name is None:
        raise ValueError("driver is missing")
    from .options import checked  # noqa: PLC0415 - 3 KB that a bare board does without

    module = load(name)
    try:
        return module, checked(data, module.options(), module.REQUIRED)
    except ValueError as error:
        raise ValueError(f"{name}: {error}")  # noqa: B904 - MicroPython has no `from`


def make(data: "dict[str, Any]", hardware: "Hardware") -> "Driver":
    """Return the driver for one entry of `sensors`. Raises ValueError, in words."""
    module, options = check(data)
    try:
        driver: Driver = module.make(options, hardware)
    except (ValueError, TypeError) as error:
        raise ValueError("{}: {}".format(data["driver"], error))  # noqa: B904 - MicroPython has no `from`
    return driver


def fitting(value: int) -> "int | None":
    """Return a value, or None of one that is beyond what the wire carries (2^53)."""
    return value if -MOST <= value <= MOST else None


def metric(options: "dict[str, Any]", name: str, unit: str, decimals: int) -> "dict[str, Any]":
    """Return a birth's entry for a driver's one number, with what `options` say of name, title and unit."""
    entry = {
        "name": options.get("name", name),
        "unit": options.get("unit", unit),
        "decimals": options.get("decimals", decimals),
    }
    if "title" in options:
        entry["title"] = options["title"]
    return entry


def metrics(
    options: "dict[str, Any]", entries: "tuple[tuple[str, str, int, str], ...]"
) -> "list[dict[str, Any]]":
    """Return birth's entries for (name, unit, decimals, title), with the `prefix` and `title` of `options`.

    With prefix `outdoor` and title `Outdoor`: `outdoor_temperature`, "Outdoor temperature".
    """
    prefix, place = options.get("prefix", ""), options.get("title", "")
    made: list[dict[str, Any]] = []
    for name, unit, decimals, title in entries:
        made.append(
            {
                "name": prefix + "_" + name if prefix else name,
                "unit": unit,
                "decimals": decimals,
                "title": place + " " + title[0].lower() + title[1:] if place else title,
            }
        )
    return made
