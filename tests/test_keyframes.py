"""The budget of keyframes: a burst, then one a second, and no request is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.camera.keyframes import KeyframeBudget


def test_no_keyframe_without_a_request() -> None:
    assert not KeyframeBudget().take(0)


def test_those_who_join_together_are_served_at_once() -> None:
    budget = KeyframeBudget(burst=3)
    taken = []
    for _ in range(3):
        budget.request()
        taken.append(budget.take(0))
    assert taken == [True, True, True]


def test_a_request_beyond_the_budget_waits_and_is_served() -> None:
    budget = KeyframeBudget(burst=1, interval_ms=1000)
    budget.request()
    assert budget.take(0)
    budget.request()
    assert [budget.take(ms) for ms in (33, 500, 999)] == [False, False, False]
    assert budget.take(1001)
    assert not budget.take(5000)


def test_a_keyframe_that_came_anyway_answers_the_request() -> None:
    budget = KeyframeBudget()
    budget.request()
    budget.satisfied()
    assert not budget.take(0)


@given(st.lists(st.integers(0, 100), max_size=300))
def test_a_storm_of_requests_gets_the_burst_and_one_a_second(steps_ms: list[int]) -> None:
    budget = KeyframeBudget(burst=3, interval_ms=1000)
    now_ms = taken = 0
    for step_ms in steps_ms:
        now_ms += step_ms
        budget.request()
        taken += budget.take(now_ms)
    assert taken <= 3 + now_ms / 1000
