"""When a camera records: each take is a file, beginning with the last seconds before it was asked for."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hub.camera.errors import CameraError
from hub.camera.media import Codec
from hub.camera.recording.preroll import PreRoll
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.camera.feed import Feed
    from hub.camera.recording.recordings import Recordings
    from hub.camera.recording.reel import Reel

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 10
LIMIT_S = 3600
AT_ONCE = 6
"""Takes of one camera: on command, by schedule, and on the alerts of four rules."""


class AlreadyRecording(OutpostError):
    """This is being recorded already; ask again when it has ended."""


@dataclass(slots=True, eq=False)
class Take:
    """A recording under way, and later how it ended. It goes on in another file where it has to."""

    id: str
    """Of the file that is being written."""
    time_ms: int
    """When it was asked for; the file begins earlier, by the pre-roll."""
    reason: str
    """`command`, `alert` or `schedule`."""
    seconds: float
    rule: str | None = None
    """Whose alert it is."""
    running: bool = True
    former: tuple[str, ...] = ()
    """The ids of its earlier files."""
    stopped: bool = False
    """Somebody ended it before its time."""
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Its last file is kept."""


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
        """Give the take whose file of this id is being written."""
        return self._takes.get(take_id)

    def begun_as(self, take_id: str) -> Take | None:
        """Give the take that is under way and has, or had, this id."""
        return next((take for take in self.takes if take_id in (take.id, *take.former)), None)

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
        """Record for so long from the next keyframe on. Raises AlreadyRecording, CameraError."""
        self._check(reason, rule)
        time_ms = self._moment()
        take = Take(str(time_ms), time_ms, reason, min(seconds, LIMIT_S), rule)
        self._takes[take.id] = take
        path: Path | None = None
        try:
            path = await asyncio.to_thread(self.kept.begin, time_ms, reason, rule)
            with self._feed.interest.held():
                await self._feed.until_live()
                reel = await self._reel(take, path)
                self._feed.interest.hold()
        except BaseException as error:
            self._ended(take)
            if path is not None:
                self.kept.give_up(path)
            if isinstance(error, OSError):
                raise CameraError(f"camera `{self._camera}` cannot record: {error}") from error
            raise
        task = asyncio.get_running_loop().create_task(self._film(take, reel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return take

    def stop(self, take: Take) -> None:
        """End a take; what it has is kept."""
        take.stopped = take.running
        take.ending.set()

    def cut_short(self, why: str) -> None:
        """End all takes, for which there is no room."""
        for take in self.takes:
            log.error("camera %s: recording %s ends early: %s", self._camera, take.id, why)
            take.ending.set()

    def _moment(self) -> int:
        """Give the time, which no other file of this camera bears: it is a recording's id."""
        self._last_ms = max(self._now_ms(), self._last_ms + 1)
        return self._last_ms

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
        take.ended.set()

    async def _reel(self, take: Take, path: Path) -> Reel:
        from hub.camera.recording.reel import Reel  # noqa: PLC0415 - PyAV only where somebody records

        return Reel(path, self.kept, take.ending, take.seconds)

    async def _further(self, take: Take) -> Path:
        """Give a take's next file, whose id it bears from now on. Raises CameraError."""
        time_ms = self._moment()
        try:
            path = await asyncio.to_thread(self.kept.begin, time_ms, take.reason, take.rule)
        except OSError as error:
            raise CameraError(f"no further file: {error}") from error
        del self._takes[take.id]
        take.former = (*take.former, take.id)
        take.id, take.time_ms = str(time_ms), time_ms
        self._takes[take.id] = take
        log.info("camera %s: recording %s goes on as %s", self._camera, take.former[-1], take.id)
        return path

    async def _film(self, take: Take, reel: Reel) -> None:
        why = take.reason if take.rule is None else f"{take.reason} {take.rule}"
        log.info("camera %s: recording %s for %.0f s (%s)", self._camera, take.id, take.seconds, why)
        if self._pre_roll is not None:
            for unit in self._pre_roll.units():
                reel.put(unit)
        leave = self._channel.fanout.join(reel.put)
        self._channel.want_keyframe()
        try:
            await reel.run(partial(self._further, take))
        except (CameraError, OSError) as error:
            log.error("camera %s: recording %s: %s", self._camera, take.id, error)
        finally:
            leave()
            self._feed.interest.release()
            self._ended(take)
            log.info("camera %s: recording %s is kept", self._camera, take.id)
