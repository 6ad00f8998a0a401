"""Sources that FFmpeg opens: USB cameras (V4L2), files, RTSP and HTTP cameras."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import av

from hub.camera.errors import SourceError
from hub.camera.media import Picture
from hub.camera.sources import v4l2
from hub.camera.sources.address import reason, redacted
from hub.camera.sources.remuxed_source import RemuxedReader, can_be_passed_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.container import InputContainer

    from hub.config import CameraConfig

_SPOILT_LIMIT = 30
"""So many pictures in a row that cannot be decoded are a fault of the camera's."""
_NETWORK_TIMEOUT_S = (5.0, 5.0)
"""To open, and between two packets."""
_NETWORK_OPTIONS = {"fpsprobesize": "0"}
"""FFmpeg would read twenty pictures to learn a rate that nobody asks for: 0.7 s of a camera at 30 fps."""
_RTSP_OPTIONS = {"rtsp_flags": "prefer_tcp", "fflags": "nobuffer"}
"""UDP where the camera refuses TCP."""


def open_demuxed(config: CameraConfig, now_ms: Callable[[], int]) -> DemuxedReader | RemuxedReader:
    """Open what `config.source` names; H.264 is passed on as it is. Raises SourceError."""
    kind, _, rest = config.source.partition(":")
    if kind == "v4l2":
        container = _open_v4l2(config, rest)
    elif kind == "file":
        if not Path(rest).is_file():
            raise SourceError(f"camera `{config.id}`: there is no file {rest}")
        container = _open(config, rest, {})
    else:
        options = _NETWORK_OPTIONS | (_RTSP_OPTIONS if kind.startswith("rtsp") else {})
        container = _open(config, config.source, options, timeout=_NETWORK_TIMEOUT_S)
    paced = kind == "file"
    if container.streams.video and can_be_passed_on(container.streams.video[0]):
        return RemuxedReader(redacted(config.source), container, now_ms, paced=paced)
    return DemuxedReader(config, container, now_ms, paced=paced)


class DemuxedReader:
    """An open container with a video stream; `paced` plays it at its own speed, again and again."""

    def __init__(
        self, config: CameraConfig, container: InputContainer, now_ms: Callable[[], int], *, paced: bool
    ) -> None:
        self._name = redacted(config.source)
        self._limits = config.width, config.height
        self._container = container
        self._now_ms = now_ms
        self._paced = paced
        if not container.streams.video:
            container.close()
            raise SourceError(f"camera `{config.id}`: {self._name} has no video")
        self._stream = container.streams.video[0]
        self._stream.thread_type = "NONE"  # frame threads would hold pictures back
        self._frames = self._decoded()
        self._started_s: float | None = None
        self._first_s = 0.0

    def read(self) -> Picture:
        """Wait for the next picture, at most as large as configured. Raises SourceError."""
        try:
            frame = self._next()
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self._name}: {reason(error)}") from error
        if self._paced:
            self._pace(frame.time)
        return Picture(self._fitted(frame), self._now_ms())

    def close(self) -> None:
        """Close the container."""
        with suppress(av.FFmpegError, OSError):
            self._container.close()

    def _next(self) -> av.VideoFrame:
        frame = next(self._frames, None)
        if frame is None and self._paced:
            self._container.seek(0)
            self._started_s = None
            self._frames = self._decoded()
            frame = next(self._frames, None)
        if frame is None:
            raise SourceError(f"{self._name}: ended")
        return frame

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Give what can be decoded: a cable's noise spoils one JPEG, and the next is whole."""
        spoilt = 0
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                spoilt += 1
                if spoilt > _SPOILT_LIMIT:
                    raise
                continue
            spoilt = 0
            yield from frames

    def _pace(self, frame_s: float | None) -> None:
        now_s = time.monotonic()
        if self._started_s is None:
            self._started_s, self._first_s = now_s, frame_s or 0.0
        wait_s = self._started_s + (frame_s or 0.0) - self._first_s - now_s
        time.sleep(min(max(wait_s, 0.0), 1.0))

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Scale down to the configured size, keeping the shape; sides come out even."""
        ratio = min(1.0, self._limits[0] / frame.width, self._limits[1] / frame.height)
        width, height = (max(2, int(side * ratio) // 2 * 2) for side in (frame.width, frame.height))
        if (width, height) == (frame.width, frame.height):
            return frame
        return frame.reformat(width=width, height=height)


def _open_v4l2(config: CameraConfig, device: str) -> InputContainer:
    """Ask for the camera's own H.264, else MJPEG: raw 720p30 does not fit through USB 2."""
    size = {"video_size": f"{config.width}x{config.height}", "framerate": str(config.fps)}
    ways = [(device, {"input_format": "mjpeg", **size}), (device, size), (device, {})]
    node = v4l2.h264_node(device)
    if node is not None:
        ways.insert(0, (node, {"input_format": "h264", **size}))
    last: SourceError | None = None
    for path, options in ways:
        try:
            return _open(config, path, options, format_name="v4l2")
        except SourceError as error:
            last = error
            if path == device and isinstance(error.__cause__, FileNotFoundError | PermissionError):
                break
    raise last or SourceError(device)


def _open(
    config: CameraConfig,
    address: str,
    options: dict[str, str],
    *,
    format_name: str | None = None,
    timeout: tuple[float, float] | None = None,
) -> InputContainer:
    try:
        container = av.open(address, "r", format=format_name, options=options, timeout=timeout)
    except PermissionError as error:
        raise SourceError(
            f"camera `{config.id}`: no right to open {redacted(address)}; cameras belong to the group `video`"
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"camera `{config.id}`: cannot open {redacted(config.source)}: {reason(error)}"
        ) from error
    return container
