"""The Raspberry Pi's own camera by picamera2. Not run on hardware yet: written after its manual.

Raw YUV 4:2:0 pictures go to the one encoder of the camera; the hardware encoder of a Pi 4 is not used yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av

from hub.camera import planes
from hub.camera.errors import SourceError
from hub.camera.media import Picture

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from hub.config import CameraConfig


class Picamera2Reader:
    """An open Pi camera. Raises SourceError where picamera2 or a camera is missing."""

    def __init__(self, config: CameraConfig, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._width, self._height = config.width, config.height
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - exists on Raspberry Pi OS only
        except ImportError as error:
            raise SourceError(
                f"camera `{config.id}`: picamera2 is not installed ({error}). On Raspberry Pi OS: "
                "`sudo apt install python3-picamera2`, and a virtual environment made with "
                "`--system-site-packages`"
            ) from error
        try:
            self._camera: Any = Picamera2()
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (config.width, config.height), "format": "YUV420"},
                    controls={"FrameRate": config.fps},
                )
            )
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise SourceError(
                f"camera `{config.id}`: the Pi's camera does not start: {error}. Is it connected, and does "
                "`rpicam-hello --list-cameras` show it?"
            ) from error

    def read(self) -> Picture:
        """Wait for the next picture."""
        try:
            array = self._camera.capture_array("main")
        except (RuntimeError, OSError) as error:
            raise SourceError(f"the Pi's camera gives no picture: {error}") from error
        return Picture(_frame(array, self._width, self._height), self._now_ms())

    def close(self) -> None:
        """Stop the camera and free it for others."""
        self._camera.stop()
        self._camera.close()


def _frame(array: np.ndarray[Any, np.dtype[np.uint8]], width: int, height: int) -> av.VideoFrame:
    """Copy picamera2's YUV420 array (rows padded to its stride, chroma packed below luma) into a frame."""
    frame = av.VideoFrame(width, height, "yuv420p")
    stride = array.shape[1]
    rows = array.shape[0] * 2 // 3
    flat = array.reshape(-1)
    quarter = rows * stride // 4
    starts = (0, rows * stride, rows * stride + quarter)
    pitches = (stride, stride // 2, stride // 2)
    for target, start, pitch in zip(planes.views(frame), starts, pitches, strict=True):
        height, width = target.shape
        target[:] = flat[start : start + height * pitch].reshape(height, pitch)[:, :width]
    return frame
