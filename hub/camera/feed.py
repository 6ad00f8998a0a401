"""A camera's pictures: captured while somebody holds the feed, coded as they are asked for."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from hub.camera.capture import Capture, Demand
from hub.camera.errors import CameraError
from hub.camera.interest import Interest
from hub.camera.media import Codec
from hub.camera.sources.playout import PlayOut
from hub.camera.stills import Stills
from hub.camera.viewing.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub.camera.media import AccessUnit, Still
    from hub.camera.sources.source import Source

log = logging.getLogger(__name__)

PICTURE_TIMEOUT_S = 10.0
_MJPEG_INTERVAL_MS = 100
_STOP_TIMEOUT_S = 5.0
_BACKOFF_S = (1.0, 30.0)


class State(StrEnum):
    """Where a camera stands: nobody looks, it is being opened, it gives pictures, it gives none."""

    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    FAILED = "failed"


class Feed:
    """Opens the source for the first holder and closes it after the last. Loop thread only.

    There is one capture thread at a time, and it has one encoder for each codec that is taken.
    """

    def __init__(
        self,
        camera: str,
        source: Source,
        *,
        fps: int,
        bitrate_kbps: int,
        encoders_changed: Callable[[int], None],
    ) -> None:
        self.state = State.IDLE
        self.error: str | None = None
        self.encoders = 0
        self.ssrc, self.rtx_ssrc = secrets.randbits(32), secrets.randbits(32)
        """What every viewer's packets bear, and those that are sent again (RFC 4588)."""
        self.channels = {
            codec: Channel(
                codec,
                self.ssrc,
                on_change=partial(self._taken, codec),
                want_keyframe=partial(self._want_keyframe, codec),
            )
            for codec in Codec
        }
        self.low = {
            codec: Channel(
                codec,
                self.ssrc,
                on_change=partial(self._low_taken, codec),
                want_keyframe=partial(self._want_low_keyframe, codec),
                main=main,
            )
            for codec, main in self.channels.items()
        }
        self._play_out = PlayOut(partial(self._came, self.channels[Codec.H264].fanout.publish))
        self.stills = Stills()
        self.interest = Interest()
        self._camera = camera
        self._source = source
        self._rates = fps, bitrate_kbps
        self._tell_encoders = encoders_changed
        self._demand = Demand()
        self._mjpeg_clients = 0
        self._capture: Capture | None = None
        self._ended: asyncio.Future[CameraError | None] | None = None
        self._live: asyncio.Future[None] | None = None
        self._pictures = 0
        self._backing_off = False

    # --- who looks ------------------------------------------------------------------------------------

    @contextmanager
    def mjpeg(self) -> Iterator[None]:
        """Hold within a block, with stills coming at MJPEG's rate."""
        with self.interest.held():
            self._mjpeg_clients += 1
            self._demand.still_interval_ms = _MJPEG_INTERVAL_MS
            try:
                yield
            finally:
                self._mjpeg_clients -= 1
                if not self._mjpeg_clients:
                    self._demand.still_interval_ms = None

    async def until_live(self) -> None:
        """Wait for pictures; the caller holds the feed. Raises CameraError."""
        if self.state is State.LIVE:
            return
        self._refuse_while_failed()
        if self._live is None or self._live.done():
            self._live = asyncio.get_running_loop().create_future()
            self._live.add_done_callback(_note_exception)
        try:
            async with asyncio.timeout(PICTURE_TIMEOUT_S):
                await asyncio.shield(self._live)
        except TimeoutError:
            raise self._no_picture() from None

    async def next_still(self) -> Still:
        """Have the next picture coded as JPEG; the caller holds the feed. Raises CameraError."""
        self._refuse_while_failed()
        if not self._mjpeg_clients:
            self._demand.still = True
        try:
            async with asyncio.timeout(PICTURE_TIMEOUT_S):
                return await self.stills.next()
        except TimeoutError:
            raise self._no_picture() from None

    # --- the life of the capture ----------------------------------------------------------------------

    async def run(self) -> None:
        """Capture whenever the feed is held, until cancelled; a source that fails is tried again."""
        backoff_s = _BACKOFF_S[0]
        try:
            while True:
                await self.interest.wanted.wait()
                error = await self._capture_while_wanted()
                if error is None:
                    self._tell(State.IDLE, None)
                    continue
                if self._pictures:
                    backoff_s = _BACKOFF_S[0]
                self._backing_off = True
                self._fail(error)
                await asyncio.sleep(backoff_s)
                self._backing_off = False
                backoff_s = min(backoff_s * 2, _BACKOFF_S[1])
        finally:
            self._refuse_waiting(CameraError(f"camera `{self._camera}` is being shut down"))
            self._tell(State.IDLE, None)
            self.interest.stop_timer()

    async def _capture_while_wanted(self) -> CameraError | None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[CameraError | None] = loop.create_future()
        self._ended = ended
        self._tell(State.STARTING, None)
        self._pictures = 0
        fps, bitrate_kbps = self._rates
        self._capture = Capture(
            self._camera, self._source, self, self._demand, fps=fps, bitrate_kbps=bitrate_kbps, loop=loop
        )
        self._capture.start()
        unwanted = loop.create_task(self.interest.unwanted.wait())
        try:
            while not (ended.done() or unwanted.done()):
                before = self._pictures
                await asyncio.wait(
                    (ended, unwanted), timeout=PICTURE_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
                )
                if not (ended.done() or unwanted.done()) and self._pictures == before:
                    self._fail(self._no_picture())
            self._capture.stop()
            # a device that hangs is held by its thread: until that ends, another try could not open it
            return await ended
        finally:
            unwanted.cancel()
            self._capture.stop()
            self._play_out.clear()
            await asyncio.wait((ended,), timeout=_STOP_TIMEOUT_S)
            self._capture = None

    # --- what the capture tells (hub.camera.capture.Listener) -----------------------------------------

    def picture_came(self) -> None:
        """Note that the source is alive."""
        self._pictures += 1
        if self.state is not State.LIVE:
            self._came_alive()

    def unit_came(self, codec: Codec, unit: AccessUnit) -> None:
        """Pass an access unit on to every viewer."""
        self._came(self.channels[codec].fanout.publish, unit)

    def low_unit_came(self, codec: Codec, unit: AccessUnit) -> None:
        """Pass an access unit on to every viewer of the low layer."""
        self.low[codec].fanout.publish(unit)

    def units_ahead(self, units: list[tuple[float, AccessUnit]]) -> None:
        """Pass access units on to every viewer when they are due."""
        self.channels[Codec.H264].broadcast.prepare(unit for _, unit in units)
        self._play_out.put(units)

    def still_came(self, still: Still) -> None:
        """Pass a JPEG on to all who wait."""
        self.picture_came()
        self.stills.came(still)

    def encoders_changed(self, count: int) -> None:
        """Count the encoders."""
        self.encoders = count
        self._tell_encoders(count)

    def capture_ended(self, error: CameraError | None) -> None:
        """Let `run` go on."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(error)

    # --- inside ---------------------------------------------------------------------------------------

    def _came(self, publish: Callable[[AccessUnit], None], unit: AccessUnit) -> None:
        self._pictures += 1
        if self.state is not State.LIVE:
            self._came_alive()
        publish(unit)

    def _came_alive(self) -> None:
        self._tell(State.LIVE, None)
        if self._live is not None and not self._live.done():
            self._live.set_result(None)

    def _tell(self, state: State, error: str | None) -> None:
        if (state, error) != (self.state, self.error):
            level = logging.WARNING if error else logging.INFO
            log.log(level, "camera %s: %s%s", self._camera, state, f": {error}" if error else "")
        self.state, self.error = state, error

    def _fail(self, error: CameraError) -> None:
        self._tell(State.FAILED, str(error))
        self._refuse_waiting(error)

    def _refuse_waiting(self, error: CameraError) -> None:
        self.stills.failed(error)
        if self._live is not None and not self._live.done():
            self._live.set_exception(error)

    def _taken(self, codec: Codec, count: int) -> None:
        wanted = {codec} if count else set()
        self._demand.codecs = self._demand.codecs - {codec} | wanted

    def _low_taken(self, codec: Codec, count: int) -> None:
        wanted = {codec} if count else set()
        self._demand.low = self._demand.low - {codec} | wanted

    def _want_low_keyframe(self, codec: Codec) -> None:
        if self._capture is not None:
            self._capture.low.keyframes[codec].request()

    def _want_keyframe(self, codec: Codec) -> None:
        if self._capture is not None:
            self._capture.keyframes[codec].request()

    def _no_picture(self) -> CameraError:
        return CameraError(f"camera `{self._camera}`: no picture for {PICTURE_TIMEOUT_S:.0f} s")

    def _refuse_while_failed(self) -> None:
        """Don't let a client wait for a camera whose next try is seconds away."""
        if self._backing_off:
            raise CameraError(self.error or f"camera `{self._camera}` failed")


def _note_exception(future: asyncio.Future[None]) -> None:
    """Take note, so that asyncio does not warn where nobody waited any more."""
    if not future.cancelled():
        future.exception()
