"""What is wrong with data, in words for people: the field, what it may be, and nothing of types."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.alerts.rule import Rule
from hub.mismatch import mismatch
from hub.web.api.commands import CommandBody, CommandsQuery
from hub.web.api.samples import SamplesQuery


def words(data: Any, kind: type[msgspec.Struct], *, typed: bool = True) -> tuple[str, str]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(data, kind, strict=typed)
    wrong = mismatch(caught.value, kind, typed=typed)
    return wrong.place, wrong.text


@pytest.mark.parametrize(
    ("kind", "query", "place", "text"),
    [
        (SamplesQuery, {"points": "many"}, "points", "`points`: expected a whole number"),
        (SamplesQuery, {"points": "0"}, "points", "`points`: expected a whole number >= 1"),
        (SamplesQuery, {"agg": "max"}, "agg", "`agg` is 'max', but may be: full, quality, raw"),
        (CommandsQuery, {"format": "xml"}, "format", "`format` is 'xml', but may be: csv, json"),
    ],
)
def test_a_wrong_parameter_is_told_without_the_programs_types(
    kind: type[msgspec.Struct], query: dict[str, str], place: str, text: str
) -> None:
    assert words(query, kind, typed=False) == (place, text)


@pytest.mark.parametrize(
    ("kind", "body", "place", "text"),
    [
        (CommandBody, {}, "command", "`command` is missing"),
        (CommandBody, [], "", "the whole: expected an object, got a list"),
        (CommandBody, {"command": None}, "command", "`command`: expected a text, got null"),
        (
            CommandBody,
            {"command": "led", "parms": {}},
            "parms",
            "`parms` is unknown here; known: command, params, ttl_ms, key",
        ),
        (
            Rule,
            {"id": "a", "severity": "loud"},
            "severity",
            "`severity` is 'loud', but may be: info, warning, critical",
        ),
        (
            Rule,
            {"id": "a", "actions": [{"type": "mqtt", "topic": "a"}, {"type": "email"}]},
            "actions[1].type",
            "`actions[1].type` is 'email', but may be: webhook, mqtt, clip, command",
        ),
    ],
)
def test_a_wrong_body_is_told_with_what_the_field_may_be(
    kind: type[msgspec.Struct], body: Any, place: str, text: str
) -> None:
    assert words(body, kind) == (place, text)


def test_what_was_sent_is_not_told_at_length() -> None:
    _, text = words({"format": "x" * 5000}, CommandsQuery, typed=False)
    assert len(text) < 200
    assert text.endswith("but may be: csv, json")
