"""Optimistic locking over HTTP: a version as ETag, If-Match and If-None-Match (RFC 9110, 13.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub.web.problem import Problem

if TYPE_CHECKING:
    from aiohttp import web


def etag(version: int) -> dict[str, str]:
    """Return the header that names a version."""
    return {"ETag": f'"{version}"'}


def expected(request: web.Request) -> int | None:
    """Return the version that the caller has seen: of If-Match; 0, nothing, of `If-None-Match: *`; None: any.

    Raises Problem 400 where the header is none of ours.
    """
    if request.headers.get("If-None-Match") == "*":
        return 0
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    found = re.fullmatch(r'\s*"?([0-9]{1,18})"?\s*', given)
    if found is None:
        raise Problem(400, 'If-Match is not a version, as in "3": take the ETag of the answer before')
    return int(found[1])
