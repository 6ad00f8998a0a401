"""Times in a query: UTC milliseconds or RFC 3339."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

import msgspec

from hub.iso_time import NoSuchTime, iso_ms
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
    r"(?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)"
    r"(?P<zone>[Zz]|[+ -][0-9]{2}:[0-9]{2})"
)


def moment_ms(text: str, parameter: str) -> int:
    """Return UTC milliseconds. Raises Problem 400 that names the parameter."""
    if re.fullmatch(r"-?[0-9]{1,40}", text):
        found = int(text)
    elif written := _RFC3339.fullmatch(text):
        # A `+` that was not written as %2B comes out of a query as a space.
        plain = written["moment"].upper() + written["zone"].upper().replace(" ", "+")
        try:
            found = iso_ms(plain)
        except NoSuchTime as error:
            raise Problem(
                400, f"`{parameter}`: {text!r} does not exist: {error}", parameter=parameter
            ) from error
    else:
        raise Problem(
            400,
            f"`{parameter}`: {text!r} is neither UTC milliseconds nor RFC 3339 with an offset, "
            "as in 2026-11-20T09:30:00Z",
            parameter=parameter,
        )
    if not 0 <= found <= LAST_MS:
        raise Problem(400, f"`{parameter}`: {text} is not within 1970 and 9999", parameter=parameter)
    return found
