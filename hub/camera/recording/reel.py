"""A take's files, one after another: a further one where the picture's form changes, as no MP4 holds two."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hub.camera.recording.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hub.camera.media import AccessUnit
    from hub.camera.recording.recordings import Recordings

log = logging.getLogger(__name__)

KEYFRAME_WAIT_S = 30.0
"""So much later a recording begins at the most."""
FILES_LIMIT = 20
"""Of one take: a camera whose pictures change all the time fills no folder with files of a second."""


class Reel:
    """Writes to `first`, and keeps what was written in `kept`. Loop thread only; `run` must be running.

    It sets `ending` when `seconds` have passed since its first keyframe: a camera that codes by itself may
    let one wait for longer than a clip is.
    """

    def __init__(self, first: Path, kept: Recordings, ending: asyncio.Event, seconds: float) -> None:
        self._path = first
        self._kept = kept
        self._ending = ending
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._recorder = Recorder(first, self._loop)
        self._begun = False
        self._timer = self._loop.call_later(seconds + KEYFRAME_WAIT_S, ending.set)

    def put(self, unit: AccessUnit) -> None:
        """Take a unit; never blocks."""
        if unit.keyframe and not self._begun:
            self._begun = True
            self._timer.cancel()
            self._timer = self._loop.call_later(self._seconds, self._ending.set)
        self._recorder.put(unit)

    async def run(self, further: Callable[[], Awaitable[Path]]) -> None:
        """Write until the end; `further` gives the path of each file after the first. Raises CameraError.

        However it ends, what was written is kept.
        """
        asked = self._loop.create_task(self._ending.wait())
        length_ms = 0
        try:
            for left in reversed(range(FILES_LIMIT)):
                await asyncio.wait((asked, self._recorder.ended), return_when=asyncio.FIRST_COMPLETED)
                if asked.done():
                    self._recorder.finish()
                length_ms = await self._recorder.ended
                if not self._recorder.changed:
                    return
                if left:
                    await self._go_on(await further(), length_ms)
                    length_ms = 0
            log.error("recording %s ends early: the picture's form changes too often", self._path.name)
        finally:
            asked.cancel()
            self._timer.cancel()
            if not self._begun:
                log.warning("recording %s: no keyframe came, so there is nothing to keep", self._path.name)
            await asyncio.to_thread(self._kept.finish, self._path, length_ms)

    async def _go_on(self, path: Path, length_ms: int) -> None:
        """Begin the next file with what waits for it, and keep the last."""
        before, self._path = (self._recorder, self._path), path
        self._recorder = Recorder(path, self._loop)
        for unit in before[0].rest():
            self._recorder.put(unit)
        await asyncio.to_thread(self._kept.finish, before[1], length_ms)
