"""What a camera keeps on the disk: recordings on command, on alert and by schedule, and its timelapse."""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from typing import TYPE_CHECKING

from hub.camera.recording.filming import Filming
from hub.camera.recording.recordings import Recordings
from hub.camera.recording.standing import Standing
from hub.camera.recording.timelapse import Timelapse
from hub.config import duration_s
from hub.config.schedule import parse_rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.camera.feed import Feed
    from hub.config import CameraConfig

log = logging.getLogger(__name__)

_MB = 1_000_000
LOOK_S = 10.0
_IDLE_LOOKS = 60
"""So many looks pass before the disk is asked where nothing is recorded."""


class Keeping:
    """As `config` says, in folders below `folder`. Loop thread only. Raises ConfigError."""

    def __init__(self, config: CameraConfig, feed: Feed, folder: Path, *, now_ms: Callable[[], int]) -> None:
        self._camera = config.id
        self._now_ms = now_ms
        self.filming = Filming(
            config.id,
            feed,
            _kept(folder / config.id, config.recordings_mb * _MB, config.recordings_keep),
            now_ms=now_ms,
            pre_roll_s=config.pre_roll_s,
        )
        self.standing: Standing | None = None
        if config.record:
            rules = tuple(parse_rule(text, "`record`") for text in config.record)
            self.standing = Standing(config.id, self.filming, rules, now_ms=now_ms)
        self.timelapses = _kept(
            folder / config.id / "timelapse", config.timelapse_mb * _MB, config.timelapse_keep
        )
        """Films of former days, also where none is made any more."""
        self.timelapse: Timelapse | None = None
        if config.timelapse != OFF:
            self.timelapse = Timelapse(
                config.id,
                feed,
                self.timelapses,
                now_ms=now_ms,
                interval_s=duration_s(config.timelapse, "`timelapse`"),
                bitrate_kbps=config.bitrate_kbps,
                # the film under way is not deleted to make room
                film_bytes=config.timelapse_mb * _MB // 4,
            )

    async def run(self) -> None:
        """Keep what is to be kept, until cancelled; what is under way is then closed."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bound())
            for part in (self.filming, self.standing, self.timelapse):
                if part is not None:
                    group.create_task(part.run())

    async def _bound(self) -> None:
        """Hold the bounds while something is written, and by age too where nothing is."""
        for look in count():
            try:
                if look == 0:
                    await asyncio.to_thread(self._recover)
                if self.filming.takes or look % _IDLE_LOOKS == 0:
                    await self._prune()
            except OSError as error:
                log.error("camera %s: its recordings cannot be kept within bounds: %s", self._camera, error)
            await asyncio.sleep(LOOK_S)

    def _recover(self) -> None:
        self.filming.kept.recover()
        self.timelapses.recover()

    async def _prune(self) -> None:
        now_ms = self._now_ms()
        await asyncio.to_thread(self.timelapses.prune, now_ms)
        why = await asyncio.to_thread(self.filming.kept.prune, now_ms)
        if why:
            self.filming.cut_short(why)


OFF = "off"


def _kept(folder: Path, max_bytes: int, keep: str) -> Recordings:
    return Recordings(folder, max_bytes=max_bytes, max_age_ms=duration_s(keep, "`keep`") * 1000)
