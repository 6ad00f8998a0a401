"""How often somebody may try: never more than a window allows, and never locked out for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web.gate.tries import LOGIN_WINDOWS, TooManyTries, Tries, Window

STEPS = st.lists(st.integers(0, 400_000), max_size=80)


@given(STEPS)
def test_no_window_ever_holds_more_than_its_tries(steps: list[int]) -> None:
    tries, now_ms, taken = Tries(), 0, list[int]()
    for step in steps:
        now_ms += step
        try:
            tries.take(("a",), now_ms)
        except TooManyTries:
            continue
        taken.append(now_ms)
    for window in LOGIN_WINDOWS:
        for at in taken:
            assert sum(at - window.span_ms < other <= at for other in taken) <= window.tries


@given(STEPS)
def test_who_waits_as_long_as_told_may_try(steps: list[int]) -> None:
    tries, now_ms = Tries(), 0
    for step in steps:
        now_ms += step
        try:
            tries.take(("a",), now_ms)
        except TooManyTries as error:
            assert 0 < error.wait_ms <= 3_600_000
            now_ms += error.wait_ms
            tries.take(("a",), now_ms)


def test_a_refused_try_counts_against_nobody() -> None:
    tries = Tries((Window(1, 1000),))
    tries.take(("a", "x"), 0)
    with pytest.raises(TooManyTries):
        tries.take(("b", "x"), 1)
    tries.take(("b", "y"), 2)


def test_a_try_that_went_well_is_given_back() -> None:
    tries = Tries((Window(1, 1000),))
    tries.take(("a",), 5)
    tries.give_back(("a",), 5)
    tries.take(("a",), 6)


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    tries = Tries((Window(1, 1000),))
    tries.take(("a",), 1_000_000)
    tries.take(("a",), 5)


def test_the_names_that_are_remembered_are_bounded() -> None:
    tries = Tries((Window(1, 1000),), remembered=3)
    for name in "abcde":
        tries.take((name,), 0)
    tries.take(("a",), 1)
    with pytest.raises(TooManyTries):
        tries.take(("e",), 1)
