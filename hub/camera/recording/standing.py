"""Recording by schedule: one take after another while a rule is open."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hub.camera.errors import CameraError
from hub.camera.recording.filming import AlreadyRecording
from hub.config.schedule import left_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.camera.recording.filming import Filming, Take
    from hub.config.schedule import Rule

log = logging.getLogger(__name__)

REASON = "schedule"
TAKE_S = 600.0
"""A file is no longer: what makes room for newer ones goes in pieces of this."""
_LOOK_S = 1.0
_RETRY_S = 15.0


class Standing:
    """Begins takes by `rules`, in the machine's own time zone. Loop thread only; `run` must be running."""

    def __init__(
        self, camera: str, films: Filming, rules: tuple[Rule, ...], *, now_ms: Callable[[], int]
    ) -> None:
        self._camera = camera
        self._films = films
        self._rules = rules
        self._now_ms = now_ms
        self._ours: Take | None = None
        """The take that was begun last, until its end was seen."""
        self._stopped = False
        """Somebody ended a take of ours: none is begun before the rules close, and open again."""
        self._trouble = ""
        """What was logged last: a camera that stays dark is told once."""

    async def run(self) -> None:
        """Look once a second, and where a take has ended at once, until cancelled."""
        while True:
            pause_s = await self._look()
            if self._ours is None:
                await asyncio.sleep(pause_s)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._ours.ended.wait()

    async def _look(self) -> float:
        """Begin a take where one is due; give the seconds until the next look."""
        left = left_s(self._rules, datetime.fromtimestamp(self._now_ms() / 1000, UTC).astimezone())
        if self._ours is not None:
            if self._ours.running:
                return _LOOK_S
            self._stopped = self._ours.stopped
            self._ours = None
        if left <= 0:
            self._stopped = False
        if left < 1 or self._stopped:
            return _LOOK_S
        try:
            self._ours = await self._films.start(min(left, TAKE_S), REASON)
        except AlreadyRecording:
            return _LOOK_S
        except CameraError as error:
            if str(error) != self._trouble:
                log.warning("camera %s: not recorded by schedule: %s", self._camera, error)
            self._trouble = str(error)
            return _RETRY_S
        self._trouble = ""
        return _LOOK_S
