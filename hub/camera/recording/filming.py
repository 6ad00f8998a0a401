"""When a camera records: one recording at a time, beginning with the last seconds before it was asked for."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.camera.errors import CameraError
from hub.camera.media import Codec
from hub.camera.recording.preroll import PreRoll
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.camera.feed import Feed
    from hub.camera.recording.recorder import Recorder
    from hub.camera.recording.recordings import Recordings

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 10
LIMIT_S = 3600


class AlreadyRecording(OutpostError):
    """A recording is under way; ask again when it has ended."""


@dataclass(frozen=True, slots=True)
class Take:
    """A recording under way."""

    id: str
    time_ms: int
    """When it was asked for; the file begins earlier, by the pre-roll."""
    reason: str
    seconds: float


class Filming:
    """Records a feed's H.264. Loop thread only; `run` must be running."""

    def __init__(
        self, camera: str, feed: Feed, kept: Recordings, *, now_ms: Callable[[], int], pre_roll_s: float = 0
    ) -> None:
        self.kept = kept
        self.current: Take | None = None
        self.last: Take | None = None
        """The one that ended last."""
        self._camera = camera
        self._feed = feed
        self._now_ms = now_ms
        self._channel = feed.channels[Codec.H264]
        self._pre_roll = PreRoll(pre_roll_s) if pre_roll_s else None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Keep the pre-roll, until cancelled; a recording under way is then closed."""
        leave: Callable[[], None] | None = None
        if self._pre_roll is not None:
            self._feed.interest.hold()
            leave = self._channel.fanout.join(self._pre_roll.take)
        try:
            await asyncio.Event().wait()
        finally:
            if leave is not None:
                leave()
                self._feed.interest.release()
            if self._task is not None:
                self.stop()
                await asyncio.wait((self._task,), timeout=_CLOSE_TIMEOUT_S)

    async def start(self, seconds: float, reason: str = "command") -> Take:
        """Record for so long from now. Raises AlreadyRecording, CameraError."""
        if self.current is not None:
            raise AlreadyRecording(
                f"camera `{self._camera}` records already, since {self.current.time_ms}; stop it, or wait"
            )
        time_ms = self._now_ms()
        self.current = take = Take(str(time_ms), time_ms, reason, min(seconds, LIMIT_S))
        self._stop.clear()
        try:
            path = await asyncio.to_thread(self.kept.begin, time_ms, reason)
            with self._feed.interest.held():
                await self._feed.until_live()
                recorder = await self._recorder(path)
                self._feed.interest.hold()
        except OSError as error:
            self.current = None
            raise CameraError(f"camera `{self._camera}` cannot record: {error}") from error
        except BaseException:
            self.current = None
            raise
        self._task = asyncio.get_running_loop().create_task(self._film(take, path, recorder))
        return take

    @property
    def was_stopped(self) -> bool:
        """Whether the last recording ended because somebody said so."""
        return self.current is None and self._stop.is_set()

    def stop(self) -> None:
        """End the recording under way, if there is one; what it has is kept."""
        self._stop.set()

    async def _recorder(self, path: Path) -> Recorder:
        from hub.camera.recording.recorder import Recorder  # noqa: PLC0415 - PyAV only where somebody records

        return Recorder(path, asyncio.get_running_loop())

    async def _film(self, take: Take, path: Path, recorder: Recorder) -> None:
        log.info("camera %s: recording %s for %.0f s (%s)", self._camera, take.id, take.seconds, take.reason)
        if self._pre_roll is not None:
            for unit in self._pre_roll.units():
                recorder.put(unit)
        leave = self._channel.fanout.join(recorder.put)
        self._channel.want_keyframe()
        stopped = asyncio.get_running_loop().create_task(self._stop.wait())
        length_ms = 0
        try:
            await asyncio.wait(
                (stopped, recorder.ended), timeout=take.seconds, return_when=asyncio.FIRST_COMPLETED
            )
            leave()
            recorder.finish()
            length_ms = await recorder.ended
        except CameraError as error:
            log.error("camera %s: recording %s: %s", self._camera, take.id, error)
        finally:
            leave()
            stopped.cancel()
            self._feed.interest.release()
            await asyncio.to_thread(self.kept.finish, path, length_ms)
            self.current, self.last = None, take
            log.info("camera %s: recording %s is kept, %d ms", self._camera, take.id, length_ms)
