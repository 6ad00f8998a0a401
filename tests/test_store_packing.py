"""Columns in memory: however they grow, the values that were put in come out, with their types."""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store.format import columns
from hub.store.format.packing import grown, listed, settled

if TYPE_CHECKING:
    from hub.model import Value
    from hub.store.format.packing import Growing

Integer = st.integers(-(2**63), 2**63 - 1)
Number = st.floats(allow_nan=False, allow_infinity=False)
Kinds = (Integer, Number, st.booleans(), st.text(max_size=3), st.none())
Parts = st.lists(st.one_of(*(st.lists(kind, min_size=1, max_size=9) for kind in (*Kinds, st.one_of(*Kinds)))))


def exactly(values: list[Value]) -> list[tuple[type, object]]:
    return [(type(one), struct.pack("d", one) if isinstance(one, float) else one) for one in values]


def _grown(parts: list[list[Value]]) -> Growing:
    column: Growing = []
    for part in parts:
        column = grown(column, part)
    return column


@given(Parts)
def test_values_come_out_as_they_were_put_in(parts: list[list[Value]]) -> None:
    assert exactly(list(_grown(parts))) == exactly([value for part in parts for value in part])


@given(Parts.filter(bool))
def test_they_are_coded_as_a_list_of_them_is(parts: list[list[Value]]) -> None:
    column = _grown(parts)
    assert columns.encode(settled(column)) == columns.encode(list(column))
    assert exactly(list(listed(settled(column)))) == exactly(list(column))


@pytest.mark.parametrize(("values", "code"), [([1.5, -0.0], "d"), ([1, -(2**63)], "q")])
def test_numbers_of_one_type_take_eight_bytes_each(values: list[Value], code: str) -> None:
    column = _grown([values] * 3)
    assert isinstance(column, array)
    assert (column.typecode, column.itemsize) == (code, 8)


def test_a_column_grows_on_while_a_copy_of_it_is_looked_at() -> None:
    column = _grown([[1.5]])
    before = settled(column)
    column = grown(column, [2.5])
    assert isinstance(before, np.ndarray)
    assert (before.tolist(), list(column)) == ([1.5], [1.5, 2.5])
