"""Keeps intervals that were set by command over restarts: in `board.json`, with few writes to the flash.

The first change is written after 10 s of quiet, later ones at most each 10 minutes, and what is left before a
restart by command: 7 writes in an hour, however often an interval is set. Power that is cut before loses it.
"""

import json
import os

import settings
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from guard import Guard
    from sensors import Sensors

_QUIET_MS = const(10_000)
_PAUSE_MS = const(600_000)
_PATH = "/board.json"


class Keeping:
    """Writes the intervals of `sensors` when it is time to."""

    def __init__(self, sensors: "Sensors", guard: "Guard") -> None:
        self._sensors = sensors
        self._guard = guard
        self._due_ms: int | None = None
        self._next_ms = 0

    def note(self, now_ms: int) -> None:
        """Note that an interval was changed."""
        self._due_ms = max(now_ms + _QUIET_MS, self._next_ms)

    def look(self, now_ms: int) -> None:
        """Write what is due; to be called some times a second."""
        if self._due_ms is not None and now_ms >= self._due_ms and not self._guard.on_trial:
            self._next_ms = now_ms + _PAUSE_MS
            self.save()

    def save(self) -> None:
        """Write now what is not written yet. The console tells where that fails (a file edited by hand)."""
        if self._due_ms is None:
            return
        self._due_ms = None
        try:
            data = _read()
            if self._put(data):
                with open(_PATH + ".tmp", "w") as file:
                    json.dump(data, file)
                os.rename(_PATH + ".tmp", _PATH)
        except Exception as error:
            print("board.json: the interval is not kept:", repr(error))

    def _put(self, data: "dict[str, Any]") -> bool:
        """Put the intervals into a configuration; return whether that changes it."""
        before = json.dumps(data)
        entries = data.get("sensors", [])
        own = self._sensors.group_of("sequence")
        if own is not None and own.interval_ms != settings.interval(data, 1000):
            for index, group in self._sensors.placed:
                entries[index]["interval_ms"] = group.interval_ms  # no longer by default
            data["interval_ms"] = own.interval_ms
        for index, group in self._sensors.placed:
            if group.changed:
                entries[index]["interval_ms"] = group.interval_ms
        return json.dumps(data) != before


def _read() -> "dict[str, Any]":
    try:
        with open(_PATH) as file:
            data: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return {}
    return data
