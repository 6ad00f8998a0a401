"""How long a value holds when nothing follows it: what means by time and times in a state go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.store.format.summary import ALWAYS_MS

if TYPE_CHECKING:
    import sqlite3

LEAST_MS = 900_000
"""Shorter gaps are bridged in any case: a value that holds is stored seldomer than it is sampled, by rule."""
_INTERVALS = 3
"""So many of a metric's intervals may pass, as with a link that loses a message now and then."""


class _Metric(msgspec.Struct):
    name: str = ""
    interval_ms: int | None = None


class _Birth(msgspec.Struct):
    metrics: list[_Metric] = []


_BIRTHS = msgspec.json.Decoder(_Birth)


def holds_ms(connection: sqlite3.Connection, device: str) -> dict[str, int]:
    """Return how long a value of a device's metrics holds at most, for those with a declared interval."""
    row = connection.execute("SELECT birth FROM device WHERE device = ?", (device,)).fetchone()
    try:
        birth = _BIRTHS.decode(row[0]) if row is not None else _Birth()
    except msgspec.DecodeError:
        birth = _Birth()
    return {
        metric.name: max(LEAST_MS, _INTERVALS * metric.interval_ms)
        for metric in birth.metrics
        if metric.interval_ms
    }


def hold_ms(connection: sqlite3.Connection, device: str, metric: str) -> int:
    """Return how long a value of a metric holds at most: three intervals, at least a quarter of an hour.

    A metric that declares no interval tells changes: its value holds until the next, however long.
    """
    return holds_ms(connection, device).get(metric, ALWAYS_MS)
