"""When a camera records: each take is a file, beginning with the last seconds before it was asked for."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
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
AT_ONCE = 6
"""Takes of one camera: on command, by schedule, and on the alerts of four rules."""


class AlreadyRecording(OutpostError):
    """This is being recorded already; ask again when it has ended."""


@dataclass(slots=True, eq=False)
class Take:
    """A recording under way, and later how it ended."""

    id: str
    time_ms: int
    """When it was asked for; the file begins earlier, by the pre-roll."""
    reason: str
    """`command`, `alert` or `schedule`."""
    seconds: float
    rule: str | None = None
    """Whose alert it is."""
    running: bool = True
    stopped: bool = False
    """Somebody ended it before its time."""
    ending: asyncio.Event = field(default_factory=asyncio.Event)


class Filming:
    """Records a feed's H.264. Loop thread only; `run` must be running.

    Takes share the coded pictures, so that a second one beside the first costs what it writes.
    """

    def __init__(
        self, camera: str, feed: Feed, kept: Recordings, *, now_ms: Callable[[], int], pre_roll_s: float = 0
    ) -> None:
        self.kept = kept
        self._camera = camera
        self._feed = feed
        self._now_ms = now_ms
        self._channel = feed.channels[Codec.H264]
        self._pre_roll = PreRoll(pre_roll_s) if pre_roll_s else None
        self._takes: dict[str, Take] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_ms = 0

    @property
    def takes(self) -> tuple[Take, ...]:
        """What is recorded now, the newest first."""
        return tuple(reversed(self._takes.values()))

    def find(self, take_id: str) -> Take | None:
        """Give a take that is under way."""
        return self._takes.get(take_id)

    async def run(self) -> None:
        """Keep the pre-roll, until cancelled; takes under way are then closed."""
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
            for take in self.takes:
                take.ending.set()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_CLOSE_TIMEOUT_S)

    async def start(self, seconds: float, reason: str = "command", rule: str | None = None) -> Take:
        """Record for so long from now. Raises AlreadyRecording, CameraError."""
        self._check(reason, rule)
        self._last_ms = time_ms = max(self._now_ms(), self._last_ms + 1)
        take = Take(str(time_ms), time_ms, reason, min(seconds, LIMIT_S), rule)
        self._takes[take.id] = take
        path: Path | None = None
        try:
            path = await asyncio.to_thread(self.kept.begin, time_ms, reason, rule)
            with self._feed.interest.held():
                await self._feed.until_live()
                recorder = await self._recorder(path)
                self._feed.interest.hold()
        except BaseException as error:
            self._ended(take)
            if path is not None:
                self.kept.give_up(path)
            if isinstance(error, OSError):
                raise CameraError(f"camera `{self._camera}` cannot record: {error}") from error
            raise
        task = asyncio.get_running_loop().create_task(self._film(take, path, recorder))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return take

    def stop(self, take: Take) -> None:
        """End a take; what it has is kept."""
        take.stopped = take.running
        take.ending.set()

    def cut_short(self) -> None:
        """End all takes, because what they write is more than may be kept."""
        for take in self.takes:
            log.error("camera %s: recording %s ends early: `recordings_mb` is full", self._camera, take.id)
            take.ending.set()

    def _check(self, reason: str, rule: str | None) -> None:
        for take in self.takes:
            if (take.reason, take.rule) == (reason, rule):
                raise AlreadyRecording(
                    f"camera `{self._camera}` records already ({reason}), since {take.time_ms}; "
                    "stop it, or wait"
                )
        if reason == "alert" and sum(take.reason == reason for take in self.takes) >= AT_ONCE - 2:
            raise AlreadyRecording(f"camera `{self._camera}` records {AT_ONCE - 2} alerts already")

    def _ended(self, take: Take) -> None:
        take.running = False
        self._takes.pop(take.id, None)

    async def _recorder(self, path: Path) -> Recorder:
        from hub.camera.recording.recorder import Recorder  # noqa: PLC0415 - PyAV only where somebody records

        return Recorder(path, asyncio.get_running_loop())

    async def _film(self, take: Take, path: Path, recorder: Recorder) -> None:
        why = take.reason if take.rule is None else f"{take.reason} {take.rule}"
        log.info("camera %s: recording %s for %.0f s (%s)", self._camera, take.id, take.seconds, why)
        if self._pre_roll is not None:
            for unit in self._pre_roll.units():
                recorder.put(unit)
        leave = self._channel.fanout.join(recorder.put)
        self._channel.want_keyframe()
        ending = asyncio.get_running_loop().create_task(take.ending.wait())
        length_ms = 0
        try:
            await asyncio.wait(
                (ending, recorder.ended), timeout=take.seconds, return_when=asyncio.FIRST_COMPLETED
            )
            leave()
            recorder.finish()
            length_ms = await recorder.ended
        except CameraError as error:
            log.error("camera %s: recording %s: %s", self._camera, take.id, error)
        finally:
            leave()
            ending.cancel()
            self._feed.interest.release()
            await asyncio.to_thread(self.kept.finish, path, length_ms)
            self._ended(take)
            log.info("camera %s: recording %s is kept, %d ms", self._camera, take.id, length_ms)
