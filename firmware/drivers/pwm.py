"""A pulse-width output: a fan, a dimmed lamp, a servo (50 Hz, 5 to 10 %).

Its metric is the duty that was last set, its command `set_NAME` sets it.
"""

from .options import flag, named, number, pin, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ("pin",)


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return named(
        {
            "pin": pin(),
            "freq": whole(10, 100_000, 1000, "Hz"),
            "initial": number(0, 100, 0, "%"),
            "invert": flag(False),
        },
        number_too=False,
    )


class Pwm:
    """One pin: high for `duty` % of each period, or low with `invert`. It starts as `initial` says."""

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware") -> None:
        name = data.get("name", "duty")
        title = data.get("title", name)
        self.metrics: list[dict[str, Any]] = [{"name": name, "unit": "%", "decimals": 1, "title": title}]
        self.commands = [
            {
                "name": "set_" + name,
                "title": "Set " + title,
                "params": {
                    "type": "object",
                    "properties": {"duty": {"type": "number", "minimum": 0, "maximum": 100, "unit": "%"}},
                    "required": ["duty"],
                    "additionalProperties": False,
                },
            }
        ]
        self._invert: bool = data["invert"]
        self._tenths: int = round(data["initial"] * 10)
        self._pulse = hardware.pulse(data["pin"], data["freq"], self._duty())

    def run(self, name: str, params: "dict[str, Any]") -> "Any":
        """Do the command, its parameters checked; return the new duty."""
        self._tenths: int = round(params["duty"] * 10)
        self._pulse.duty_u16(self._duty())
        return {"duty": self._tenths / 10}

    def begin(self) -> int:
        """Do nothing: the duty is known."""
        return 0

    def read(self) -> "list[int | None]":
        """Return the duty that was last set, in 0.1 %."""
        return [self._tenths]

    def _duty(self) -> int:
        tenths = 1000 - self._tenths if self._invert else self._tenths
        return (tenths * 65535 + 500) // 1000


def make(data: "dict[str, Any]", hardware: "Hardware") -> Pwm:
    """Return the output for an entry of `board.json`."""
    return Pwm(data, hardware)
