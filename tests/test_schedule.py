"""When a camera records by itself: days, times over midnight, intervals, and texts that say neither."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import ConfigError
from hub.config.schedule import left_s, parse_rule

MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001 - times of the schedule are of the wall


def at(day: int, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return MONDAY + timedelta(days=day, hours=int(hour), minutes=int(minute))


@pytest.mark.parametrize(
    ("rule", "day", "clock", "minutes"),
    [
        ("mon-fri 08:00-18:00", 0, "08:00", 600),
        ("mon-fri 08:00-18:00", 4, "17:59", 1),
        ("mon-fri 08:00-18:00", 4, "18:00", 0),
        ("mon-fri 08:00-18:00", 0, "07:59", 0),
        ("mon-fri 08:00-18:00", 5, "12:00", 0),
        ("Sat, Sun 22:00-02:00", 5, "23:00", 180),
        ("sat,sun 22:00-02:00", 0, "01:00", 60),
        ("sat,sun 22:00-02:00", 5, "01:00", 0),
        ("fri-mon 10:00-11:00", 6, "10:30", 30),
        ("fri-mon 10:00-11:00", 1, "10:30", 0),
        ("00:00-24:00", 2, "00:00", 1440),
        ("12:00-12:00", 3, "11:00", 60),
        ("every 1h for 10m", 0, "03:04", 6),
        ("every 1h for 10m", 0, "03:10", 0),
    ],
)
def test_a_rule_is_open_for_so_many_minutes_from_a_moment(
    rule: str, day: int, clock: str, minutes: int
) -> None:
    assert parse_rule(rule, "x").left_s(at(day, clock)) == minutes * 60


def test_of_several_rules_the_one_that_is_open_longest_counts() -> None:
    rules = (parse_rule("08:00-09:00", "x"), parse_rule("08:30-10:00", "x"))
    assert left_s(rules, at(0, "08:45")) == 75 * 60
    assert left_s((), at(0, "08:45")) == 0


@pytest.mark.parametrize(
    "text",
    ["", "always", "mon", "08:00", "mon 8-9", "mon 08:00-25:00", "mo 08:00-09:00", "mon-fry 08:00-09:00",
     "every 1h", "every 1h for 1h", "every 7h for 1m", "every 2d for 1h", "every hour for 1m", "24:00-01:00"],
)  # fmt: skip
def test_a_text_that_is_no_rule_is_refused_by_the_key(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^camera.record: "):
        parse_rule(text, "camera.record")


@given(st.text() | st.from_regex(r"[a-z,\-]{0,9} ?\d\d:\d\d-\d\d:\d\d", fullmatch=True), st.datetimes())
def test_no_text_breaks_the_reader_and_no_window_is_longer_than_a_day(text: str, now: datetime) -> None:
    try:
        rule = parse_rule(text, "x")
    except ConfigError:
        return
    assert 0 <= rule.left_s(now) <= 86_400
