"""Options of drivers: properties of a JSON Schema, and the check of `board.json` against them.

A pin is a number or a name, whichever the board's port knows; all else is plain JSON Schema.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MIN_INTERVAL_MS = 20
MAX_INTERVAL_MS = 3_600_000
_KINDS = {"integer": "a whole number", "number": "a number", "string": "a text", "boolean": "true or false"}


def pin(default: "int | None" = None) -> "dict[str, Any]":
    """Return an option that is a pin."""
    return _with({"type": ["integer", "string"]}, default)


def whole(low: int, high: int, default: "int | None" = None, unit: str = "") -> "dict[str, Any]":
    """Return an option that is a whole number."""
    entry: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": high}
    if unit:
        entry["unit"] = unit
    return _with(entry, default)


def number(low: float, high: float, default: "float | None" = None, unit: str = "") -> "dict[str, Any]":
    """Return an option that is a number."""
    entry: dict[str, Any] = {"type": "number", "minimum": low, "maximum": high}
    if unit:
        entry["unit"] = unit
    return _with(entry, default)


def one_of(values: "tuple[Any, ...]", default: "Any" = None) -> "dict[str, Any]":
    """Return an option that is one of `values`, all of one kind."""
    kind = "string" if isinstance(values[0], str) else "integer"
    return _with({"type": kind, "enum": list(values)}, default)


def flag(default: bool) -> "dict[str, Any]":
    """Return an option that is true or false."""
    return {"type": "boolean", "default": default}


def text(longest: int) -> "dict[str, Any]":
    """Return an option that is a text."""
    return {"type": "string", "maxLength": longest}


def common(min_interval_ms: int = MIN_INTERVAL_MS) -> "dict[str, Any]":
    """Return the options that every driver has."""
    return {
        "driver": text(64),
        "interval_ms": whole(min_interval_ms, MAX_INTERVAL_MS, unit="ms"),
        "title": text(40),
    }


def named(entries: "dict[str, Any]", number_too: bool = True) -> "dict[str, Any]":
    """Return the options of a driver with one metric: `entries`, its name and, of a number, its unit."""
    entries.update(common())
    entries["name"] = text(64)
    if number_too:
        entries["unit"] = text(16)
        entries["decimals"] = whole(0, 9)
    return entries


def prefixed(entries: "dict[str, Any]", min_interval_ms: int = MIN_INTERVAL_MS) -> "dict[str, Any]":
    """Return the options of a driver with several metrics: `entries`, and what their names begin with."""
    entries.update(common(min_interval_ms))
    entries["prefix"] = text(32)
    return entries


def i2c(
    entries: "dict[str, Any]", addresses: "tuple[int, ...]", min_interval_ms: int = MIN_INTERVAL_MS
) -> "dict[str, Any]":
    """Return the options of a chip on I2C: `entries`, its bus, and its address, the first by default."""
    entries["i2c"] = whole(0, 1, 0)
    entries["sda"] = pin(4)
    entries["scl"] = pin(5)
    entries["freq"] = whole(10_000, 400_000, 100_000, "Hz")
    entries["address"] = one_of(addresses, addresses[0])
    return prefixed(entries, min_interval_ms)


def checked(
    data: "dict[str, Any]", properties: "dict[str, Any]", required: "tuple[str, ...]"
) -> "dict[str, Any]":
    """Return `data` with defaults for what it leaves out, or says null of. Raises ValueError."""
    options: dict[str, Any] = {}
    for name, value in data.items():
        if name not in properties:
            raise ValueError(f"there is no option {name!r}; there are " + ", ".join(sorted(properties)))
        if value is not None:
            _check(name, value, properties[name])
            options[name] = value
    for name, rule in properties.items():
        if name not in options:
            if name in required:
                raise ValueError(f"{name} is missing")
            if "default" in rule:
                options[name] = rule["default"]
    return options


def _with(entry: "dict[str, Any]", default: "Any") -> "dict[str, Any]":
    if default is not None:
        entry["default"] = default
    return entry


def _check(name: str, value: "Any", rule: "dict[str, Any]") -> None:
    kind = rule["type"]
    if not _is(value, kind):
        words = "a pin's number or name" if isinstance(kind, list) else _KINDS[kind]
        raise ValueError(f"{name} must be {words}, not {value!r}")
    if "enum" in rule and value not in rule["enum"]:
        raise ValueError("{} must be {}, not {!r}".format(name, _either(rule["enum"]), value))
    if "minimum" in rule and not rule["minimum"] <= value <= rule["maximum"]:
        raise ValueError("{} must be {} to {}, not {}".format(name, rule["minimum"], rule["maximum"], value))
    if "maxLength" in rule and not 0 < len(value) <= rule["maxLength"]:
        raise ValueError("{} must be 1 to {} characters".format(name, rule["maxLength"]))


def _is(value: "Any", kind: "str | list[str]") -> bool:
    if isinstance(kind, list):
        return any(_is(value, one) for one in kind)
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, int) or (kind == "number" and isinstance(value, float))


def _either(values: "list[Any]") -> str:
    texts = [str(value) for value in values]
    return ", ".join(texts[:-1]) + (" or " if len(texts) > 1 else "") + texts[-1]
