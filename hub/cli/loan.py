"""A serial port, borrowed from the hub that runs on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub.cli.client import Failed, NoHub, access, answer, hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

# The hub takes the port back by itself where this program dies.
LOAN_S = 30.0
RENEW_S = 10.0
_HERE = ("127.0.0.1", "::1", "localhost")


@contextlib.asynccontextmanager
async def borrowed(data: Path, port: str) -> AsyncIterator[bool]:
    """Have the hub leave `port` alone meanwhile; yield whether it had it. Without a hub, do nothing.

    Raises Failed where the hub refuses.
    """
    try:
        held = await _release(data, port) if is_here(data) else None
    except NoHub:
        held = None
    if held is None:
        yield False
        return
    renewing = asyncio.create_task(_renew(data, port))
    try:
        yield held
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        with contextlib.suppress(Failed):
            await _post(data, "resume", {"port": port})


def is_here(data: Path) -> bool:
    """Tell whether the hub runs on this machine: another's ports are not ours. Raises Failed."""
    return "OUTPOST_URL" not in os.environ or urlsplit(access(data).url).hostname in _HERE


async def _release(data: Path, port: str) -> bool:
    loan = await _post(data, "release", {"port": port, "seconds": LOAN_S})
    return bool(loan["held"])


async def _renew(data: Path, port: str) -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        with contextlib.suppress(Failed):
            await _release(data, port)


async def _post(data: Path, what: str, content: dict[str, Any]) -> Any:
    async with hub(data) as session, session.post(f"/api/v1/serial/{what}", json=content) as response:
        return await answer(response)
