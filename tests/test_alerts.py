"""Alerts as a whole: raised once, acknowledged, cleared, kept over restarts, told, and acted on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hub.alerts import Alerts, BadRule, Rule
from hub.alerts.deeds import ACTING, TELLING, Deeds, Failed
from hub.alerts.rules import MOST_RULES, RuleChanged, Rules, from_toml, to_toml
from hub.bus import Batch, Bus
from hub.devices import Registry
from hub.health import Health
from hub.model import Birth, LinkKind, Metric, Reading
from hub.store.alerts import Alert, AlertFilter
from tests.fakes import until
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

T0 = 1_781_950_000_000
BIRTH = Birth(device="pico-1", name="Greenhouse", metrics=(Metric(name="temperature", unit="°C"),))


def rule(**changes: Any) -> Rule:
    said = {"id": "hot", "source": "*/temperature", "condition": "above", "threshold": 30.0, **changes}
    return msgspec.convert(said, Rule)


class FakeSeams:
    """A fake outside: remembers what is done, fails as a test says. The real one is `hub.web.acting`."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.fails: list[Failed] = []

    async def post(self, url: str, secret: str | None, content: bytes) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.done.append(
            ("post", url, "cleared" if msgspec.json.decode(content)["cleared_time"] else "raised")
        )

    def publish(self, topic: str, payload: bytes) -> None:
        self.done.append(("publish", topic, payload.decode()))

    async def film(self, camera: str, seconds: float, rule: str) -> None:
        self.done.append(("film", camera, rule))

    async def send(self, device: str, command: str, params: Mapping[str, Any], caller: str) -> None:
        self.done.append(("send", device, command, caller))


class Rig:
    def __init__(self, alerts: Alerts, bus: Bus, seams: FakeSeams, clock: list[int], health: Health) -> None:
        self.alerts, self.bus, self.seams, self.clock, self.health = alerts, bus, seams, clock, health
        self.told: list[Alert] = []
        bus.subscribe(self._take)

    def _take(self, batch: Batch) -> None:
        self.told += [event.data for event in batch.events if event.kind == "alert"]

    def value(self, value: float | None, second: int = 0, device: str = "pico-1") -> None:
        at = T0 + second * 1000
        self.bus.publish(
            Reading(
                device=device, metrics=("temperature",), values=(value,), source_time_ms=at, hub_time_ms=at
            )
        )

    async def raised(self) -> Alert:
        await until(self.alerts.active)
        return self.alerts.active()[0]


@asynccontextmanager
async def run(folder: Path) -> AsyncIterator[Rig]:
    clock = [T0]
    health = Health()
    store = open_fresh(folder, health=health, now_ms=lambda: clock[0])
    await store.start()
    registry, bus = Registry(), Bus(epoch="0badcafe", now_ms=lambda: clock[0], tick_s=0.001)
    registry.born(BIRTH, LinkKind.SERIAL, T0)
    seams = FakeSeams()
    alerts = Alerts(
        store=store, bus=bus, registry=registry, health=health, now_ms=lambda: clock[0], seams=seams
    )
    await alerts.load()
    watching = asyncio.create_task(alerts.run())
    await asyncio.sleep(0)
    yield Rig(alerts, bus, seams, clock, health)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await store.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with run(tmp_path) as one:
        yield one


# --- an alert's life ----------------------------------------------------------------------------------


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


# --- rules --------------------------------------------------------------------------------------------


def test_rules_go_to_toml_and_back() -> None:
    rules = [
        rule(hold="5m", hysteresis=1.5, severity="critical", title='A "hot" one\u00e9'),
        rule(id="edge", source="*/door", condition="becomes", threshold=None, value=False, enabled=False),
        rule(
            id="acts",
            actions=[
                {"type": "webhook", "url": "https://example.org/x", "secret": "ntfy", "on_clear": False},
                {"type": "mqtt", "topic": "alerts/hot", "payload": "on"},
                {"type": "clip", "camera": "front", "seconds": 10.0},
                {"type": "command", "command": "set_fan", "params": {"state": "on", "levels": [1, 2.5]}},
            ],
        ),
    ]
    text = to_toml(rules)
    assert from_toml(text) == rules
    assert text.count("[[rule]]") == len(rules)


def test_a_lone_short_rule_is_a_table_of_its_own() -> None:
    text = to_toml([rule(id="x", source="*/y")])
    assert text.startswith("[[rule]]\n")
    assert from_toml(text) == [rule(id="x", source="*/y")]


def test_no_rules_are_a_file_that_says_so() -> None:
    assert from_toml(to_toml([])) == []


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("x = ", "rules"),
        ("[hub]\nname = 'x'", "hub"),
        ("rule = 1", "rule"),
        ("", "rule"),
        ("[[rule]]\nid = 'a'", "rule[0].source"),
        ("[[rule]]\nid = 'a'\nsource = '*/x'\ncondition = 'above'", "rule[0].threshold"),
        ("[[rule]]\nid = 'a'\nsource = '*/x'\ncondition = 'abov'\n", "rule[0].condition"),
        ("[[rule]]\nid = 'a'\nsource = '*/x'\ncondition = 'above'\nthreshold = '3'", "rule[0].threshold"),
        ("[[rule]]\nid = 'a'\nsource = '*/x'\ncondition = 'becomes'\nfoo = 1", "rule[0].foo"),
        ("[[rule]]\nid = 'a'\nsource = '*/x'\ncondition = 'becomes'\n" * 2, "rule[1].id"),
        (
            "[[rule]]\nid='a'\nsource='*/x'\ncondition='becomes'\n[[rule.actions]]\ntype='command'\n"
            "command='x'\nparams = {at = 2020-01-01}",
            "rule[0].actions[0].params.at",
        ),
    ],
)
def test_a_file_with_a_bad_rule_is_refused_naming_the_field(text: str, field: str) -> None:
    with pytest.raises(BadRule) as caught:
        from_toml(text)
    assert caught.value.field == field


async def test_a_bad_file_changes_nothing_and_a_good_one_all(rig: Rig) -> None:
    rules = rig.alerts.rules
    rules.put(rule())
    rules.put(rule(id="stays", threshold=40.0))
    with pytest.raises(BadRule):
        rules.replace_all("[[rule]]\nid = 'a'\n")
    assert [document.id for document in rules.all()] == ["hot", "stays"]
    rules.replace_all(to_toml([rule(id="stays", threshold=40.0), rule(id="new")]))
    assert [(document.id, document.version) for document in rules.all()] == [("new", 1), ("stays", 1)]


async def test_a_rule_is_changed_only_by_who_saw_its_version(rig: Rig) -> None:
    rules = rig.alerts.rules
    assert rules.put(rule(), version=0).version == 1
    with pytest.raises(RuleChanged):
        rules.put(rule(), version=0)
    assert rules.put(rule(threshold=1.0), version=1).version == 2
    with pytest.raises(RuleChanged):
        rules.delete("hot", version=1)
    rules.delete("hot", version=2)


async def test_rules_are_bounded_in_number(rig: Rig) -> None:
    for number in range(MOST_RULES):
        rig.alerts.rules.put(rule(id=f"r{number}", source="none/x"))
    with pytest.raises(BadRule, match="remove one"):
        rig.alerts.rules.put(rule())
    rig.alerts.rules.put(rule(id="r1", threshold=5.0))


async def test_rules_outlive_a_restart_with_their_versions(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        rig.alerts.rules.put(rule())
        kept = rig.alerts.rules.put(rule(threshold=31.0))
    async with run(tmp_path) as rig:
        assert rig.alerts.rules.all() == [kept]


async def test_a_stored_rule_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        rig.alerts.rules.put(rule())
        store = rig.alerts._store
        from hub.store import alerts as table

        bad = table.Document(id="bad", version=1, updated_time=1, body={"id": "bad"})
        store.record("rule bad", table.put_document("rule", bad))
        rules = Rules(store, lambda: T0, lambda *_: None)
        problems = await rules.load()
    assert [document.id for document in rules.all()] == ["hot"]
    assert "bad" in str(problems[0])


# --- deeds --------------------------------------------------------------------------------------------

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
