"""Reads the Pi camera's source in a process of its own, where picamera2 is real and libcamera is a fake.

Beside libcamera one thing of the kernel is missing here, its DMA heaps: shared memory stands for them. The
module for screens (pykms) is a fake too. Writes what it read as JSON.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import av
import msgspec
from picamera2.allocators import dmaallocator
from picamera2.encoders import LibavH264Encoder

from hub.camera.coded import GroupDecoder
from hub.camera.errors import SourceError
from hub.camera.media import Coded
from hub.camera.sources import picamera2_source, planes, stamp
from hub.config import CameraConfig

CONFIG = CameraConfig(id="front", source="picamera2", width=328, height=240, fps=30)
COUNT = 30


class Heap:
    """A fake of the kernel's DMA heap."""

    def alloc(self, name: str, size: int) -> Any:
        """Give memory by a file handle."""
        handle = os.memfd_create(name)
        os.ftruncate(handle, size)
        return SimpleNamespace(get=lambda: handle, isValid=lambda: True)

    def close(self) -> None:
        """Nothing is held."""


def main(kind: str) -> dict[str, Any]:
    """Read pictures, coded or raw, twice: the camera can be opened again after it was closed."""
    dmaallocator.DmaHeap = Heap
    dmaallocator.fcntl = SimpleNamespace(ioctl=lambda *_: 0)  # no caches to keep in step
    found: dict[str, Any] = {
        "stamps": [],
        "lags_ms": [],
        "times_off_ms": [],
        "keyframes": [],
        "profile": None,
        "refused": refusals(),
    }
    for _ in range(2):
        reader: Any = (
            picamera2_source.CodedPicamera2Reader(CONFIG, now_ms, LibavH264Encoder)
            if kind == "coded"
            else picamera2_source.open_picamera2(CONFIG, now_ms)
        )
        decoder = GroupDecoder()
        try:
            for _ in range(COUNT):
                take(reader.read(), decoder, found)
        finally:
            reader.close()
    return found


def refusals() -> list[str]:
    """Open a camera that is not there, and one whose encoder does not start; give what is said."""
    said = []
    tries: tuple[tuple[str, type[Any]], ...] = (("picamera2:1", LibavH264Encoder), ("picamera2", Broken))
    for source, encoder in tries:
        config = msgspec.structs.replace(CONFIG, source=source)
        try:
            picamera2_source.CodedPicamera2Reader(config, now_ms, encoder)
        except SourceError as error:
            said.append(str(error))
    return said


class Broken(LibavH264Encoder):  # type: ignore[misc]  # picamera2 has no types
    """An encoder whose device is taken."""

    def start(self, quality: object = None) -> None:
        """Fail as a device does."""
        raise OSError("Device or resource busy")


def take(item: Any, decoder: GroupDecoder, found: dict[str, Any]) -> None:
    """Note what a picture shows, and when it says that it was captured."""
    read_s = time.monotonic()
    picture = item
    if isinstance(item, Coded):
        found["keyframes"].append(item.keyframe)
        if item.keyframe:
            with av.open(io.BytesIO(item.data), format="h264") as container:
                found["profile"] = container.streams.video[0].codec_context.profile
        decoder.came(item)
        picture = decoder.picture()
    burned_in = stamp.read(planes.views(picture.frame)[0])
    found["stamps"].append(burned_in)
    found["lags_ms"].append((read_s - item.captured_s) * 1000)
    found["times_off_ms"].append(item.time_ms - (burned_in or 0))


def now_ms() -> int:
    """Tell UTC in milliseconds."""
    return time.time_ns() // 1_000_000


sys.stdout.write(json.dumps(main(sys.argv[1])))
