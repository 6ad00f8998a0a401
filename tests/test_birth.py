"""Births: what a board says about itself is bounded, and a refusal names place and limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wire.birth import Birth, Metric
from hub.wire.message import WireError
from tests.json_values import json_values


def birth(**changes: Any) -> dict[str, Any]:
    return {"name": "b", "model": "m", "firmware": "f", "groups": [], "commands": [], **changes}


def with_metric(**metric: Any) -> dict[str, Any]:
    return birth(groups=[{"metrics": [{"name": "t", **metric}]}])


def with_params(**params: Any) -> dict[str, Any]:
    return birth(commands=[{"name": "c", "params": {"type": "object", **params}}])


def test_a_whole_birth_is_understood() -> None:
    whole = Birth(
        {
            "name": "Gewächshaus",
            "outbox_bytes": 50_000,
            "notice": "new settings on trial",
            "groups": [
                {"interval_ms": 500, "metrics": [{"name": "t", "unit": "°C", "decimals": 2}]},
                {
                    "metrics": [
                        {"name": "mode", "kind": "enum", "options": ["off", "heat"]},
                        {"name": "n", "kind": "text"},
                    ]
                },
            ],
            "commands": [
                {
                    "name": "led",
                    "title": "LED",
                    "params": {
                        "type": "object",
                        "properties": {"state": {"type": "string", "enum": ["on", "off"]}},
                        "required": ["state"],
                    },
                }
            ],
        }
    )
    assert (whole.outbox_bytes, whole.notice) == (50_000, "new settings on trial")
    assert whole.group(0).interval_ms == 500
    assert whole.group(0).values([2150]) == (21.5,)
    assert whole.group(1).names == ("mode", "n")
    assert whole.group(1).values([1, "x"]) == ("heat", "x")
    assert whole.commands[0].params["required"] == ["state"]


@given(json_values)
def test_whatever_is_sent_as_a_birth_is_taken_or_refused(data: object) -> None:
    try:
        Birth(data)
    except WireError as error:
        assert str(error)


@given(
    st.dictionaries(st.sampled_from(["name", "unit", "kind", "title", "options", "decimals"]), json_values)
)
def test_whatever_is_sent_as_a_metric_is_taken_or_refused(data: dict[str, Any]) -> None:
    try:
        metric = Metric(data, "metric")
    except WireError:
        return
    assert 0 <= metric.decimals <= 9


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (birth(name="x" * 65), "birth.name: must be a printable text of at most 64"),
        (birth(name="\x1b[31m"), "birth.name: must be a printable text"),
        (birth(name="\u202egnp"), "birth.name: must be a printable text"),
        (birth(name="\ud800"), "birth.name: must be a printable text"),
        (birth(outbox_bytes=-1), "birth.outbox_bytes: must be a whole number from 0"),
        (birth(notice="x" * 161), "birth.notice: must be a printable text of at most 160"),
        (with_params(properties={"x": {"type": "object", "default": {}}}), "x: an object has neither enum"),
        (birth(extra=1), "unknown key 'extra'"),
        (birth(groups={}), "birth.groups: must be an array"),
        (birth(groups=[{"metrics": []}]), "a group has at least one"),
        (
            birth(groups=[{"metrics": [{"name": "t"}], "interval_ms": 1}]),
            "interval_ms: must be a whole number from 5",
        ),
        (with_metric(name="../x"), "metrics[0].name: must be 1 to 64 of a-z"),
        (with_metric(kind="image"), "kind: must be one of number"),
        (with_metric(decimals=10), "decimals: must be a whole number from 0 to 9"),
        (with_metric(decimals=True), "decimals: must be a whole number"),
        (with_metric(kind="enum"), "an enum names its options"),
        (with_metric(kind="enum", options=["a", "a"]), "a is there twice"),
        (
            birth(groups=[{"metrics": [{"name": "t"}]}, {"metrics": [{"name": "t"}]}]),
            "metric t is there twice",
        ),
        (birth(commands=[{"name": "c"}, {"name": "c"}]), "command c is there twice"),
        (with_params(properties={"x": {"type": "array"}}), "x.type: must be one of integer"),
        (with_params(properties={"x": {"type": "string", "pattern": "(a+)+$"}}), "unknown key 'pattern'"),
        (with_params(**{"$ref": "http://x"}), "unknown key '$ref'"),
        (with_params(required=["y"]), "required: must list names of properties"),
        (with_params(properties={"x": {"type": "string", "enum": [[1]]}}), "enum: must list"),
    ],
)
def test_a_birth_that_breaks_a_limit_is_refused_by_name(data: dict[str, Any], words: str) -> None:
    with pytest.raises(WireError) as refused:
        Birth(data)
    assert words in str(refused.value)


def test_257_metrics_are_one_too_many_however_they_are_grouped() -> None:
    groups = [{"metrics": [{"name": f"m{g}.{m}"} for m in range(129)]} for g in range(2)]
    with pytest.raises(WireError, match="258 metrics are over 256"):
        Birth(birth(groups=groups))


@pytest.mark.parametrize("raw", ["x", 1.5, True, [1], {}, 1 << 53])
def test_a_number_is_a_whole_number_on_the_wire(raw: object) -> None:
    with pytest.raises(WireError, match="is no number"):
        Metric({"name": "t"}, "t").value(raw)


@pytest.mark.parametrize(
    ("kind", "raw"), [("boolean", 2), ("text", 1), ("text", "\x07"), ("enum", 1), ("enum", -1)]
)
def test_a_value_of_another_kind_is_refused(kind: str, raw: object) -> None:
    options = ["only"] if kind == "enum" else []
    with pytest.raises(WireError, match=kind):
        Metric({"name": "t", "kind": kind, "options": options}, "t").value(raw)


def test_a_value_that_could_not_be_read_is_none_in_every_kind() -> None:
    assert [
        Metric({"name": "t", "kind": kind}, "t").value(None) for kind in ("number", "boolean", "text")
    ] == [None] * 3
