"""The board's configuration: `board.json` on its flash, or what a bare board can do without one.

{"name": text, "interval_ms": int, "led": pin, "watchdog": bool, "mqtt": {"host": text, …},
 "sensors": [{"driver": name, "interval_ms": int, …}]}
The keys of each sensor are those of its driver (drivers/), those of `mqtt` radio's.
"""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MIN_INTERVAL_MS = 20
MAX_INTERVAL_MS = 3_600_000


class Settings:
    """What `board.json` says, with defaults for what it leaves out."""

    def __init__(self, data: "dict[str, Any]") -> None:
        self.name: str = _typed(data, "name", str, "")
        self.interval_ms: int = interval(data, 1000)
        self.led: int | str | None = data.get("led")
        self.sensors: list[dict[str, Any]] = _typed(data, "sensors", list, [])
        self.mqtt: dict[str, Any] = _typed(data, "mqtt", dict, {})
        # Looking up a broker's name can take longer than an RP2's watchdog waits.
        self.watchdog: bool = _typed(data, "watchdog", bool, not self.mqtt)


def interval(data: "dict[str, Any]", default: int) -> int:
    """Return a checked `interval_ms`. Raises ValueError."""
    value = _typed(data, "interval_ms", int, default)
    if not MIN_INTERVAL_MS <= value <= MAX_INTERVAL_MS:
        raise ValueError(f"interval_ms must be {MIN_INTERVAL_MS} to {MAX_INTERVAL_MS}")
    return int(value)


def load(path: str = "/board.json") -> Settings:
    """Read the configuration. One that cannot be used is reported on the console, and the defaults hold."""
    try:
        with open(path) as file:
            return Settings(json.load(file))
    except OSError:
        pass  # a bare board
    except (ValueError, AttributeError) as error:
        print(f"{path}: {error}; the defaults hold")
    return Settings({})


def _typed(data: "dict[str, Any]", key: str, kind: type, default: "Any") -> "Any":
    value = data.get(key, default)
    if not isinstance(value, kind):
        raise ValueError(f"{key} must be of type {kind.__name__}")
    return value
