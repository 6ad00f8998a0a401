"""What strangers publish over MQTT: payloads and topics are read or refused with a reason."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.links.payload import BadMessage, address, kind_of, parse
from hub.model import Kind, Quality

if TYPE_CHECKING:
    from hub.model import Value


def only(payload: bytes, metric: str | None = "m") -> Value:
    (field,) = parse(payload, metric).fields
    return field.value


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"21.5", 21.5),
        (b" 21.5\r\n", 21.5),
        (b"-3", -3),
        (b"+4", 4.0),
        (b".5", 0.5),
        (b"007", 7.0),
        (b"1e3", 1000.0),
        (b"true", True),
        (b"false", False),
        (b"null", None),
        (b'"on"', "on"),
        (b"ON", "ON"),
        ("kühl".encode(), "kühl"),
        (b'{"value": 3}', 3),
        (b'{"value": null}', None),
        (b'{"value": 3, "battery": 80}', 3),
    ],
)
def test_a_payload_for_one_metric_is_its_value(payload: bytes, value: Value) -> None:
    found = only(payload)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"NaN", "not finite"),
        (b"-Infinity", "not finite"),
        (b'"inf"', "not finite"),
        (b"1e999", "not finite"),
        (b"+1e999", "not finite"),
        (b"9007199254740993", "too big"),
        (b"9" * 4000, "too big"),
        (b"x" * 257, "too long"),
        (b"x" * 20_000, "too long"),
        (b"a\x00b", "control characters"),
        (b'"\\u001b[31m"', "control characters"),
        (b'"\\u202e"', "control characters"),
        (b'{"value": 1', "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b"[" * 10_000, "not JSON"),
        (b"[1, 2]", "not a scalar"),
        (b"{}", "no value"),
        (b'{"temperature": 3}', "no value"),
        (b'{"value": {"value": 1}}', "not a scalar"),
        (b'{"value": 1, "unit": 7}', "bad unit"),
        (b'{"value": 1, "unit": "aaaaaaaaaaaaaaaaa"}', "bad unit"),
        (b'{"value": 1, "quality": "so-so"}', "bad quality"),
        (b'{"value": 1, "quality": []}', "bad quality"),
        (b'{"value": 1, "time": "yesterday"}', "bad time"),
        (b'{"value": 1, "time": "2025-11-21T10:00:00"}', "bad time"),
        (b'{"value": 1, "time": true}', "bad time"),
        (b'{"value": 1, "time": 1e300}', "bad time"),
    ],
)
def test_a_hostile_payload_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(BadMessage) as refused:
        parse(payload, "m")
    assert refused.value.reason == reason


def test_an_object_may_give_unit_time_and_quality() -> None:
    message = parse(
        b'{"value": 1, "unit": "lx", "time": "2025-11-21T10:00:00.250+01:00", "quality": "bad"}', "m"
    )
    assert message.fields[0].unit == "lx"
    assert (message.time_ms, message.quality) == (1_763_715_600_250, Quality.BAD)


def test_an_object_under_a_device_is_one_reading_of_many_metrics() -> None:
    message = parse(
        b'{"t": 21.5, "door": true, "h": {"value": 40, "unit": "%"}, "time": 1763700000000}', None
    )
    assert [(field.metric, field.value, field.unit) for field in message.fields] == [
        ("t", 21.5, None),
        ("door", True, None),
        ("h", 40, "%"),
    ]
    assert message.time_ms == 1_763_700_000_000


def test_a_bad_member_does_not_cost_the_others() -> None:
    message = parse(b'{"t": 21.5, "list": [1], "../x": 1}', None)
    assert [field.metric for field in message.fields] == ["t"]
    assert [error.reason for error in message.refused] == ["not a scalar", "name"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"21.5", "not an object"),
        (b"{}", "no value"),
        (b'{"time": 1}', "no value"),
        (json.dumps({f"m{n}": n for n in range(257)}).encode(), "too many metrics"),
    ],
)
def test_a_device_without_usable_metrics_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(BadMessage) as refused:
        parse(payload, None)
    assert refused.value.reason == reason


@given(st.one_of(st.binary(max_size=300), st.text(max_size=80).map(str.encode)), st.sampled_from(["m", None]))
def test_no_payload_does_more_than_refuse(payload: bytes, metric: str | None) -> None:
    with contextlib.suppress(BadMessage):
        for field in parse(payload, metric).fields:
            assert kind_of(field.value) in (None, Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_MEMBERS = st.sampled_from(["value", "unit", "time", "quality", "t", "h"])


@given(st.dictionaries(_MEMBERS, _JSON, max_size=6), st.sampled_from(["m", None]))
def test_no_json_object_does_more_than_refuse(content: dict[str, Any], metric: str | None) -> None:
    with contextlib.suppress(BadMessage):
        parse(json.dumps(content).encode(), metric)


@pytest.mark.parametrize(
    ("topic", "device", "metric"),
    [
        ("outpost/a/t", "a", "t"),
        ("outpost/a", "a", None),
        ("outpost/AA:bb-1.x_2/cpu.load", "AA:bb-1.x_2", "cpu.load"),
    ],
)
def test_a_topic_names_device_and_metric(topic: str, device: str, metric: str | None) -> None:
    found = address(topic, "outpost")
    assert (found.device, found.metric) == (device, metric)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("", "topic"),
        ("other/a/t", "topic"),
        ("outpost/a/b/c", "topic"),
        ("outpost", "topic"),
        ("outpost//t", "name"),
        ("outpost/a/", "name"),
        ("outpost/../t", "name"),
        ("outpost/a/<script>", "name"),
        ("outpost/a b/t", "name"),
        ("outpost/" + "x" * 65 + "/t", "name"),
        ("outpost/a/t\n", "name"),
        ("outpost/ünder/t", "name"),
    ],
)
def test_a_hostile_topic_is_refused(topic: str, reason: str) -> None:
    with pytest.raises(BadMessage) as refused:
        address(topic, "outpost")
    assert refused.value.reason == reason
