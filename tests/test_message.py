"""Messages: untrusted JSON in, checked lists out; long ones in fragments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wire.fragments import Assembly, crc, fragments
from hub.wire.frame import MAX_PAYLOAD
from hub.wire.message import FROM_BOARD, FROM_HUB, WireError, dumps, is_id, parse
from tests.json_values import json_values

if TYPE_CHECKING:
    import random


@given(st.one_of(st.text(), json_values.map(json.dumps)))
def test_nothing_but_a_wire_error_comes_of_bad_input(text: str) -> None:
    for shapes in (FROM_BOARD, FROM_HUB):
        try:
            message = parse(text, shapes)
        except WireError:
            continue
        assert isinstance(message, list)


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(WireError):
        parse("[" * 100_000, FROM_BOARD)


@given(json_values)
def test_what_is_dumped_is_ascii_without_control_bytes(value: object) -> None:
    text = dumps(value)
    assert all(32 <= ord(c) < 128 for c in text)


@given(st.text(alphabet=st.sampled_from('a"\\{}[]é🌱 '), max_size=3000), st.randoms(use_true_random=False))
def test_fragments_in_any_order_and_doubled_make_the_text_again(text: str, chance: random.Random) -> None:
    whole = dumps(["birth", {"name": text}])
    parts = list(fragments(whole))
    assert all(len(dumps(part)) <= MAX_PAYLOAD for part in parts)
    mixed = parts + chance.sample(parts, len(parts) // 2)
    chance.shuffle(mixed)
    assembly = Assembly(65536)
    assert whole in [assembly.add(json.loads(dumps(part))) for part in mixed]


def test_a_text_over_the_bound_is_refused_and_forgotten() -> None:
    assembly = Assembly(1000)
    parts = list(fragments("x" * 1200))
    with pytest.raises(WireError, match="over 1000 bytes"):
        for part in parts:
            assembly.add(part)
    assert assembly.add(next(iter(fragments("short")))) == "short"


def test_a_fragment_that_claims_too_many_parts_is_refused() -> None:
    with pytest.raises(WireError, match="out of range"):
        Assembly(4096).add(["f", 1, 0, 10_000_000, "x"])


def test_fragments_of_another_text_under_the_same_number_do_not_pass() -> None:
    with pytest.raises(WireError, match="do not fit together"):
        Assembly(4096).add(["f", crc("this"), 0, 1, "that"])


def test_only_four_texts_are_under_way_at_a_time() -> None:
    assembly = Assembly(4096)
    for number in range(50):
        assembly.add(["f", number, 0, 2, "x"])
    assert len(assembly._parts) == 4


@pytest.mark.parametrize(
    "name", ["a", "e6614103e7452b2f", "core_temperature", "door.1", "x-1", "_y", "a" * 64]
)
def test_safe_names_pass(name: str) -> None:
    assert is_id(name)


@pytest.mark.parametrize(
    "name", ["", "A", ".", "..", "-x", "a/b", "a b", "a#", "a+", "ä", "a\n", "a" * 65, "<b>", None, 1, ["a"]]
)
def test_names_that_could_hurt_elsewhere_do_not(name: object) -> None:
    assert not is_id(name)
