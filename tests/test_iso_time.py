"""Times that people write, as UTC milliseconds: leap seconds, times that do not exist, and any text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.iso_time import NoOffset, NoSuchTime, iso_ms

NEW_YEAR_MS = 1_483_228_800_000


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_a_time_is_taken_to_the_millisecond_whatever_its_offset(moment: datetime, offset_min: int) -> None:
    written = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    exact = (written - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert iso_ms(written.isoformat()) == exact


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2016-12-31T23:59:60Z", NEW_YEAR_MS),
        ("2016-12-31T23:59:60.75Z", NEW_YEAR_MS + 750),
        ("2017-01-01T00:59:60+01:00", NEW_YEAR_MS),
        ("2016-12-31 23:59:60", NEW_YEAR_MS),
    ],
)
def test_a_leap_second_is_the_second_after_it(text: str, found: int) -> None:
    assert iso_ms(text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-02-30T00:00:00Z", "day is out of range for month"),
        ("2026-13-01", "month must be in 1..12"),
        ("2026-11-21T24:30:00Z", "hour must be in 0..23"),
        ("2026-11-21T22:59:60Z", "at the end of a UTC day"),
        ("2026-11-21T23:59:61Z", "second must be in 0..59"),
        ("2026-11-21T10:00:00+24:00", "less than 24 hours"),
    ],
)
def test_a_time_that_does_not_exist_says_why(text: str, why: str) -> None:
    with pytest.raises(NoSuchTime, match=why):
        iso_ms(text)


def test_a_time_without_an_offset_is_of_the_zone_or_refused() -> None:
    assert iso_ms("2017-01-01T01:00:00", ZoneInfo("Europe/Berlin")) == NEW_YEAR_MS
    with pytest.raises(NoOffset, match="append Z"):
        iso_ms("2017-01-01T01:00:00", None)


def test_a_local_time_that_clocks_skip_does_not_exist_and_of_a_repeated_one_the_first_is_meant() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with pytest.raises(NoSuchTime, match="the clocks of Europe/Berlin skipped it"):
        iso_ms("2026-03-29T02:30:00", berlin)
    assert iso_ms("2026-10-25T02:30:00", berlin) == iso_ms("2026-10-25T02:30:00+02:00")


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{5,8}[Z+].{0,6}")))
def test_any_other_text_is_refused_and_nothing_worse(text: str) -> None:
    try:
        assert isinstance(iso_ms(text), int)
    except ValueError as error:
        assert str(error)
