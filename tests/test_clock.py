"""The map of a board's ticks: right within its bound, whatever the delays, and deaf to the wall clock."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from hub.wire.clock import Clock, utc_ms


def watch(clock: Clock, seed: int, seconds: int, drift: float, start_ms: float = 5000.0) -> None:
    """Feed round trips of 1 to 40 ms, split unevenly, from a board whose crystal is off by `drift`."""
    chance = random.Random(seed)
    for second in range(seconds):
        sent = start_ms + second * 1000
        there, back = (chance.expovariate(1 / 5) + 0.5 for _ in range(2))
        ticks = int((sent + there - 1000) * (1 + drift))  # the board booted at 1000
        clock.add(sent, ticks, sent + there + back)


def true_ticks(monotonic_ms: float, drift: float) -> int:
    return int((monotonic_ms - 1000) * (1 + drift))


@given(st.integers(0, 10_000), st.floats(-100e-6, 100e-6), st.integers(1, 300), st.floats(0, 600_000))
def test_the_error_is_within_the_bound_now_and_back_in_time(
    seed: int, drift: float, seconds: int, back_ms: float
) -> None:
    clock = Clock()
    watch(clock, seed, seconds, drift, start_ms=700_000)
    moment = 700_000 + seconds * 1000 - back_ms
    ticks = true_ticks(moment, drift)
    assert abs(clock.monotonic_ms(ticks) - moment) <= clock.bound_ms(ticks) + 1


def test_ten_minutes_of_pings_know_the_present_to_a_few_ms() -> None:
    clock = Clock()
    watch(clock, 1, 600, 50e-6)
    ticks = true_ticks(605_000, 50e-6)
    assert abs(clock.monotonic_ms(ticks) - 605_000) < 3
    assert clock.bound_ms(ticks) < 10


def test_the_rate_is_learnt_from_a_long_watch() -> None:
    clock = Clock()
    watch(clock, 2, 600, 80e-6)
    assert abs(1 / clock._rate - 1 - 80e-6) < 20e-6


def test_before_a_round_trip_nothing_is_certain_but_there_is_a_guess() -> None:
    clock = Clock()
    clock.hint(100, 5000.0)
    assert (clock.monotonic_ms(150), clock.ready) == (5050.0, False)
    assert clock.bound_ms(150) > 1e6
    assert clock.mapped_back(150)


def test_a_trip_that_ends_before_it_began_is_left_out() -> None:
    clock = Clock()
    clock.add(5000.0, 10, 4000.0)
    assert not clock.ready


def test_what_was_taken_before_the_watch_counts_as_mapped_back() -> None:
    clock = Clock()
    clock.add(10_000.0, 9_000, 10_002.0)
    assert clock.mapped_back(5_000)
    assert not clock.mapped_back(8_500)


@given(st.integers(-(10**12), 10**12))
def test_a_wall_clock_that_jumps_moves_all_times_alike(jump_ms: int) -> None:
    clock = Clock()
    watch(clock, 3, 30, 0.0)
    times = [
        utc_ms(clock.monotonic_ms(ticks), 40_000.0, 1_700_000_000_000) for ticks in (20_000, 20_100, 20_200)
    ]
    jumped = [
        utc_ms(clock.monotonic_ms(ticks), 40_000.0, 1_700_000_000_000 + jump_ms)
        for ticks in (20_000, 20_100, 20_200)
    ]
    assert [b - a for a, b in zip(times, jumped, strict=True)] == [jump_ms] * 3
    assert times == sorted(times)
