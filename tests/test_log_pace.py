"""What goes to and fro is logged at a bounded pace, and nothing is kept quiet for ever."""

from __future__ import annotations

from hub.log_pace import LINES, WINDOW_MS, LogPace

NOW_MS = 1_763_700_000_000


def lines(pace: LogPace, thing: str, count: int, now_ms: int) -> list[str]:
    """Return the ends of the lines that are due of `count`."""
    ends = [pace.due(thing, now_ms) for _ in range(count)]
    return [end for end in ends if end is not None]


def test_a_burst_is_logged_and_its_last_line_says_that_more_are_left_out() -> None:
    found = lines(LogPace(), "a", 100, NOW_MS)
    assert found == [*[""] * (LINES - 1), "; for 10 min from the first such line, no more of them"]


def test_after_a_while_a_line_says_how_many_were_left_out() -> None:
    pace = LogPace()
    lines(pace, "a", LINES + 7, NOW_MS)
    assert lines(pace, "a", 2, NOW_MS + WINDOW_MS) == [" (and 7 more such lines that were left out)", ""]


def test_a_thing_that_changes_seldom_is_logged_each_time() -> None:
    pace = LogPace()
    assert all(pace.due("a", NOW_MS + time * WINDOW_MS // 5) == "" for time in range(100))


def test_one_thing_does_not_silence_another() -> None:
    pace = LogPace()
    lines(pace, "a", 100, NOW_MS)
    assert pace.due("b", NOW_MS) == ""


def test_a_clock_that_jumps_back_silences_nothing() -> None:
    pace = LogPace()
    lines(pace, "a", 100, NOW_MS)
    assert pace.due("a", NOW_MS - 1) is not None


def test_what_is_kept_of_things_is_bounded() -> None:
    pace = LogPace()
    for number in range(10_000):
        pace.due(str(number), NOW_MS)
    assert len(pace._lines) <= 4096
