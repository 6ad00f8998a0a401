"""The Raspberry Pi's own camera by picamera2: H.264 of the Pi's encoder where it has one, else raw pictures.

A Pi 4, a Zero 2 W and older have a hardware encoder; its H.264 is passed on. A Pi 5 has none: raw pictures go
to the hub's libx264 on one thread, which makes keyframes on demand.
"""

from __future__ import annotations

import queue
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from hub.camera.errors import SourceError
from hub.camera.media import Coded, Picture
from hub.camera.sources import planes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from hub.config import CameraConfig

_PICTURE_TIMEOUT_S = 10.0
_QUEUE_LIMIT = 120
_KEYFRAME_INTERVAL_S = 4
_HARDWARE = "bcm2835-codec-encode"
"""What the kernel calls the encoder of a Pi with a VideoCore IV or VI."""
_PROFILE = "constrained baseline"


def open_picamera2(
    config: CameraConfig, now_ms: Callable[[], int], *, sysfs: Path = Path("/sys")
) -> Picamera2Reader | CodedPicamera2Reader:
    """Open the Pi's camera with the better of its encoders. Raises SourceError."""
    if has_hardware_encoder(sysfs):
        from picamera2.encoders import H264Encoder  # noqa: PLC0415 - exists on Raspberry Pi OS only

        return CodedPicamera2Reader(config, now_ms, H264Encoder)
    return Picamera2Reader(config, now_ms)


def has_hardware_encoder(sysfs: Path) -> bool:
    """Say whether the kernel shows the H.264 encoder of a Pi 4 or older."""
    names = sorted(sysfs.glob("class/video4linux/*/name"))
    return any(name.read_text(errors="replace").strip() == _HARDWARE for name in names)


def connected() -> list[str]:
    """Give the models of the Pi's cameras, in the order of their numbers. Opens none. Raises SourceError."""
    try:
        from picamera2 import Picamera2  # noqa: PLC0415 - exists on Raspberry Pi OS only

        return [str(camera.get("Model", "unknown")) for camera in Picamera2.global_camera_info()]
    except Exception as error:
        # a library of another version than it was built for says so in any way
        raise SourceError(f"{type(error).__name__}: {error}") from error


class Picamera2Reader:
    """An open Pi camera that gives raw pictures. Raises SourceError where picamera2 or a camera misses."""

    def __init__(self, config: CameraConfig, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._width, self._height = config.width, config.height
        self._camera = _opened(config)
        with _freed_on_failure(self._camera):
            _start(config, self._camera.start)

    def read(self) -> Picture:
        """Wait for the next picture."""
        try:
            request = self._camera.capture_request(wait=_PICTURE_TIMEOUT_S)
            try:
                array = request.make_array("main")
                captured_s = _monotonic_s(request.get_metadata().get("SensorTimestamp", 0) / 1e9)
            finally:
                request.release()
        except TimeoutError:
            raise SourceError(_silent()) from None
        except (RuntimeError, OSError) as error:
            raise SourceError(f"the Pi's camera gives no picture: {error}") from error
        return Picture(
            _frame(array, self._width, self._height), _utc_ms(self._now_ms(), captured_s), captured_s
        )

    def close(self) -> None:
        """Stop the camera and free it for others."""
        self._camera.stop()
        self._camera.close()


class CodedPicamera2Reader:
    """An open Pi camera that codes H.264 by one of picamera2's encoders. Raises SourceError as above."""

    def __init__(self, config: CameraConfig, now_ms: Callable[[], int], encoder_type: type[Any]) -> None:
        self._now_ms = now_ms
        self._coded: queue.Queue[tuple[bytes, bool, int]] = queue.Queue(_QUEUE_LIMIT)
        self._lost = False
        self._camera = _opened(config)
        with _freed_on_failure(self._camera):
            self._encoder = encoder_type(
                bitrate=config.bitrate_kbps * 1000,
                repeat=True,
                iperiod=config.fps * _KEYFRAME_INTERVAL_S,
                framerate=config.fps,
                profile=_PROFILE,
            )
            # libx264's default threads hold two to five pictures back
            self._encoder.threads = 1
            output = _output_type()(self._came)
            _start(config, lambda: self._camera.start_recording(self._encoder, output))

    def read(self) -> Coded:
        """Wait for the next coded picture."""
        try:
            data, keyframe, timestamp_us = self._coded.get(timeout=_PICTURE_TIMEOUT_S)
        except queue.Empty:
            raise SourceError(_silent()) from None
        stream_s = timestamp_us / 1e6
        captured_s = _monotonic_s((self._encoder.firsttimestamp or 0) / 1e6 + stream_s)
        return Coded(
            data,
            keyframe=keyframe,
            time_ms=_utc_ms(self._now_ms(), captured_s),
            stream_s=stream_s,
            captured_s=captured_s,
        )

    def want_keyframe(self) -> None:
        """Ask the encoder for a keyframe soon."""
        self._encoder.force_key_frame()

    def close(self) -> None:
        """Stop camera and encoder, and free them for others."""
        self._camera.stop_recording()
        self._camera.close()

    def _came(self, data: bytes, keyframe: bool, timestamp_us: int) -> None:
        """Take a picture on the encoder's thread; where nobody reads, drop up to the next keyframe."""
        if self._lost and not keyframe:
            return
        try:
            self._coded.put_nowait((data, keyframe, timestamp_us))
            self._lost = False
        except queue.Full:
            self._lost = True


def _silent() -> str:
    return f"the Pi's camera gives no picture for {_PICTURE_TIMEOUT_S:.0f} s"


def _opened(config: CameraConfig) -> Any:
    try:
        from picamera2 import Picamera2  # noqa: PLC0415 - exists on Raspberry Pi OS only
    except ImportError as error:
        raise SourceError(
            f"camera `{config.id}`: picamera2 is not installed ({error}). On Raspberry Pi OS: "
            "`sudo apt install python3-picamera2`, and a virtual environment made with "
            "`--system-site-packages`"
        ) from error
    camera = _start(config, lambda: Picamera2(_number(config.source)))
    with _freed_on_failure(camera):
        form = camera.create_video_configuration(
            main={"size": (config.width, config.height), "format": "YUV420"},
            controls={"FrameRate": config.fps},
        )
        _start(config, lambda: camera.configure(form))
    return camera


def _number(source: str) -> int:
    """Give which of the Pi's cameras is meant, as `rpicam-hello --list-cameras` counts them."""
    return int(source.partition(":")[2] or 0)


@contextmanager
def _freed_on_failure(camera: Any) -> Iterator[None]:
    """Let go of a camera that does not start: picamera2 holds it until it is closed, also against a retry."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            camera.close()
        raise


def _start(config: CameraConfig, start: Callable[[], Any]) -> Any:
    try:
        return start()
    except (RuntimeError, IndexError, OSError) as error:
        raise SourceError(
            f"camera `{config.id}`: the Pi's camera does not start: {error}. Is it connected, and does "
            "`rpicam-hello --list-cameras` show it?"
        ) from error


def _output_type() -> type[Any]:
    from picamera2.outputs import Output  # noqa: PLC0415 - exists on Raspberry Pi OS only

    class Handover(Output):  # type: ignore[misc]  # picamera2 has no types
        """Hands each coded picture on, on the encoder's thread."""

        def __init__(self, came: Callable[[bytes, bool, int], None]) -> None:
            super().__init__()
            self._came = came

        def outputframe(
            self,
            frame: bytes,
            keyframe: bool = True,
            timestamp: int | None = None,
            packet: object = None,
            audio: bool = False,
        ) -> None:
            """Take a picture of the encoder; `timestamp` in microseconds from the first."""
            if not audio:
                self._came(bytes(frame), keyframe, timestamp or 0)

    return Handover


def _monotonic_s(sensor_s: float) -> float | None:
    """Put a sensor's timestamp, by the clock that goes on in sleep, on the monotonic one; None without."""
    if not sensor_s:
        return None
    return sensor_s - (time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic())


def _utc_ms(now_ms: int, captured_s: float | None) -> int:
    return now_ms if captured_s is None else now_ms - int((time.monotonic() - captured_s) * 1000)


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
