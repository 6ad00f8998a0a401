"""What a camera keeps on the disk: recordings on command, on alert and by schedule, and its timelapse."""

from __future__ import annotations

import asyncio
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

_MB = 1_000_000


class Keeping:
    """As `config` says, in folders below `folder`. Loop thread only. Raises ConfigError."""

    def __init__(self, config: CameraConfig, feed: Feed, folder: Path, *, now_ms: Callable[[], int]) -> None:
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
        # A quarter is the film under way's, which nobody deletes to make room.
        quarter = config.timelapse_mb * _MB // 4
        self.timelapses = _kept(folder / config.id / "timelapse", 3 * quarter, config.timelapse_keep)
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
                film_bytes=quarter,
            )

    async def run(self) -> None:
        """Keep what is to be kept, until cancelled; what is under way is then closed."""
        async with asyncio.TaskGroup() as group:
            for part in (self.filming, self.standing, self.timelapse):
                if part is not None:
                    group.create_task(part.run())


OFF = "off"


def _kept(folder: Path, max_bytes: int, keep: str) -> Recordings:
    return Recordings(folder, max_bytes=max_bytes, max_age_ms=duration_s(keep, "`keep`") * 1000)
