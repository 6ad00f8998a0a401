"""Work that ends when the client who waits for it has gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from aiohttp import web

T = TypeVar("T")

_LOOK_S = 0.25


async def while_there(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; cancel it when the client goes. Raises ConnectionResetError then."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait((task,), timeout=_LOOK_S)
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("the client went")
        return task.result()
    finally:
        task.cancel()
