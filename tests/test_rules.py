"""The rules that are kept: as TOML and back, by versions, bounded, and over restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.alerts import BadRule
from hub.alerts.rules import MOST_RULES, RuleChanged, Rules, from_toml, to_toml
from tests.alerts_rig import T0, Rig, rule, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with run(tmp_path) as one:
        yield one


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
