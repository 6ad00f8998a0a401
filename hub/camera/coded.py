"""What a capture needs of pictures that come coded: their place in time, and raw pictures when asked for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hub.camera.media import RTP_CLOCK_HZ, Picture

if TYPE_CHECKING:
    import av
    from av.video.codeccontext import VideoCodecContext

    from hub.camera.media import Coded

log = logging.getLogger(__name__)

_DRIFT_LIMIT_S = 0.3
_GROUP_LIMIT = 600


class Timeline:
    """Puts pictures on the machine's monotonic clock, which goes on without a jump when a source is reopened.

    A stream's own times are kept where there are any: those of arrival jitter with the network.
    """

    def __init__(self) -> None:
        self._last = -1
        self._offset_s: float | None = None

    def ticks(self, now_s: float, stream_s: float | None = None, captured_s: float | None = None) -> int:
        """Give a picture's time in ticks of RTP_TIME_BASE; they grow. `captured_s` is believed."""
        at_s = now_s
        if captured_s is not None:
            at_s = captured_s
        elif stream_s is not None:
            if self._offset_s is None or abs(stream_s + self._offset_s - now_s) > _DRIFT_LIMIT_S:
                self._offset_s = now_s - stream_s
            at_s = stream_s + self._offset_s
        self._last = max(self._last + 1, int(at_s * RTP_CLOCK_HZ))
        return self._last


class GroupDecoder:
    """Raw pictures of a coded stream, decoded only when one is asked for: from the last keyframe on."""

    def __init__(self) -> None:
        self._pending: list[Coded] = []
        self._codec: VideoCodecContext | None = None
        self._follows = False
        """What is pending goes on where the decoder stands."""

    def came(self, coded: Coded) -> None:
        """Remember a coded picture."""
        if coded.keyframe and not self._follows:
            self._pending.clear()
        self._pending.append(coded)
        if len(self._pending) > _GROUP_LIMIT:
            del self._pending[0]

    def skipped(self) -> None:
        """Note that nobody asked for the last picture: the next request begins at a keyframe."""
        if self._follows and self._pending and self._pending[-1].keyframe:
            self._follows = False
            self._pending = self._pending[-1:]

    def picture(self) -> Picture | None:
        """Decode up to the last picture that came; None before the first keyframe.

        So too after what cannot be decoded: those who are sent the stream as it is go on, and so does this at
        the next keyframe.
        """
        import av  # noqa: PLC0415 - 20 MB that a stream which is only passed on need not pay

        if not self._follows and not (self._pending and self._pending[0].keyframe):
            return None
        if self._codec is None or not self._follows:
            self._codec = av.CodecContext.create("h264", "r")
            self._codec.thread_count = 1
            self._codec.flags |= av.codec.context.Flags.low_delay
        frame: av.VideoFrame | None = None
        pending, self._pending, self._follows = self._pending, [], True
        try:
            for coded in pending:
                for frame in self._codec.decode(av.Packet(coded.data)):  # noqa: B007 - the last one is wanted
                    pass
        except av.FFmpegError as error:
            log.warning("the camera's H.264 cannot be decoded: %s", error.strerror)
            self._follows = False
            return None
        return None if frame is None or not pending else Picture(frame, pending[-1].time_ms)
