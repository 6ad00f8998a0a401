"""Timelapse: a snapshot every so often, coded at once into the film of the day."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hub.camera.errors import CameraError
from hub.camera.feed import State
from hub.camera.media import RTP_CLOCK_HZ, Codec

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from hub.camera.encoder import VideoEncoder
    from hub.camera.feed import Feed
    from hub.camera.media import AccessUnit, Still
    from hub.camera.recording.recorder import Recorder
    from hub.camera.recording.recordings import Recordings

log = logging.getLogger(__name__)

REASON = "timelapse"
FPS = 25
"""Pictures a second when it is played."""
KEPT_WARM_S = 15
"""At shorter intervals the camera stays open."""
_SETTLE_S = 2.0
"""A camera that was just opened has not found its exposure and its white balance yet."""
_KEYFRAME_EVERY = 25
_CLOSE_TIMEOUT_S = 10


class Timelapse:
    """Takes a still each `interval_s` and adds it to the day's film. Loop thread only; `run` must be running.

    A film ends at midnight, in the machine's time zone, and where it has grown to `film_bytes`.
    """

    def __init__(
        self,
        camera: str,
        feed: Feed,
        kept: Recordings,
        *,
        now_ms: Callable[[], int],
        interval_s: float,
        bitrate_kbps: int,
        film_bytes: int,
    ) -> None:
        self.kept = kept
        self._camera = camera
        self._feed = feed
        self._now_ms = now_ms
        self._interval_s = interval_s
        self._bitrate_kbps = bitrate_kbps
        self._film_bytes = film_bytes
        self._film: _Film | None = None
        self._trouble = ""

    async def run(self) -> None:
        """Take stills until cancelled; the film under way is then closed."""
        loop = asyncio.get_running_loop()
        warm = self._interval_s < KEPT_WARM_S
        if warm:
            self._feed.interest.hold()
        due_s = loop.time()
        try:
            while True:
                await self._step()
                # after a pause of the machine: go on from here, don't race to catch up
                due_s = max(due_s + self._interval_s, loop.time())
                await asyncio.sleep(due_s - loop.time())
        finally:
            if warm:
                self._feed.interest.release()
            await self._close()

    async def _step(self) -> None:
        try:
            still = await self._still()
            film = await self._film_for(still)
            for unit in await asyncio.to_thread(film.coded, still):
                film.recorder.put(unit)
        except (CameraError, OSError) as error:
            if str(error) != self._trouble:
                log.warning("camera %s: no picture for the timelapse: %s", self._camera, error)
            self._trouble = str(error)
        else:
            self._trouble = ""

    async def _still(self) -> Still:
        with self._feed.interest.held():
            if self._feed.state is not State.LIVE:
                await self._feed.until_live()
                await asyncio.sleep(_SETTLE_S)
            return await self._feed.next_still()

    async def _film_for(self, still: Still) -> _Film:
        """Give the film that a still belongs to, a new one where need be. Raises NoRoom, OSError."""
        day = _day(still.time_ms)
        film = self._film
        if film is not None and (film.day != day or film.ended or film.written_bytes > self._film_bytes):
            await self._close()
        if self._film is None:
            path = await asyncio.to_thread(self.kept.begin, still.time_ms, REASON)
            try:
                self._film = await asyncio.to_thread(
                    _Film, path, day, asyncio.get_running_loop(), self._bitrate_kbps
                )
            except BaseException:
                self.kept.give_up(path)
                raise
        return self._film

    async def _close(self) -> None:
        film, self._film = self._film, None
        if film is None:
            return
        film.recorder.finish()
        length_ms = 0
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                length_ms = await film.recorder.ended
        except (CameraError, TimeoutError) as error:
            log.error("camera %s: the timelapse %s: %s", self._camera, film.path.name, error)
        await asyncio.to_thread(self.kept.finish, film.path, length_ms)


class _Film:
    """One file under way. `coded` blocks, and is called by one thread at a time."""

    def __init__(self, path: Path, day: date, loop: asyncio.AbstractEventLoop, bitrate_kbps: int) -> None:
        from hub.camera.encoder import open_encoder  # noqa: PLC0415 - PyAV only where something is coded
        from hub.camera.recording.recorder import Recorder  # noqa: PLC0415 - so too

        self.path = path
        self.day = day
        self.written_bytes = 0
        self.recorder: Recorder = Recorder(path, loop, every_picture=True)
        self._encoder: VideoEncoder = open_encoder(Codec.H264, fps=FPS, bitrate_kbps=bitrate_kbps)
        self._count = 0

    @property
    def ended(self) -> bool:
        """Whether the file takes no more: the picture's size changed, or the disk failed."""
        return self.recorder.ended.done()

    def coded(self, still: Still) -> list[AccessUnit]:
        """Code a still. Raises SourceError."""
        from hub.camera.encoder import decode_still  # noqa: PLC0415 - PyAV only where something is coded

        units = self._encoder.encode(
            decode_still(still),
            self._count * RTP_CLOCK_HZ // FPS,
            force_keyframe=self._count % _KEYFRAME_EVERY == 0,
        )
        self._count += 1
        self.written_bytes += sum(len(unit.data) for unit in units)
        return units


def _day(time_ms: int) -> date:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone().date()
