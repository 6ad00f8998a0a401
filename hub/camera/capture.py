"""One run of a source, on a thread of its own: read, code what is wanted, hand it to the loop."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hub.camera.errors import CameraError, SourceError
from hub.camera.keyframes import KeyframeBudget
from hub.camera.media import RTP_CLOCK_HZ

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from hub.camera.encoder import H264Encoder, JpegEncoder
    from hub.camera.media import AccessUnit, Picture, Still
    from hub.camera.source import Reader, Source

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Demand:
    """What the loop wants of the capture. Written by the loop, read by the thread once a picture."""

    video: bool = False
    still: bool = False
    """One JPEG of the next picture."""
    still_interval_ms: int | None = None
    """JPEGs go on at this interval."""


class Listener(Protocol):
    """Who hears of a capture; all calls come on the loop's thread."""

    def picture_came(self) -> None:
        """Hear that the source gave a picture."""

    def unit_came(self, unit: AccessUnit) -> None:
        """Take an access unit for all viewers."""

    def still_came(self, still: Still) -> None:
        """Take a JPEG, as the demand asked."""

    def encoders_changed(self, count: int) -> None:
        """Hear that an H.264 encoder was opened (1) or closed (0)."""

    def capture_ended(self, error: CameraError | None) -> None:
        """Hear, as the last, that the thread is through: it was stopped (None), or this went wrong."""


class Capture:
    """The thread. `start` once; `stop` asks it to end, and `capture_ended` tells when it has."""

    def __init__(
        self,
        name: str,
        source: Source,
        listener: Listener,
        demand: Demand,
        *,
        fps: int,
        bitrate_kbps: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.keyframes = KeyframeBudget()
        self._source = source
        self._listener = listener
        self._demand = demand
        self._rates = fps, bitrate_kbps
        self._loop = loop
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{name}", daemon=True)
        self._h264: H264Encoder | None = None
        self._jpeg: JpegEncoder | None = None
        self._pts = -1
        self._still_due_s = 0.0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end after the picture it waits for."""
        self._stopping.set()

    def _run(self) -> None:
        error: CameraError | None = None
        reader: Reader | None = None
        try:
            reader = self._source()
            while not self._stopping.is_set():
                picture = reader.read()
                self._post(self._listener.picture_came)
                self._code(picture)
        except CameraError as problem:
            error = problem
        except Exception as problem:
            # whatever a driver does to us, viewers must see a state and the camera must try again
            log.exception("camera thread %s broke", self._thread.name)
            error = SourceError(f"the camera broke: {type(problem).__name__}: {problem}")
        finally:
            self._close_h264()
            if reader is not None:
                _close(reader)
            self._post(lambda: self._listener.capture_ended(error))

    def _code(self, picture: Picture) -> None:
        now_s = time.monotonic()
        if self._demand.video:
            self._code_video(picture, now_s)
        else:
            self._close_h264()
        if self._still_wanted(now_s):
            if self._jpeg is None:
                from hub.camera.encoder import JpegEncoder  # noqa: PLC0415 - PyAV only when something is coded

                self._jpeg = JpegEncoder()
            still = self._jpeg.encode(picture)
            self._post(lambda: self._listener.still_came(still))

    def _code_video(self, picture: Picture, now_s: float) -> None:
        if self._h264 is None:
            from hub.camera.encoder import H264Encoder  # noqa: PLC0415 - PyAV only when something is coded

            fps, bitrate_kbps = self._rates
            self._h264 = H264Encoder(fps=fps, bitrate_kbps=bitrate_kbps)
            self._post(lambda: self._listener.encoders_changed(1))
        # the machine's clock, not the stream's: it goes on without a jump when the source is opened again
        self._pts = max(self._pts + 1, int(now_s * RTP_CLOCK_HZ))
        force = self.keyframes.take(int(now_s * 1000))
        for unit in self._h264.encode(picture, self._pts, force_keyframe=force):
            if unit.keyframe:
                self.keyframes.satisfied()
            self._post(lambda unit=unit: self._listener.unit_came(unit))  # type: ignore[misc]  # mypy 2 cannot infer a lambda's default

    def _still_wanted(self, now_s: float) -> bool:
        interval_ms = self._demand.still_interval_ms
        due = interval_ms is not None and now_s >= self._still_due_s
        if not (due or self._demand.still):
            return False
        self._demand.still = False
        self._still_due_s = now_s + (interval_ms or 0) / 1000
        return True

    def _close_h264(self) -> None:
        if self._h264 is not None:
            self._h264 = None
            self._post(lambda: self._listener.encoders_changed(0))

    def _post(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(call)


def _close(reader: Reader) -> None:
    try:
        reader.close()
    except Exception:
        log.exception("a camera did not close")
