"""Commands that the hub's own code carries out: many link messages, one command in the trail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

from hub.links.link import Cancelled, NoAnswer

if TYPE_CHECKING:
    from hub.commands.carried import Carried
    from hub.model import Command


class JobReport:
    """What a job knows of its command, and how it tells how far it is."""

    def __init__(self, command: Command, carried: Carried) -> None:
        self.command = command
        """The command as accepted; `ttl_ms` is what is left of it."""
        self._carried = carried

    def progress(self, percent: int | None, text: str = "") -> None:
        """Tell how far the job is, 0 to 100, or None where nobody can tell. Announced 10 times a second."""
        self._carried.report(percent, text)


Job: TypeAlias = Callable[[JobReport], Coroutine[Any, Any, Any]]
"""The work of a job, and its result (a JSON value). See `Commands.start_job` for its end and its errors."""


async def run(job: Job, carried: Carried, request: Command) -> Any:
    """Run a job in a task of its own. Raises what it raises; Cancelled, NoAnswer where it was ended so."""
    work = carried.work = asyncio.create_task(job(JobReport(request, carried)))
    try:
        async with asyncio.timeout(request.ttl_ms / 1000):
            return await asyncio.shield(work)
    except TimeoutError as error:
        if work.done():
            return work.result()
        await _end(work)
        raise NoAnswer(f"it was not done within {request.ttl_ms} ms") from error
    except asyncio.CancelledError:
        if work.cancelled() and carried.cancelled_by is not None:
            raise Cancelled("the job gave it up") from None
        await _end(work)
        raise


async def _end(work: asyncio.Future[Any]) -> None:
    """Cancel, and wait until the job has cleaned up. What it still raises is not asked for any more."""
    work.cancel()
    await asyncio.wait([work])
    if not work.cancelled():
        work.exception()
