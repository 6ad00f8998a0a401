"""One run of a source, on a thread of its own: read, code what is wanted, hand it to the loop."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from hub.camera.coded import GroupDecoder, Timeline
from hub.camera.errors import CameraError, SourceError
from hub.camera.keyframes import KeyframeBudget
from hub.camera.low_layer import LowLayer
from hub.camera.media import AccessUnit, Codec, Coded
from hub.camera.sources.playout import AHEAD_S
from hub.camera.viewing.rtp import h264_payloads

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from hub.camera.encoder import JpegEncoder, VideoEncoder
    from hub.camera.media import Picture, Still
    from hub.camera.sources.source import Reader, Source

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Demand:
    """What the loop wants of the capture. Written by the loop, read by the thread once a picture."""

    codecs: frozenset[Codec] = frozenset()
    """Streams that somebody takes."""
    low: frozenset[Codec] = frozenset()
    """Codecs of which somebody takes the low layer."""
    still: bool = False
    """One JPEG of the next picture."""
    still_interval_ms: int | None = None
    """JPEGs go on at this interval."""

    @property
    def raw(self) -> bool:
        """Whether raw pictures are wanted too of a source that codes by itself."""
        others = self.low or not self.codecs <= {Codec.H264}
        return bool(self.still or self.still_interval_ms is not None or others)


class Listener(Protocol):
    """Who hears of a capture; all calls come on the loop's thread."""

    def picture_came(self) -> None:
        """Hear that the source gave a picture of which nothing was wanted."""

    def unit_came(self, codec: Codec, unit: AccessUnit) -> None:
        """Take an access unit for all viewers."""

    def low_unit_came(self, codec: Codec, unit: AccessUnit) -> None:
        """Take an access unit of the low layer."""

    def units_ahead(self, units: list[tuple[float, AccessUnit]]) -> None:
        """Take access units of H.264 before they are due, each with its moment, in monotonic seconds."""

    def still_came(self, still: Still) -> None:
        """Take a JPEG, as the demand asked."""

    def encoders_changed(self, count: int) -> None:
        """Hear that so many video encoders run now: one for each codec that is taken."""

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
        self.keyframes = {codec: KeyframeBudget() for codec in Codec}
        self._source = source
        self._listener = listener
        self._demand = demand
        self._rates = fps, bitrate_kbps
        self._loop = loop
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{name}", daemon=True)
        self.low = LowLayer(fps=fps, bitrate_kbps=bitrate_kbps)
        self._encoders: dict[Codec, VideoEncoder] = {}
        self._jpeg: JpegEncoder | None = None
        self._timeline = Timeline()
        self._decoder = GroupDecoder()
        self._still_due_s = 0.0
        self._posted = False
        self._ahead: list[tuple[float, AccessUnit]] = []
        """Read ahead, and not handed over yet."""

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
            want_keyframe: Callable[[], None] | None = getattr(reader, "want_keyframe", None)
            while not self._stopping.is_set():
                item = reader.read()
                self._posted = False
                self._take(item)
                if isinstance(item, Coded) and want_keyframe is not None:
                    self._ask(want_keyframe, item)
                if not (
                    self._posted or self._ahead
                ):  # each call wakes the loop, which costs more than most of them do
                    self._post(self._listener.picture_came)
        except CameraError as problem:
            error = problem
        except Exception as problem:
            # whatever a driver does to us, viewers must see a state and the camera must try again
            log.exception("camera thread %s broke", self._thread.name)
            error = SourceError(f"the camera broke: {type(problem).__name__}: {problem}")
        finally:
            self.low.close()
            self._close_encoders(frozenset())
            if reader is not None:
                _close(reader)
            self._post(lambda: self._listener.capture_ended(error))

    def _ask(self, want_keyframe: Callable[[], None], item: Coded) -> None:
        """Pass viewers' wish for a keyframe on to a source that codes by itself and can be asked."""
        budget = self.keyframes[Codec.H264]
        if item.keyframe:
            budget.satisfied()
        elif budget.take(int(time.monotonic() * 1000)):
            want_keyframe()

    def _take(self, item: Picture | Coded) -> None:
        """Pass a coded picture on, and code what else is wanted."""
        if isinstance(item, Coded):
            self._take_coded(item)
            return
        now_s = time.monotonic()
        codecs, still = self._demand.codecs, self._still_wanted(now_s)
        pts = self._timeline.ticks(now_s, captured_s=item.captured_s)
        self._code(item, codecs, pts, now_s, still=still)

    def _take_coded(self, item: Coded) -> None:
        if item.due_s is None:
            now_s = time.monotonic()
        else:
            now_s = item.due_s
            self._wait(item.due_s)
        codecs, still = self._demand.codecs, self._still_wanted(now_s)
        pts = self._timeline.ticks(now_s, item.stream_s, item.captured_s)
        self._decoder.came(item)
        others = codecs - {Codec.H264}
        raw_wanted = bool(others or still or self._demand.low)
        if not raw_wanted:
            self._decoder.skipped()
            self._close_encoders(others)
        # as late as it can be: the loop wakes, and would wait for this thread to let the interpreter go
        ahead = None if item.due_s is None else tuple(h264_payloads(item.data))
        unit = AccessUnit(item.data, pts, keyframe=item.keyframe, time_ms=item.time_ms, payloads=ahead)
        if item.due_s is not None:
            self._ahead.append((item.due_s, unit))
            if raw_wanted or item.due_s <= time.monotonic():
                self._hand_over()
        elif Codec.H264 in codecs:
            self._post(lambda: self._listener.unit_came(Codec.H264, unit))
        if not raw_wanted:
            return
        picture = self._decoder.picture()
        if picture is not None:
            self._code(picture, others, pts, now_s, still=still)
        elif still:
            self._demand.still = True

    def _wait(self, due_s: float) -> None:
        """Wait for a picture that was read ahead, if it is too far ahead, or is to be decoded."""
        while not self._stopping.is_set():
            wait_s = due_s - time.monotonic()
            if not self._demand.raw:
                wait_s = 0.0 if wait_s < AHEAD_S else wait_s - AHEAD_S / 2
            if wait_s <= 0:
                return
            self._hand_over()
            time.sleep(min(wait_s, AHEAD_S))

    def _hand_over(self) -> None:
        if self._ahead:
            ahead, self._ahead = self._ahead, []
            self._post(lambda: self._listener.units_ahead(ahead))

    def _code(
        self, picture: Picture, codecs: frozenset[Codec], pts: int, now_s: float, *, still: bool
    ) -> None:
        self._close_encoders(codecs)
        for codec in codecs:
            self._code_video(codec, picture, pts, now_s)
        count = len(self.low)
        for codec, unit in self.low.code(picture, self._demand.low, pts, now_s):
            self._post(partial(self._listener.low_unit_came, codec, unit))
        if len(self.low) != count:
            self._tell_encoders()
        if still:
            if self._jpeg is None:
                from hub.camera.encoder import JpegEncoder  # noqa: PLC0415 - PyAV only when something is coded

                self._jpeg = JpegEncoder()
            jpeg = self._jpeg.encode(picture)
            self._post(lambda: self._listener.still_came(jpeg))

    def _code_video(self, codec: Codec, picture: Picture, pts: int, now_s: float) -> None:
        encoder = self._encoders.get(codec)
        if encoder is None:
            from hub.camera.encoder import open_encoder  # noqa: PLC0415 - PyAV only when something is coded

            fps, bitrate_kbps = self._rates
            encoder = self._encoders[codec] = open_encoder(codec, fps=fps, bitrate_kbps=bitrate_kbps)
            self._tell_encoders()
        budget = self.keyframes[codec]
        force = budget.take(int(now_s * 1000))
        for unit in encoder.encode(picture, pts, force_keyframe=force):
            if unit.keyframe:
                budget.satisfied()
            self._post(lambda unit=unit: self._listener.unit_came(codec, unit))  # type: ignore[misc]  # mypy 2 cannot infer a lambda's default

    def _still_wanted(self, now_s: float) -> bool:
        interval_ms = self._demand.still_interval_ms
        due = interval_ms is not None and now_s >= self._still_due_s
        if not (due or self._demand.still):
            return False
        self._demand.still = False
        # from when it was due: pictures come in a step of their own, which would stretch each interval
        self._still_due_s = max(self._still_due_s + (interval_ms or 0) / 1000, now_s)
        return True

    def _close_encoders(self, wanted: frozenset[Codec]) -> None:
        unwanted = self._encoders.keys() - wanted
        for codec in unwanted:
            del self._encoders[codec]
        idle = len(self.low) and not self._demand.low
        if idle:
            self.low.close()
        if unwanted or idle:
            self._tell_encoders()

    def _tell_encoders(self) -> None:
        count = len(self._encoders) + len(self.low)
        self._post(lambda: self._listener.encoders_changed(count))

    def _post(self, call: Callable[[], None]) -> None:
        self._posted = True
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(call)


def _close(reader: Reader) -> None:
    try:
        reader.close()
    except Exception:
        log.exception("a camera did not close")
