"""A line on which most frames are spoilt or senseless: each good one is taken, once, and the link lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hub.links.serial import SerialLink
from hub.links.session import Shared
from hub.model import Born, Gone, LinkHealth, Reading
from tests.background_task import beside
from tests.noisy_board import BOOT_ID, UID
from tests.soak import times

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.model import LinkEvent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

GOOD = times(4_000, 25_000)
BAD_PER_GOOD = 40
GROWTH_BYTES = 20 << 20
WARM_UP = 500


class Ear:
    """What the link says, counted; readings are acked as a store would."""

    def __init__(self) -> None:
        self.link: SerialLink | None = None
        self.seqs: list[int] = []
        self.kinds: Counter[str] = Counter()
        self.figures: dict[str, float] = {}
        self.rss_bytes = 0
        self.done = asyncio.Event()

    def __call__(self, event: LinkEvent) -> None:
        self.kinds[type(event).__name__] += 1
        if isinstance(event, Reading) and event.seq is not None:
            self._take(event.seq)
        elif isinstance(event, LinkHealth):
            self.figures = dict(event.figures)

    def _take(self, seq: int) -> None:
        assert self.link is not None
        self.seqs.append(seq)
        if len(self.seqs) == WARM_UP:
            self.rss_bytes = rss_bytes()
        if len(self.seqs) % 50 == 0 or seq == GOOD - 1:
            self.link.ack(UID, BOOT_ID, seq)
        if seq == GOOD - 1:
            self.done.set()


def rss_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


async def test_spoilt_frames_cost_no_good_one_no_memory_and_no_restart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unhandled: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unhandled.append(context))
    caplog.set_level(logging.ERROR)
    ear = Ear()
    async with noisy_board() as path:
        shared = Shared(last_seq=lambda _device, _boot: -1, now_ms=wall_ms, frames_per_s=10**9)
        link = ear.link = SerialLink(path, shared)
        async with beside(link.run(ear)) as task:
            await ear.done.wait()
            grown = rss_bytes() - ear.rss_bytes
            await asyncio.sleep(1.1)  # the figures of the end
            ended = task.done()
            kinds = Counter(ear.kinds)
    assert not ended
    assert unhandled == []
    assert [record.getMessage() for record in caplog.records] == []
    assert ear.seqs == list(range(GOOD))
    assert (kinds[Born.__name__], kinds[Gone.__name__]) == (1, 0)
    assert ear.figures["resends"] == 0, "a good frame was not decoded at once"
    spoilt = sum(ear.figures[name] for name in ("crc_errors", "resyncs", "bad_messages"))
    assert spoilt > GOOD * BAD_PER_GOOD / 2, "the noise was none"
    assert grown < GROWTH_BYTES


@contextlib.asynccontextmanager
async def noisy_board() -> AsyncIterator[str]:
    """Start the board; yield the path of its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.noisy_board", str(GOOD), str(BAD_PER_GOOD), "7"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


def wall_ms() -> int:
    return time.time_ns() // 1_000_000
