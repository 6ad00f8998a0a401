"""The board's commands: what they take, as JSON Schemas for the birth, and the check of what came."""

import gc
import sys

from jobs import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from actuators import Led
    from jobs import Job
    from node import Node
    from update import Update


_KINDS = {"string": str, "boolean": bool, "object": dict}


def _schema(properties: "dict[str, Any]", required: "list[str]") -> "dict[str, Any]":
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _entry(name: str, title: str, properties: "dict[str, Any]", required: "list[str]") -> "dict[str, Any]":
    return {"name": name, "title": title, "params": _schema(properties, required)}


def _text(longest: int) -> "dict[str, Any]":
    return {"type": "string", "maxLength": longest}


def _whole(low: int, high: int, default: int) -> "dict[str, Any]":
    return {"type": "integer", "minimum": low, "maximum": high, "default": default, "unit": "ms"}


def check(schema: "dict[str, Any]", params: "dict[str, Any]") -> None:
    """Hold `params` against a schema of `_schema`. Raises Refused."""
    properties = schema["properties"]
    for name in schema["required"]:
        if name not in params:
            raise Refused(f"{name} is missing")
    for name, value in params.items():
        rule = properties.get(name)
        if rule is None:
            raise Refused(f"there is no parameter {name!r}")
        kind = rule["type"]
        if kind in ("integer", "number"):
            _check_number(name, value, rule)
        elif "enum" in rule:
            if value not in rule["enum"]:
                raise Refused("{} must be one of {}".format(name, ", ".join(rule["enum"])))
        elif not isinstance(value, _KINDS[kind]):
            raise Refused(f"{name} must be of type {kind}")


def _check_number(name: str, value: "Any", rule: "dict[str, Any]") -> None:
    whole = rule["type"] == "integer"
    if not isinstance(value, int if whole else (int, float)) or isinstance(value, bool):
        raise Refused(name + (" must be a whole number" if whole else " must be a number"))
    if not rule["minimum"] <= value <= rule["maximum"]:
        raise Refused("{} must be {} to {}".format(name, rule["minimum"], rule["maximum"]))


class Commands:
    """What the board can be asked to do."""

    def __init__(self, node: "Node", led: "Led") -> None:
        self._node = node
        self.led = led
        self._update: Update | None = None
        self.entries = [
            _entry("read", "Read all sensors now", {}, []),
            _entry(
                "set_interval",
                "Set how often a metric is read",
                {
                    "metric": {"type": "string", "enum": node.sensors.names()},
                    "interval_ms": _whole(20, 3_600_000, 1000),
                },
                ["metric", "interval_ms"],
            ),
            _entry("reboot", "Restart the board", {}, []),
            _entry(
                "configuration",
                "Show the configuration",
                {
                    "from": {"type": "integer", "minimum": 0, "maximum": 32, "title": "Sensors from"},
                    "put_back": {"type": "boolean", "default": False, "title": "The one that was put back"},
                },
                [],
            ),
            _entry("drivers", "Show the drivers, or the options of one", {"driver": _text(64)}, []),
            _entry(
                "configure", "Configure the board", {"configuration": {"type": "object"}}, ["configuration"]
            ),
        ]
        if led.present:
            self.entries += [
                _entry(
                    "led",
                    "Switch the LED",
                    {
                        "state": {"type": "string", "enum": ["on", "off", "blink"]},
                        "interval_ms": _whole(20, 10_000, 500),
                    },
                    ["state"],
                ),
                _entry("identify", "Flicker the LED for 3 s", {}, []),
            ]
        self._own = len(self.entries)
        self.entries += node.sensors.commands()

    async def run(self, name: str, params: "dict[str, Any]", job: "Job | None" = None) -> "Any":
        """Do a command and return its result. Raises Refused."""
        if name == "update" and job is not None:  # not in the birth: the hub sends it, people ask the hub
            return await self._updated(params, job)
        if name in ("prove", "enrol"):  # as little: the hub's own, too
            return self._configured(name, params)
        for index, entry in enumerate(self.entries):
            if entry["name"] == name:
                check(entry["params"], params)
                if index >= self._own:
                    return self._node.sensors.run(name, params)
                if name in ("configuration", "configure", "drivers"):
                    return self._configured(name, params)
                return await getattr(self, "_" + name)(params)
        raise Refused(f"there is no command {name!r}")

    async def _updated(self, params: "dict[str, Any]", job: "Job") -> "Any":
        if self._update is None:
            import update  # noqa: PLC0415 - 12 KB that a board does without until then

            self._update = update.Update(self._node.guard.trial, self._node.restart_soon)
        return await self._update.run(params, job)

    def _configured(self, name: str, params: "dict[str, Any]") -> "Any":
        """Do a command whose module is loaded for the moment, and forgotten with all that it loaded."""
        before, threshold = list(sys.modules), gc.threshold()
        gc.collect()
        gc.threshold(4096)  # so that compiling leaves few holes
        try:
            if name == "configure":
                import configure  # noqa: PLC0415 - see above

                return configure.configure(params["configuration"], self._node)
            if name in ("prove", "enrol"):
                import proof  # noqa: PLC0415 - see above

                return getattr(proof, name)(params, self._node)
            if name == "drivers":
                import catalogue  # noqa: PLC0415 - see above

                return catalogue.known(params.get("driver"))
            import describe  # noqa: PLC0415 - see above

            return describe.told(params, self._node)
        finally:
            for module in list(sys.modules):
                if module not in before:
                    del sys.modules[module]
                    package, _, part = module.partition(".")
                    if part and package in sys.modules:  # which has it by name, too
                        delattr(sys.modules[package], part)
            gc.threshold(threshold)
            gc.collect()

    async def _led(self, params: "dict[str, Any]") -> "Any":
        self.led.set(params["state"], params.get("interval_ms", 500))
        return {"state": self.led.state}

    async def _read(self, params: "dict[str, Any]") -> "Any":
        return await self._node.read_all()

    async def _set_interval(self, params: "dict[str, Any]") -> "Any":
        group = self._node.sensors.group_of(params["metric"])
        if group is None:
            raise Refused("there is no such metric")
        try:
            group.set_interval(params["interval_ms"])
        except ValueError as error:
            raise Refused(str(error))  # noqa: B904 - MicroPython has no `from`
        self._node.keep_intervals()
        self._node.tell_news()
        return {"interval_ms": group.interval_ms, "metrics": [entry["name"] for entry in group.metrics]}

    async def _identify(self, params: "dict[str, Any]") -> "Any":
        self.led.identify()
        return {"seconds": 3}

    async def _reboot(self, params: "dict[str, Any]") -> "Any":
        self._node.restart_soon()
        return {"restarting": True}
