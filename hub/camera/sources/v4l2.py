"""What the kernel's video devices are: their names, and the forms they give pictures in (V4L2).

Only asks; pictures are taken through FFmpeg (hub.camera.sources.demuxed_source).
"""

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Ioctl = Callable[[int, int, bytes], bytes]

# linux/videodev2.h
_QUERYCAP = 0x80685600
_ENUM_FMT = 0xC0405602
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_FORMAT = struct.Struct("=III32s4sI12x")
_VIDEO_CAPTURE, _STREAMING, _DEVICE_CAPS = 0x1, 0x0400_0000, 0x8000_0000
_CAPTURE_BUFFERS = 1
_FORMATS_LIMIT = 64

_WORDS = {"H264": "H.264", "MJPG": "MJPEG", "JPEG": "MJPEG"}
_USB = "usb-"
_OF_THE_PI = ("unicam", "bcm2835-isp", "rp1-cfe", "pispbe")
"""Drivers of a Pi's own camera connectors: raw sensor data, which is picamera2's to take."""
_GREY = ("GREY", "Y8", "Y10", "Y12", "Y16")
"""What infrared cameras give, as beside a laptop's own."""


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """A device that gives pictures."""

    path: str
    name: str
    bus: str
    """Where it is plugged in; all nodes of one USB device have the same."""
    formats: tuple[str, ...]
    """Four-letter codes, as the driver orders them."""

    @property
    def of_the_pi(self) -> bool:
        """Whether it belongs to the Pi's own camera connectors: nothing to be taken by V4L2."""
        return self.name.startswith(_OF_THE_PI)

    @property
    def best(self) -> str:
        """What it gives for the hub to take: `H.264` (passed on), `MJPEG` or `raw` (both coded anew)."""
        return next((word for code, word in _WORDS.items() if code in self.formats), "raw")

    def own_h264(self, others: Iterable[VideoDevice]) -> VideoDevice | None:
        """Return the node with the same camera's H.264: this, or another of its USB device; None without.

        Many USB cameras have their H.264 on a second node. A grey picture's node has a lens of its own.
        """
        if "H264" in self.formats:
            return self
        if not self.bus.startswith(_USB) or all(code in _GREY for code in self.formats):
            return None
        return next((it for it in others if it.bus == self.bus and "H264" in it.formats), None)


class NoRight(Exception):
    """The device may not be opened by this user."""


def capture_devices(dev: Path = Path("/dev"), ioctl: Ioctl = fcntl.ioctl) -> list[VideoDevice]:
    """Return the cameras among the video devices. Raises NoRight."""
    paths = sorted(dev.glob("video*"), key=lambda path: (len(path.name), path.name))
    found = (describe(path, ioctl) for path in paths)
    return [device for device in found if device is not None]


def h264_node(device: str, dev: Path = Path("/dev"), ioctl: Ioctl = fcntl.ioctl) -> str | None:
    """Return which node to take a camera's own H.264 from; None where it has none.

    Where nothing can be learnt it is the device itself: who opens it will hear why.
    """
    try:
        named = describe(Path(device), ioctl)
        if named is None:
            return device
        node = named.own_h264([]) or named.own_h264(capture_devices(dev, ioctl))
    except NoRight:
        return device
    return None if node is None else device if node is named else node.path


def taken(device: VideoDevice, others: Iterable[VideoDevice]) -> str:
    """Say in words what the hub takes of a device when the configuration names it."""
    node = device.own_h264(others)
    return f"H.264 of {node.path}" if node is not None and node is not device else device.best


def describe(path: Path, ioctl: Ioctl = fcntl.ioctl) -> VideoDevice | None:
    """Ask a device; None where it is none that gives pictures (an encoder, a camera's metadata).

    Raises NoRight.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        raise NoRight(str(path)) from error
    except OSError:
        return None
    try:
        answer = ioctl(handle, _QUERYCAP, bytes(_CAPABILITY.size))
        _, card, bus, _, whole, own = _CAPABILITY.unpack(answer)
        can = own if whole & _DEVICE_CAPS else whole
        if not (can & _VIDEO_CAPTURE and can & _STREAMING):
            return None
        return VideoDevice(str(path), _text(card), _text(bus), _formats(handle, ioctl))
    except (OSError, struct.error):
        return None
    finally:
        os.close(handle)


def _formats(handle: int, ioctl: Ioctl) -> tuple[str, ...]:
    found: list[str] = []
    for index in range(_FORMATS_LIMIT):
        try:
            answer = ioctl(handle, _ENUM_FMT, _FORMAT.pack(index, _CAPTURE_BUFFERS, 0, b"", b"", 0))
        except OSError:
            break  # EINVAL: there are no more
        found.append(_text(_FORMAT.unpack(answer)[4]))
    return tuple(found)


def _text(padded: bytes) -> str:
    text = padded.split(b"\0", 1)[0].decode("ascii", "replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in text)
