"""Columns, chunks and the hot log's rows: what goes in comes out, bit for bit, and damage is noticed."""

from __future__ import annotations

import math
import random
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.store.format import chunk, columns, hotlog
from hub.store.format.chunk import ChunkDamaged, Group
from hub.store.format.hotlog import Block, BootSeq, Hot
from hub.store.writing import seal

if TYPE_CHECKING:
    from hub.model import Value

Integer = st.integers(-(2**63), 2**63 - 1)
Number = st.floats(allow_nan=False, allow_infinity=False)
Decimal = st.builds(lambda whole, places: whole / 10**places, st.integers(-(10**7), 10**7), st.integers(0, 6))
Text = st.text(st.characters(codec="utf-8"), max_size=5)
Values = st.one_of(
    *(st.lists(kind, min_size=1, max_size=60) for kind in (Integer, Number, Decimal, st.booleans(), Text)),
    st.lists(st.one_of(Integer, Number, Decimal, st.booleans(), Text, st.none()), min_size=1, max_size=60),
)


def exactly(values: list[Value]) -> list[tuple[type, object]]:
    """Values with their types, floats by their bits: -0.0 is not 0.0, 1 is neither 1.0 nor True."""
    return [(type(one), struct.pack("d", one) if isinstance(one, float) else one) for one in values]


@given(Values)
@example([0.0, -0.0])
@example([0.1 + 0.2, 0.3])
@example([2**63 - 1, -(2**63), 0])
@example([None] * 3)
@example([1, 1.0, True, "1", None])
def test_a_column_comes_back_bit_for_bit_with_its_types(values: list[Value]) -> None:
    assert exactly(columns.decode(columns.encode(values), len(values)).values()) == exactly(values)


@given(Values, st.data())
def test_a_slice_of_a_column_is_that_of_its_values(values: list[Value], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values) - 1))
    end = data.draw(st.integers(start + 1, len(values)))
    column = columns.decode(columns.encode(values), len(values))
    assert exactly(column.slice(start, end).values()) == exactly(values[start:end])


@given(Values)
def test_the_numbers_of_a_column_are_its_numbers_and_booleans(values: list[Value]) -> None:
    places, numbers = columns.decode(columns.encode(values), len(values)).numbers()
    wanted = [one for one in values if isinstance(one, int | float)]
    assert numbers.tolist() == [float(one) for one in wanted]
    if places is not None:
        assert places.tolist() == [isinstance(one, int | float) for one in values]


def walk(count: int) -> list[Value]:
    rng = random.Random(1)
    value = 20.0
    found: list[Value] = []
    for _ in range(count):
        value += rng.gauss(0, 0.02)
        found.append(round(value, 2))
    return found


def test_a_sensor_of_two_decimals_costs_less_than_a_byte_a_sample() -> None:
    assert len(columns.encode(walk(900))) < 900


def group(shape: int, times: list[int], *own: list[Value], quality: int = 0) -> Group:
    qualities = np.full(len(times), quality, dtype=np.uint8) if quality else None
    return Group(shape, np.array(times, dtype=np.int64), qualities, list(own))


def test_a_chunk_holds_the_groups_of_several_shapes() -> None:
    data = chunk.encode([group(7, [1, 2], [1.5, 2.5], ["a", None]), group(9, [5], [True], quality=2)])
    first, second = chunk.decode(data)
    assert (first.shape, first.times.tolist(), first.columns) == (7, [1, 2], [[1.5, 2.5], ["a", None]])
    assert second.qualities is not None
    assert (second.shape, second.qualities.tolist(), second.columns) == (9, [2], [[True]])
    (piece,) = chunk.Opened(data).pieces({7: 1})
    assert piece.column.values() == ["a", None]


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_every_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(chunk.encode([group(1, list(range(100)), walk(100))]))
    data[place % len(data)] ^= change
    with pytest.raises(ChunkDamaged):
        chunk.Opened(bytes(data)).pieces({1: 0})


@pytest.mark.parametrize("length", [0, 1, 8, 30])
def test_a_chunk_cut_short_is_noticed(length: int) -> None:
    with pytest.raises(ChunkDamaged):
        chunk.decode(chunk.encode([group(1, list(range(100)), walk(100))])[:length])


def test_groups_of_one_shape_join_in_order_of_time_the_first_first() -> None:
    (joined,) = seal.merged([group(1, [10, 20], ["a", "b"]), group(1, [5, 10], ["c", "d"], quality=1)])
    assert joined.times.tolist() == [5, 10, 10, 20]
    assert joined.columns == [["c", "a", "d", "b"]]
    assert joined.qualities is not None
    assert joined.qualities.tolist() == [1, 0, 1, 0]


@given(st.lists(st.integers(0, 5 * chunk.WINDOW_MS), min_size=1, max_size=40).map(sorted))
def test_splitting_keeps_each_row_in_its_window(times: list[int]) -> None:
    parts = list(seal.split(group(1, times, list(times))))
    assert [time for _, part in parts for time in part.times.tolist()] == times
    for window, part in parts:
        assert {time // chunk.WINDOW_MS for time in part.times.tolist()} == {window}
        assert part.columns == [part.times.tolist()]


@given(Values, st.booleans())
def test_a_row_of_the_hot_log_comes_back_as_it_was(values: list[Value], flood: bool) -> None:
    if flood:
        values = values * (8_000 // len(values) + 1)
    times = [1_700_000_000_000 - 3 * place for place in range(len(values))]
    hot = Hot([Block(3, times, [0] * len(values), [], [values])], [BootSeq("pico", "b", 7, 9)])
    data = hotlog.encode(hot)
    back = hotlog.decode(data)
    assert zlib.decompress(data).startswith(b"[") is not flood
    assert back.boots == hot.boots
    assert back.blocks[0].times == times
    assert exactly(back.blocks[0].columns[0]) == exactly(values)


@given(
    st.lists(
        st.one_of(Integer, st.floats(), st.booleans(), st.text(max_size=3), st.none(), st.integers()),
        min_size=1,
    )
)
def test_what_the_file_cannot_hold_is_replaced_value_by_value(values: list[Value]) -> None:
    stored = hotlog.storable(values)
    exactly(columns.decode(columns.encode(stored), len(stored)).values())
    for before, after in zip(values, stored, strict=True):
        if isinstance(before, float) and not math.isfinite(before):
            assert after is None
        elif isinstance(before, float | bool) or before is None:
            assert exactly([after]) == exactly([before])
