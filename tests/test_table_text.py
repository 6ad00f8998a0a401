"""Rows and columns written column by column say the same as rows written one by one."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.store.format.chunk import Piece
from hub.store.format.columns import column_of, decode, encode
from hub.store.format.hotlog import QUALITIES
from hub.store.queries.table import Table, merged, table_of
from hub.web import problem
from hub.web.api import table_text
from hub.web.api.sheet import Column, Sheet, json_of

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.decimals(-9999, 9999, places=2).map(float)
INTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-50, 50)
TEXTS = st.text(max_size=8) | st.just("x" * 50) | st.sampled_from(['"', "a, b", "\ud800"])
KINDS = (DECIMALS, FLOATS, INTS, st.booleans(), TEXTS, st.none())


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    values = draw(st.lists(draw(st.sampled_from([*KINDS, st.one_of(*KINDS)])), min_size=1, max_size=20))
    times = draw(
        st.lists(st.integers(0, 30) | st.integers(0, 2**53 - 1), min_size=len(values), max_size=len(values))
    )
    codes = draw(
        st.none()
        | st.lists(st.integers(0, len(QUALITIES) - 1), min_size=len(values), max_size=len(values)).map(
            lambda found: np.array(found, dtype=np.uint8)
        )
    )
    values = [
        value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values
    ]
    column = column_of(values)
    if draw(st.booleans()):
        # As the file gives them: arrays in place of the lists that memory has.
        column = decode(encode(values), len(values))
    return Piece(np.array(sorted(times), dtype=np.int64), codes, column)


def said(table: Table) -> object:
    sheet = Sheet((Column("time", "time"),), table, {"unit": "V"}, "5-0")
    return msgspec.json.decode(json_of(sheet, {}).body)["rows"]  # type: ignore[arg-type] # bytes: it was written


@settings(deadline=None)
@given(st.lists(pieces(), min_size=1, max_size=3), st.integers(0, 40), st.integers(0, 40))
def test_every_cell_is_what_it_is_when_rows_are_written_one_by_one(
    found: list[Piece], begin: int, end: int
) -> None:
    table = table_of(found)
    expected = [list(row) for row in table]
    assert said(table) == msgspec.json.decode(problem.encode(expected))
    assert [list(row) for row in table.cut(begin, end)] == expected[begin:end]
    assert said(table.cut(begin, end)) == msgspec.json.decode(problem.encode(expected[begin:end]))


@settings(deadline=None)
@given(st.lists(pieces(), min_size=1, max_size=3), st.integers(0, 40), st.integers(0, 40))
def test_columns_hold_the_cells_of_the_rows_and_leave_out_qualities_that_are_all_good(
    found: list[Piece], begin: int, end: int
) -> None:
    table = table_of(found).cut(begin, end)
    rows = msgspec.json.decode(problem.encode([list(row) for row in table]))
    expected = [[row[place] for row in rows] for place in range(1 + 2 * len(found))]
    for place, text in enumerate(table_text.arrays_of(table)):
        if text is None:
            assert place > 0
            assert place % 2 == 0
            assert set(expected[place]) <= {"good", None}
        else:
            assert msgspec.json.decode(b"[" + text + b"]") == expected[place]
            assert place % 2 or not place or set(expected[place]) - {"good", None}


def test_numbers_of_few_decimals_are_written_in_step() -> None:
    times = np.array([1_728_000_000_000, 1_728_000_000_999], dtype=np.int64)
    table = table_of([Piece(times, None, decode(encode([-0.5, 20.25]), 2))])
    rows = table_text.rows_of(table)
    assert rows is not None
    assert bytes(rows) == b'[1728000000000, -0.50,"good"],[1728000000999, 20.25,"good"]'


@settings(deadline=None)
@given(st.lists(pieces(), min_size=1, max_size=4))
def test_pieces_of_one_metric_come_together_in_order_of_time(found: list[Piece]) -> None:
    rows = sorted((row for piece in found for row in table_of([piece])), key=lambda row: row[0])
    assert list(table_of([merged(found)])) == rows
