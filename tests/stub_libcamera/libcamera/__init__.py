"""A fake of libcamera's Python bindings, as much as picamera2 0.3 asks of them: no sensor, no kernel.

One camera whose pictures are the test pattern, with its clock burned in, written into shared memory in the
layout that a Pi's are (rows padded to 64 bytes, chroma planes below). Everything above is real.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from types import SimpleNamespace
from typing import Any

from hub.camera.sources import planes
from hub.camera.sources.test_pattern import Canvas
from libcamera.values import (
    ColorSpace,
    ControlId,
    ControlInfo,
    ControlType,
    Orientation,
    PixelFormat,
    Rectangle,
    SensorConfiguration,
    Size,
    Transform,
)

__all__ = [
    "ColorSpace",
    "ControlType",
    "Orientation",
    "PixelFormat",
    "Rectangle",
    "SensorConfiguration",
    "Size",
    "Transform",
]

_libcamera = SimpleNamespace(ColorSpace=ColorSpace, Transform=Transform)
StreamRole = SimpleNamespace(StillCapture=0, Raw=1, VideoRecording=2, Viewfinder=3)
FrameMetadata = SimpleNamespace(Status=SimpleNamespace(Success=0))
_FRAME_DURATION = ControlId("FrameDurationLimits")
controls = SimpleNamespace(
    SensorTimestamp=ControlId("SensorTimestamp"),
    FrameDurationLimits=_FRAME_DURATION,
    ExposureTime=ControlId("ExposureTime"),
    ExposureTimeMode=ControlId("ExposureTimeMode"),
    AnalogueGain=ControlId("AnalogueGain"),
    AnalogueGainMode=ControlId("AnalogueGainMode"),
    draft=SimpleNamespace(NoiseReductionModeEnum=SimpleNamespace(Fast=1, Minimal=3, HighQuality=2)),
)
properties = SimpleNamespace(draft=SimpleNamespace(ColorFilterArrangementEnum=SimpleNamespace(MONO=4)))


class Stream:
    """Identified by itself."""


class StreamConfiguration:
    """One stream's form; `validate` of the whole fills in what the camera makes of it."""

    def __init__(self, role: int) -> None:
        self.stream = Stream()
        self.role = role
        self.size = Size(1536, 864)
        self.pixel_format = PixelFormat("SBGGR10_CSI2P")
        self.buffer_count = 4
        self.stride = 0
        self.frame_size = 0
        self.color_space: Any = None
        self.formats = SimpleNamespace(
            pixel_formats=[self.pixel_format], sizes=lambda _: [Size(1536, 864), Size(2304, 1296)]
        )

    def settle(self) -> None:
        """Pad rows as the Pi's ISP does."""
        self.stride = (self.size.width + 63) // 64 * 64
        self.frame_size = self.stride * self.size.height * 3 // 2


class CameraConfiguration:
    """All streams of a camera."""

    Status = SimpleNamespace(Valid=0, Adjusted=1, Invalid=2)

    def __init__(self, roles: list[int]) -> None:
        self._streams = [StreamConfiguration(role) for role in roles]
        self.orientation: Any = Orientation.Rotate0
        self.sensor_config: Any = None

    def __iter__(self) -> Any:
        return iter(self._streams)

    def at(self, index: int) -> StreamConfiguration:
        return self._streams[index]

    def validate(self) -> int:
        for stream in self._streams:
            stream.settle()
        return 0  # Status.Valid


class FrameBuffer:
    """Memory for one picture, which picamera2 allocates."""

    class Plane:
        """A part of it."""

        fd = -1
        offset = 0
        length = 0

    def __init__(self, frame_planes: list[Plane]) -> None:
        self.planes = frame_planes
        self.metadata = SimpleNamespace(status=FrameMetadata.Status.Success)


class Request:
    """One picture to be taken into its buffers."""

    Status = SimpleNamespace(Pending=0, Complete=1, Cancelled=2)

    def __init__(self, cookie: int) -> None:
        self.cookie = cookie
        self.status = self.Status.Pending
        self.buffers: dict[Stream, Any] = {}
        self.metadata: dict[ControlId, Any] = {}

    def add_buffer(self, stream: Stream, buffer: Any) -> None:
        self.buffers[stream] = buffer

    def reuse(self) -> None:
        self.status = self.Status.Pending

    def set_control(self, control: ControlId, value: Any) -> None:
        pass


class Camera:
    """The one camera: a thread that draws into requests, at the rate that its controls say."""

    id = "/base/stub/imx708@1a"

    def __init__(self, manager: CameraManager) -> None:
        self._manager = manager
        self.acquired = False
        self.properties = {ControlId("Model"): "stub", ControlId("ColorFilterArrangement"): 0}
        self.controls = {_FRAME_DURATION: ControlInfo(8333, 120_000_000, (33_333, 33_333))}
        self.configuration: Any = None
        self._queued: queue.Queue[Request | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        if self.acquired:
            raise RuntimeError("Device or resource busy")
        self.acquired = True

    def release(self) -> None:
        self.acquired = False

    def generate_configuration(self, roles: list[int]) -> CameraConfiguration:
        return CameraConfiguration(roles)

    def configure(self, configuration: CameraConfiguration) -> int:
        self.configuration = configuration
        return 0

    def create_request(self, cookie: int) -> Request:
        return Request(cookie)

    def queue_request(self, request: Request) -> None:
        self._queued.put(request)

    def start(self, wanted: dict[ControlId, Any]) -> None:
        duration_us = next(
            (value[0] for control, value in wanted.items() if control is _FRAME_DURATION), 33_333
        )
        self._queued = queue.Queue()
        self._thread = threading.Thread(target=self._run, args=(self._queued, duration_us / 1e6), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._queued.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self, queued: queue.Queue[Request | None], duration_s: float) -> None:
        form = self.configuration.at(0)
        canvas = Canvas(form.size.width, form.size.height)
        count = 0
        while (request := queued.get()) is not None:
            time.sleep(duration_s)
            stamp_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            canvas.draw(count, 30, time.time_ns() // 1_000_000)
            _write(canvas, form, request.buffers[form.stream].planes[0].fd)
            request.metadata = {controls.SensorTimestamp: stamp_ns}
            request.status = Request.Status.Complete
            count += 1
            self._manager.done(request)


def _write(canvas: Canvas, form: StreamConfiguration, handle: int) -> None:
    start = 0
    for plane, part in zip(planes.views(canvas.frame), (1, 2, 2), strict=True):
        pitch = form.stride // part
        for row in range(plane.shape[0]):
            os.pwrite(handle, plane[row].tobytes(), start + row * pitch)
        start += pitch * plane.shape[0]


class CameraManager:
    """libcamera's, with its one camera."""

    _one: CameraManager | None = None

    def __init__(self) -> None:
        self._ready: list[Request] = []
        self._lock = threading.Lock()
        self.event_fd, self._bell = os.pipe()
        self.cameras = [Camera(self)]

    @classmethod
    def singleton(cls) -> CameraManager:
        if cls._one is None:
            cls._one = cls()
        return cls._one

    def get(self, camera: str) -> Camera:
        return next(found for found in self.cameras if found.id == camera)

    def done(self, request: Request) -> None:
        with self._lock:
            self._ready.append(request)
        os.write(self._bell, b"\0")

    def get_ready_requests(self) -> list[Request]:
        with self._lock:
            ready, self._ready = self._ready, []
        if ready:
            os.read(self.event_fd, len(ready))
        return ready
