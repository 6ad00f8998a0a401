"""A lane: one thread for the blocking calls of one bus, so that a bus that hangs stops no other."""

from __future__ import annotations

import asyncio
import errno
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
Job: TypeAlias = "tuple[Callable[[], Any], asyncio.Future[Any]]"

TIMEOUT_S = 3.0
"""What one transfer or one file may take; a DS18B20 takes 0.75 s, an I2C adapter gives up after 1 s."""


class Lane:
    """Blocking calls of one bus, one at a time, in a thread that starts with the first of them.

    A call that takes longer than `timeout_s` is given up; until it ends, further ones are refused at once.
    """

    def __init__(self, name: str, timeout_s: float = TIMEOUT_S) -> None:
        self.name = name
        self._timeout_s = timeout_s
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._turn = asyncio.Lock()
        self._hanging: asyncio.Future[Any] | None = None
        self._thread: threading.Thread | None = None

    async def call(self, work: Callable[[], T]) -> T:
        """Return what `work` returns. Raises what it raises, and OSError (ETIMEDOUT) where it hangs."""
        async with self._turn:
            if self._hanging is not None and not self._hanging.done():
                raise OSError(errno.ETIMEDOUT, f"{self.name} hangs since an earlier call")
            done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            self._start()
            self._jobs.put((work, done))
            try:
                async with asyncio.timeout(self._timeout_s):
                    # Shielded: a call that was given up still runs, and its end is what frees the lane.
                    return await asyncio.shield(done)
            except TimeoutError:
                if done.done():
                    raise  # the bus's own words: a transfer that timed out
                self._hanging = done
                done.add_done_callback(_retrieved)
                raise OSError(
                    errno.ETIMEDOUT, f"{self.name} did not answer within {self._timeout_s:g} s"
                ) from None
            except asyncio.CancelledError:
                done.cancel()  # where it has not begun, it never will
                raise

    def end(self, last: Iterable[Callable[[], None]]) -> None:
        """Do `last` after what was called, then end the thread; nobody waits for it."""
        if self._thread is None:
            return
        self._thread = None
        for work in last:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.add_done_callback(_retrieved)
            self._jobs.put((work, done))
        self._jobs.put(None)

    def _start(self) -> None:
        if self._thread is None:
            # A daemon, which the pool of concurrent.futures is not: a bus that hangs in the kernel must not
            # keep the hub from ending.
            self._thread = threading.Thread(
                target=_work, args=(self._jobs, asyncio.get_running_loop()), name=self.name, daemon=True
            )
            self._thread.start()


def _work(jobs: SimpleQueue[Job | None], loop: asyncio.AbstractEventLoop) -> None:
    while (job := jobs.get()) is not None:
        work, done = job
        if done.cancelled():
            continue
        outcome: Any = None
        failure: Exception | None = None
        try:
            outcome = work()
        except Exception as error:  # whatever a driver raises goes to who called
            failure = error
        try:
            loop.call_soon_threadsafe(_settle, done, outcome, failure)
        except RuntimeError:
            return  # the loop has ended, and nobody waits


def _settle(done: asyncio.Future[Any], outcome: Any, failure: Exception | None) -> None:
    if done.cancelled():
        return
    if failure is None:
        done.set_result(outcome)
    else:
        done.set_exception(failure)


def _retrieved(done: asyncio.Future[Any]) -> None:
    """Look at the outcome of a call that was given up, lest asyncio reports that nobody did."""
    if not done.cancelled():
        done.exception()
