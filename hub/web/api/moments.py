"""Times in a query: UTC milliseconds or RFC 3339."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import msgspec

from hub.web.problem import Problem

Moment: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=40,
        description="UTC milliseconds since 1970, or RFC 3339 with its offset",
        examples=["1781950000000", "2026-06-20T10:06:40Z"],
    ),
]

LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write."""

_RFC3339 = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>[Zz]|[+ -][0-9]{2}:[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_ms(text: str, parameter: str) -> int:
    """Return UTC milliseconds. Raises Problem 400 that names the parameter."""
    try:
        found = int(text) if re.fullmatch(r"[0-9]{1,15}", text) else _rfc3339_ms(text)
    except (ValueError, OverflowError) as error:
        raise Problem(
            400,
            f"`{parameter}`: {text!r} is neither UTC milliseconds nor RFC 3339 with an offset, "
            "as in 2026-11-20T09:30:00Z",
            parameter=parameter,
        ) from error
    if not 0 <= found <= LAST_MS:
        raise Problem(400, f"`{parameter}`: {text} is not within 1970 and 9999", parameter=parameter)
    return found


def _rfc3339_ms(text: str) -> int:
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(text)
    # A `+` that was not written as %2B comes out of a query as a space.
    zone = found["zone"].upper().replace(" ", "+")
    since = datetime.fromisoformat(f"{found['date']}T{found['time']}{zone}") - _EPOCH
    milliseconds = int((found["fraction"] or "0")[:3].ljust(3, "0"))
    return since.days * 86_400_000 + since.seconds * 1000 + milliseconds
