"""Refused messages are counted, and logged once in a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.health import Health
from hub.links.refusals import QUIET_MS, Refusals
from hub.model import LinkKind

if TYPE_CHECKING:
    import pytest

NOW_MS = 1_763_700_000_000


def test_refusals_are_counted_and_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    health, clock = Health(), [NOW_MS]
    refusals = Refusals(LinkKind.MQTT, health=health, now_ms=lambda: clock[0])
    for _ in range(100):
        refusals.add("name", "outpost/\x1b[31m", "bad")
    clock[0] += QUIET_MS
    refusals.add("name", "outpost/x", "bad")
    assert [record.getMessage() for record in caplog.records] == [
        "mqtt: refused from outpost/\ufffd[31m: bad",
        "mqtt: refused from outpost/x: bad (and 99 more since the last such line)",
    ]
    counted = health.registry.get_sample_value(
        "outpost_readings_refused_total", {"link": "mqtt", "reason": "name"}
    )
    assert counted == 101
