"""What a board tells of its configuration. Loaded when asked for (commands.py)."""

import json

from micropython import const
from wire.message import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from node import Node

PATH = "/board.json"
_ROOM = const(1700)
"""Of a result's 2,048 bytes; what does not fit is asked for by `from`."""
_SECRETS = ("password", "wifi_password")


def told(params: "dict[str, Any]", node: "Node") -> "Any":
    """Return the configuration in force, or the one that was put back, without what is secret."""
    data = read(PATH + ".bad" if params.get("put_back", False) else PATH)
    sensors = data.pop("sensors", [])
    first = params.get("from")
    result: dict[str, Any]
    if first is None:
        first = 0
        mqtt = data.get("mqtt")
        if isinstance(mqtt, dict):
            for secret in _SECRETS:
                mqtt.pop(secret, None)
        result = {"configuration": data, "on_trial": node.guard.trial.kind == "settings"}
        notice = node.guard.trial.notice
        if notice is not None and notice["kind"] == "settings":
            result["put_back"] = notice["why"]
    else:
        result = {"configuration": {}}
    room = _ROOM - len(dumps(result))
    last = first
    while last < len(sensors):
        room -= len(dumps(sensors[last])) + 1
        if room < 0:
            result["next"] = last
            break
        last += 1
    result["configuration"]["sensors"] = sensors[first:last]
    return result


def read(path: str) -> "dict[str, Any]":
    """Return a configuration as it is on the flash."""
    try:
        with open(path) as file:
            data = json.load(file)
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
