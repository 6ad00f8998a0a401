"""curl and other programs of the system on a hub, and how many streams it has open."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.web_hub import WebHub


def tool(name: str) -> str:
    """Return the path of a program."""
    found = shutil.which(name)
    assert found is not None, f"no {name} here: run `make test`, which installs it"
    return found


@contextlib.asynccontextmanager
async def curl(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run curl until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        tool("curl"), "-sS", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # Until the pipe's end, so that its transport is closed.
        await process.communicate()


def streams(hub: WebHub) -> int:
    """Return how many streams are open."""
    return int(hub.parts.health.registry.get_sample_value("outpost_stream_subscribers") or 0)
