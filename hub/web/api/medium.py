"""A change of what the hub goes by is answered when it is on the medium, and refused while it cannot be."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hub.web.parts import parts_of
from hub.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

_LATER = {"Retry-After": "5"}


@asynccontextmanager
async def on_medium(request: web.Request) -> AsyncIterator[None]:
    """Let the block record a change, and return when it is committed.

    Raises Problem 503: before the block while the store cannot commit, so that nothing is changed; after it
    where the commit fails: the change acts, and is written as soon as the store can.
    """
    store = parts_of(request).store
    if (why := store.degraded) is not None:
        raise Problem(503, f"nothing was changed, since it could not be kept: {why}", headers=_LATER)
    yield
    if (why := await store.recorded()) is not None:
        raise Problem(
            503,
            f"the change acts, but is not on the disk yet: {why}. It is written as soon as that is possible; "
            "look at it again",
            headers=_LATER,
        )
