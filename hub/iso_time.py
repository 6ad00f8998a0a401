"""Times that people and programs write (ISO 8601, RFC 3339) as UTC milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_SECOND_60 = re.compile(r"(?<=[0-9]{2}:[0-9]{2}:)60(?![0-9])")


class NoSuchTime(ValueError):
    """A time that is written well and does not exist, as the 30th of February; the message says why."""


class NoOffset(ValueError):
    """A time that does not say how far it is from UTC."""


def iso_ms(text: str, zone: tzinfo | None = UTC) -> int:
    """Return UTC ms, cut to the millisecond; a time without an offset is of `zone`.

    The leap second 23:59:60 is the second after it, as POSIX has it (RFC 3339, 5.7 and appendix D).
    Raises NoSuchTime, NoOffset where there is none and no zone, and ValueError where it is no ISO 8601.
    """
    plain, leaps = _SECOND_60.subn("59", text, count=1)
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError as error:
        raise _told(error) from error
    if moment.tzinfo is None and zone is None:
        raise NoOffset("it has no offset from UTC; append Z where it is UTC")
    try:
        since = (moment if moment.tzinfo is not None else _in_zone(moment, zone)) - _EPOCH
    except OverflowError as error:
        raise NoSuchTime("it is before the year 1 or after 9999") from error
    found = since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000 + leaps * 1000
    if leaps and found % _DAY_MS >= 1000:
        raise NoSuchTime("a second 60 is at the end of a UTC day alone")
    return found


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return a time by a zone's clocks; of an hour that they show twice the first. Raises NoSuchTime."""
    aware = moment.replace(tzinfo=zone)
    if zone is not UTC and aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise NoSuchTime(f"the clocks of {zone} skipped it")
    return aware


def _told(error: ValueError) -> ValueError:
    """Return the error for what `datetime.fromisoformat` says."""
    if str(error).startswith("Invalid isoformat"):
        return ValueError("it is not ISO 8601, as in 2026-11-21T08:00:00Z")
    if str(error).startswith("offset"):
        return NoSuchTime("an offset from UTC is less than 24 hours")
    return NoSuchTime(str(error))
