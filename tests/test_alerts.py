"""Alerts as a whole: raised once, acknowledged, cleared, kept over restarts, and told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.model import Reading
from hub.store.alerts import AlertFilter
from tests.alerts_rig import T0, Rig, rule, run
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with run(tmp_path) as one:
        yield one


async def test_an_alert_is_raised_acknowledged_and_cleared_and_each_is_told_and_kept(rig: Rig) -> None:
    rig.alerts.rules.put(rule(title="Too hot", severity="critical"))
    rig.value(31.25)
    alert = await rig.raised()
    assert (alert.title, alert.severity, alert.device, alert.value) == (
        "Too hot",
        "critical",
        "pico-1",
        31.25,
    )
    assert alert.text == "temperature is 31.25 °C, above 30 °C"
    rig.alerts.acknowledge(alert.id, "user:eva")
    rig.alerts.acknowledge(alert.id, "user:bob")
    rig.value(20.0, 5)
    await until(lambda: not rig.alerts.active())
    await until(lambda: len(rig.told) == 3)
    assert [(told.acknowledged_by, told.cleared_time) for told in rig.told] == [
        (None, None),
        ("user:eva", None),
        ("user:eva", T0 + 5000),
    ]
    items, _ = await rig.alerts.history(AlertFilter(), 10, None)
    assert items == [rig.told[-1]]
    assert (await rig.alerts.history(AlertFilter(active=True), 10, None))[0] == []


async def test_an_alert_that_is_active_at_a_restart_is_raised_no_second_time(tmp_path: Path) -> None:
    async with run(tmp_path) as first:
        first.alerts.rules.put(rule())
        first.value(31.0)
        before = await first.raised()
    async with run(tmp_path) as second:
        assert second.alerts.active() == [before]
        second.value(32.0, 10)
        second.value(20.0, 20)
        await until(lambda: not second.alerts.active())
        items, _ = await second.alerts.history(AlertFilter(), 10, None)
        assert [(item.id, item.cleared_time) for item in items] == [(before.id, T0 + 20_000)]


async def test_what_a_rule_raised_is_cleared_with_it(rig: Rig) -> None:
    rig.alerts.rules.put(rule())
    rig.value(31.0)
    await rig.raised()
    rig.alerts.rules.put(rule(threshold=50.0))
    assert rig.alerts.active() == []
    rig.value(51.0, 1)
    await rig.raised()
    rig.alerts.rules.delete("hot")
    await until(lambda: len(rig.told) == 4)
    assert [told.cleared_why for told in rig.told if told.cleared_time] == [
        "the rule was changed",
        "the rule was removed",
    ]


async def test_a_silence_is_raised_as_time_passes(rig: Rig) -> None:
    rig.alerts.rules.put(rule(condition="silent", threshold=None, hold="1m"))
    rig.value(20.0)
    await asyncio.sleep(0.01)
    rig.clock[0] = T0 + 61_000
    rig.alerts.tick()
    assert (await rig.raised()).text == "no value of temperature for 1m"


async def test_history_is_paged_newest_first(rig: Rig) -> None:
    rig.alerts.rules.put(rule())
    for second in range(6):
        rig.value(31.0 if second % 2 == 0 else 20.0, second)
    await until(lambda: len(rig.told) == 6)
    seen: list[int] = []
    cursor: str | None = None
    while True:
        items, cursor = await rig.alerts.history(AlertFilter(rule="hot", device="pico-1"), 2, cursor)
        seen += [item.raised_time - T0 for item in items]
        if cursor is None:
            break
    assert seen == [4000, 2000, 0]


async def test_a_preview_counts_the_last_day_of_what_is_stored(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        for minute in range(60):
            at = T0 - 3_600_000 + minute * 60_000
            rig.alerts._store.put(
                Reading(
                    device="pico-1", metrics=("temperature",), values=(31.0 if minute % 20 == 5 else 20.0,),
                    source_time_ms=at, hub_time_ms=at,
                )
            )  # fmt: skip
        from hub.alerts import check

        found = await rig.alerts.preview(check(rule()))
        assert (found.raised, found.items[0].metric, found.left_out) == (3, "temperature", 0)
        assert (await rig.alerts.preview(check(rule(threshold=40.0)))).raised == 0
