"""A digital output: a relay, a valve, a lamp.

Its metric is what was last set, its command `set_NAME` sets it.
"""

from .options import flag, named, one_of, pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ("pin",)


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return named(
        {"pin": pin(), "invert": flag(False), "initial": one_of(("off", "on"), "off")}, number_too=False
    )


class DigitalOut:
    """One pin: high while on, or low with `invert`. After a restart it is as `initial` says."""

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware") -> None:
        name = data.get("name", "output")
        title = data.get("title", name)
        self.metrics = [{"name": name, "kind": "boolean", "title": title}]
        self.commands = [
            {
                "name": "set_" + name,
                "title": "Switch " + title,
                "params": {
                    "type": "object",
                    "properties": {"state": {"type": "string", "enum": ["on", "off"]}},
                    "required": ["state"],
                    "additionalProperties": False,
                },
            }
        ]
        self._invert = 1 if data["invert"] else 0
        self._on = 1 if data["initial"] == "on" else 0
        self._pin = hardware.output(data["pin"], self._on ^ self._invert)

    def run(self, name: str, params: "dict[str, Any]") -> "Any":
        """Do the command, its parameters checked; return the new state."""
        self._on = 1 if params["state"] == "on" else 0
        self._pin.value(self._on ^ self._invert)
        return {"state": params["state"]}

    def begin(self) -> int:
        """Do nothing: the state is known."""
        return 0

    def read(self) -> "list[int | None]":
        """Return what was last set."""
        return [self._on]


def make(data: "dict[str, Any]", hardware: "Hardware") -> DigitalOut:
    """Return the output for an entry of `board.json`."""
    return DigitalOut(data, hardware)
