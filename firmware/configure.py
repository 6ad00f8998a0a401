"""A new configuration from afar: checked as far as that goes without touching a pin, stored, put on trial.

Loaded when asked for (commands.py).
"""

import gc
import json

import drivers
import settings
from describe import PATH, read
from hardware import Hardware
from jobs import Refused
from micropython import const
from sensors import Sensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from node import Node

CONFIRM_S = 20
_DEADLINE_S = const(120)
_SENSORS = const(32)
_KEYS = ("name", "interval_ms", "led", "watchdog", "mqtt", "sensors")
_NETWORK = ("host", "port", "user", "password", "ssid", "wifi_password", "topic")
_SECRETS = (("password", ("host", "port", "user")), ("wifi_password", ("ssid",)))
"""Of `mqtt`: what is never told, and what must stay the same for it to be kept by a change that omits it."""


def configure(data: "dict[str, Any]", node: "Node") -> "Any":
    """Check a new configuration, store it and restart on trial. Raises Refused."""
    trial = node.guard.trial
    if trial.kind:
        raise Refused(f"a change of the {trial.kind} is on trial; try again in a minute")
    former = read(PATH)
    _keep_secrets(data, former)
    check(data)
    if data == former:
        return {"changed": False}
    try:
        with open(PATH + ".new", "w") as file:
            json.dump(data, file)
        trial.open("settings", (PATH,), deadline_s=_DEADLINE_S, keep_failed=True)
    except OSError as error:
        raise Refused(f"the flash failed ({error})")  # noqa: B904 - MicroPython has no `from`
    node.restart_soon()
    return {"changed": True, "confirm_s": CONFIRM_S}


def _keep_secrets(data: "dict[str, Any]", former: "dict[str, Any]") -> None:
    """Take what is never told from the former configuration, but for nobody else's network."""
    new, old = data.get("mqtt"), former.get("mqtt")
    if not isinstance(new, dict) or not isinstance(old, dict):
        return
    for secret, same in _SECRETS:
        if secret in old and secret not in new and all(new.get(key) == old.get(key) for key in same):
            new[secret] = old[secret]


def check(data: "dict[str, Any]") -> None:
    """Hold a configuration against all that is known without touching a pin.

    Raises Refused: the field as `sensors[1].pin`, a colon, what is wrong.
    """
    for key in data:
        if key not in _KEYS:
            raise Refused("{}: there is no such key; there are {}".format(key[:32], ", ".join(_KEYS)))
    try:
        config = settings.Settings(data)
    except ValueError as error:
        raise Refused(_split(str(error)))  # noqa: B904 - MicroPython has no `from`
    if len(config.name) > 64 or not _printable(config.name):
        raise Refused("name: must be at most 64 printable characters")
    if config.led is not None and (isinstance(config.led, bool) or not isinstance(config.led, (int, str))):
        raise Refused("led: must be a pin's number or name")
    if len(config.sensors) > _SENSORS:
        raise Refused(f"sensors: a board takes at most {_SENSORS}")
    _check_mqtt(config.mqtt)
    _check_sensors(config)


def _check_mqtt(config: "dict[str, Any]") -> None:
    if not config:
        return
    try:
        import radio  # noqa: PLC0415 - 8 KB, only where it is used

        radio.check(config)
    except ImportError:
        raise Refused("mqtt: this board has no network")  # noqa: B904 - MicroPython has no `from`
    except ValueError as error:
        words = str(error)[6:]  # without "mqtt: "
        known = words.split(" ")[0] in _NETWORK
        raise Refused("mqtt." + _split(words) if known else "mqtt: " + words)  # noqa: B904 - no `from`


def _check_sensors(config: settings.Settings) -> None:
    claims, found = Claims(), Sensors()
    if config.led is not None:
        claims.take(config.led, "the LED")
    for index, entry in enumerate(config.sensors):
        gc.collect()
        words = found.add_entry(index, entry, claims, config.interval_ms)
        if words and not words.startswith(
            "memory"
        ):  # what does not fit beside what runs may fit in its place
            raise Refused(f"sensors[{index}]" + place(entry, words))


def place(entry: "Any", words: str) -> str:
    """Return the words of a driver with the option that they are about before them: `.pin: is missing`."""
    name = entry.get("driver") if isinstance(entry, dict) else None
    if isinstance(name, str) and words.startswith(name + ": "):
        words = words[len(name) + 2 :]
    try:
        options = drivers.load(name).options()
    except ValueError:
        return (".driver: " if isinstance(entry, dict) else ": ") + words
    parts: list[str] = words.split(" ")
    if words.startswith("there is no option "):
        return (
            "." + parts[4].strip("';") + ": there is no such option; there are " + ", ".join(sorted(options))
        )
    if parts[0] in options:
        return "." + _split(words)
    if parts[0] == "pin":  # of a bus: the option that names the pin
        for key, rule in options.items():
            if isinstance(rule["type"], list) and str(entry.get(key, rule.get("default"))) == parts[1]:
                return f".{key}: {words}"
    if "name" in parts[:3] or "command" in parts[:2] or parts[1] == "command's":
        return (".name: " if "name" in options else ".prefix: ") + words
    return ": " + words


def _split(words: str) -> str:
    key, rest = words.split(" ", 1)
    return key + ": " + rest


def _printable(text: str) -> bool:
    for c in text:  # noqa: SIM110 - a generator costs a board an allocation
        if c < " " or c == "\x7f":
            return False
    return True


class Claims(Hardware):
    """Gives pins and buses to drivers as `Hardware` does, and touches none: what it gives does nothing."""

    def take(self, pin: "int | str", use: str) -> None:
        """Give a pin. Raises ValueError where it is taken."""
        self._take(pin, use)

    def value(self) -> int:
        """Be a pin that is low."""
        return 0

    def _nothing(self, *what: "Any") -> "Any":
        return self

    # mypy cannot see that it takes whatever each of these takes.
    _bus = _input = _edges = _output = _analog = _pulse = _wire = _humid = _nothing  # type: ignore[assignment]
