"""What is done about an alert: each action in its room, again where that helps, and no faster than it may."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hub.alerts.deeds import ACTING, TELLING, Deeds, Failed
from hub.health import Health
from hub.store.alerts import Alert
from tests.alerts_rig import T0, FakeSeams, Rig, rule, run
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with run(tmp_path) as one:
        yield one


ALERT = Alert(
    id="a1", rule="hot", title="Hot", severity="warning", device="pico-1", metric="t", text="", raised_time=T0
)


@asynccontextmanager
async def doing(seams: FakeSeams, health: Health | None = None) -> AsyncIterator[Deeds]:
    deeds = Deeds(seams, health or Health(), retry_s=(0.0, 0.0))
    working = asyncio.create_task(deeds.run())
    yield deeds
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_each_action_goes_to_its_room(rig: Rig) -> None:
    actions = [
        {"type": "webhook", "url": "http://127.0.0.1:9/x"},
        {"type": "mqtt", "topic": "alerts/hot", "payload": "hot!"},
        {"type": "clip", "camera": "front"},
        {"type": "command", "command": "set_fan"},
        {"type": "command", "command": "set_fan", "device": "other"},
    ]
    rig.alerts.rules.put(rule(actions=actions))
    rig.value(31.0)
    await until(lambda: len(rig.seams.done) == 5)
    assert sorted(rig.seams.done) == [
        ("film", "front", "hot"),
        ("post", "http://127.0.0.1:9/x", "raised"),
        ("publish", "alerts/hot", "hot!"),
        ("send", "other", "set_fan", "rule:hot"),
        ("send", "pico-1", "set_fan", "rule:hot"),
    ]
    rig.value(1.0, 1)
    await until(lambda: len(rig.seams.done) == 7)
    assert ("post", "http://127.0.0.1:9/x", "cleared") in rig.seams.done[5:]


async def test_a_webhook_that_is_tried_again_is_logged_with_alert_and_rule(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seams, action = FakeSeams(), rule(actions=[{"type": "webhook", "url": "http://h/"}]).actions
    seams.fails = [Failed("503", again=True)]
    with caplog.at_level("INFO", "hub.alerts.deeds"):
        async with doing(seams) as deeds:
            deeds.put(ALERT, action, 0.0)
            await until(lambda: seams.done)
    assert f"alert {ALERT.id}: webhook of rule {ALERT.rule}: 503; again" in caplog.text


async def test_a_webhook_is_tried_again_where_that_may_help() -> None:
    seams, action = FakeSeams(), rule(actions=[{"type": "webhook", "url": "http://h/"}]).actions
    seams.fails = [Failed("503", again=True), Failed("no answer", again=True)]
    async with doing(seams) as deeds:
        deeds.put(ALERT, action, 0.0)
        await until(lambda: seams.done)
    health = Health()
    seams.done, seams.fails = [], [Failed("404")]
    async with doing(seams, health) as deeds:
        deeds.put(ALERT, action, 0.0)

        def failed() -> float | None:
            labels = {"kind": "webhook", "outcome": "failed"}
            return health.registry.get_sample_value("outpost_alert_actions_total", labels)

        await until(failed)
    assert seams.done == []


@pytest.mark.parametrize(
    ("action", "pace"),
    [
        ({"type": "command", "command": "c"}, ACTING),
        ({"type": "clip", "camera": "c"}, ACTING),
        ({"type": "mqtt", "topic": "t"}, TELLING),
    ],
)
async def test_a_rule_acts_no_faster_than_its_pace_so_that_loops_run_dry(action: Any, pace: Any) -> None:
    seams, health = FakeSeams(), Health()
    actions = rule(actions=[action]).actions
    async with doing(seams, health) as deeds:
        for _ in range(pace.burst + 10):
            deeds.put(ALERT, actions, 0.0)
        await until(lambda: len(seams.done) == pace.burst)
        deeds.put(ALERT, actions, pace.every_s * 2.0)
        deeds.put(msgspec.structs.replace(ALERT, rule="another"), actions, 0.0)
        await until(lambda: len(seams.done) == pace.burst + 2)
    labels = {"kind": action["type"], "outcome": "too many"}
    assert health.registry.get_sample_value("outpost_alert_actions_total", labels) == 10


async def test_actions_that_nobody_can_do_any_more_are_counted_and_dropped() -> None:
    deeds = Deeds(FakeSeams(), health := Health())
    actions = rule(actions=[{"type": "mqtt", "topic": "t"}]).actions
    for number in range(300):
        deeds.put(msgspec.structs.replace(ALERT, rule=f"r{number}"), actions, 0.0)
    labels = {"kind": "mqtt", "outcome": "queue full"}
    assert health.registry.get_sample_value("outpost_alert_actions_total", labels) == 300 - 256
