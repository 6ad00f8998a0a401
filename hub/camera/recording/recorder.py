"""Access units into an MP4 file as they are, on a thread of its own: a slow card delays nobody else.

The file is fragmented (ISO/IEC 14496-12, 8.8): what was written before the power went can be played.
"""

from __future__ import annotations

import io
import logging
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import av

from hub.camera.errors import CameraError
from hub.camera.media import RTP_TIME_BASE
from hub.camera.recording.preroll import parameter_sets

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from hub.camera.media import AccessUnit

log = logging.getLogger(__name__)

_EVERY_GROUP = "frag_keyframe+empty_moov+default_base_moof"
_EVERY_PICTURE = "frag_every_frame+empty_moov+default_base_moof"
_QUEUE_LIMIT = 600
"""Access units that a slow card may leave waiting: 20 s at 30 a second …"""
_PRE_ROLL_LIMIT = 3600
"""… beside those of a pre-roll, which come all at once."""


class RecordingFailed(CameraError):
    """A file could not be written; the message says why."""


class Recorder:
    """Writes H.264 from the first keyframe on. `put` and `finish` on the loop's thread.

    With `every_picture` each picture can be played as soon as the next one came: for those that come slowly.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, *, every_picture: bool = False) -> None:
        self.ended: asyncio.Future[int] = loop.create_future()
        """The length in milliseconds once the file is closed; or RecordingFailed."""
        self._path = path
        self._loop = loop
        self._flags = _EVERY_PICTURE if every_picture else _EVERY_GROUP
        self._units: queue.SimpleQueue[AccessUnit | None] = queue.SimpleQueue()
        self._odd: AccessUnit | None = None
        """A keyframe of another form, which this file cannot hold."""
        self._finishing = False
        self._thread = threading.Thread(target=self._run, name=f"recorder-{path.stem}", daemon=True)
        self._thread.start()

    def put(self, unit: AccessUnit) -> None:
        """Take a unit; never blocks. A card that falls too far behind ends the recording."""
        if self._finishing:
            return
        self._units.put(unit)
        if self._units.qsize() > _QUEUE_LIMIT + _PRE_ROLL_LIMIT:
            log.error("recording %s ends early: the card does not keep up", self._path.name)
            self.finish()

    def finish(self) -> None:
        """Have what was taken written and the file closed; may be called twice."""
        if not self._finishing:
            self._finishing = True
            self._units.put(None)

    @property
    def changed(self) -> bool:
        """Whether it ended because the picture's form changed; what came since waits in `rest`."""
        return self._odd is not None

    def rest(self) -> list[AccessUnit]:
        """Give what came since the picture's form changed, from its keyframe on, and take nothing more."""
        self._finishing = True
        units = [self._odd]
        while not self._units.empty():
            units.append(self._units.get())
        return [unit for unit in units if unit is not None]

    def _run(self) -> None:
        try:
            length_ms = self._write()
        except (OSError, av.FFmpegError) as error:
            # without its traceback, which would keep the container alive
            problem = RecordingFailed(f"{self._path.name} cannot be written: {error.strerror or error}")
            self._post(None, problem)
        else:
            self._post(length_ms, None)

    def _write(self) -> int:
        container: OutputContainer | None = None
        stream: VideoStream | None = None
        first = last = 0
        sets: list[bytes] = []
        try:
            while (unit := self._units.get()) is not None:
                if container is None or stream is None:
                    if not unit.keyframe:
                        continue
                    container, stream = _open(self._path, unit, self._flags)
                    first, sets = unit.pts, parameter_sets(unit)
                elif unit.keyframe and parameter_sets(unit) != sets:
                    log.info("recording %s ends: the picture's form changed", self._path.name)
                    self._odd = unit
                    break
                last = unit.pts
                packet = av.Packet(unit.data)
                packet.pts = packet.dts = unit.pts - first
                packet.time_base, packet.stream, packet.is_keyframe = RTP_TIME_BASE, stream, unit.keyframe
                container.mux(packet)
        finally:
            if container is not None:
                container.close()
        return int((last - first) * RTP_TIME_BASE * 1000)

    def _post(self, length_ms: int | None, error: RecordingFailed | None) -> None:
        def tell() -> None:
            self._finishing |= not self.changed
            if self.ended.done():
                return
            if error is not None:
                self.ended.set_exception(error)
            else:
                self.ended.set_result(length_ms or 0)

        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(tell)


def _open(path: Path, keyframe: AccessUnit, flags: str) -> tuple[OutputContainer, VideoStream]:
    """Begin a file whose stream has the size and the parameter sets of a keyframe."""
    container = av.open(str(path), "w", format="mp4", options={"movflags": flags, "flush_packets": "1"})
    with av.open(io.BytesIO(keyframe.data), format="h264") as template:
        stream = container.add_stream_from_template(template.streams.video[0])
    stream.time_base = RTP_TIME_BASE
    return container, stream
