"""What `outpost doctor` finds of cameras: the devices here, and what keeps a configured one from opening."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hub.cli.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.camera.sources.v4l2 import VideoDevice
    from hub.config import CameraConfig, Config

_ANSWER_TIMEOUT_S = 3.0
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_NO_PICAMERA2 = (
    "on Raspberry Pi OS: sudo apt install python3-picamera2, "
    "in an environment made with --system-site-packages"
)


def look(config: Config) -> Iterator[Finding]:
    """Yield one finding of all, and one of each configured camera that cannot be opened."""
    yield _all(config)
    for camera in config.camera:
        finding = _trouble(camera)
        if finding is not None:
            yield finding


def _all(config: Config) -> Finding:
    from hub.camera.sources import v4l2  # noqa: PLC0415 - only here
    from hub.camera.sources.address import redacted  # noqa: PLC0415 - only here

    configured = ", ".join(f"{camera.id} ({redacted(camera.source)})" for camera in config.camera)
    try:
        found = v4l2.capture_devices()
    except v4l2.NoRight as error:
        return Finding("cameras", f"no right to {error}", "sudo usermod -aG video $USER, then log in again")
    devices = [*_of_the_pi(found)]
    devices += [f"v4l2:{it.path} ({it.name}, {v4l2.taken(it, found)})" for it in found if not it.of_the_pi]
    return Finding(
        "cameras", f"{configured or 'none configured'}; devices here: {', '.join(devices) or 'none'}"
    )


def _of_the_pi(found: list[VideoDevice]) -> Iterator[str]:
    """Name the cameras at the Pi's own connectors, in picamera2's words where it is installed."""
    if importlib.util.find_spec("picamera2") is None:
        ports = sorted({device.name for device in found if device.of_the_pi})
        if ports:
            yield f"the Pi's camera connector ({', '.join(ports)}; picamera2 is not installed)"
        return
    from hub.camera.errors import SourceError  # noqa: PLC0415 - only here
    from hub.camera.sources.picamera2_source import connected  # noqa: PLC0415 - only here

    try:
        models = connected()
    except SourceError as error:
        yield f"picamera2 (installed, and of no use: {error})"
        return
    yield from (f"picamera2:{number} ({model})" for number, model in enumerate(models))
    if not models:
        yield "picamera2 (installed; no camera is connected)"


def _trouble(camera: CameraConfig) -> Finding | None:
    """Say why a camera's source cannot be opened, as far as that shows from outside; None where it may."""
    kind, _, rest = camera.source.partition(":")
    what = f"camera {camera.id}"
    if kind == "picamera2":
        return _no_pi_camera(what, int(rest or 0))
    if kind == "file" and not Path(rest).is_file():
        return Finding(what, f"there is no file {rest}", "correct its `source`")
    if kind == "v4l2":
        return _no_device(what, rest)
    if kind in _PORTS:
        return _no_answer(what, kind, camera.source)
    return None


def _no_pi_camera(what: str, number: int) -> Finding | None:
    if importlib.util.find_spec("picamera2") is None:
        return Finding(what, "picamera2 is not installed", _NO_PICAMERA2)
    from hub.camera.errors import SourceError  # noqa: PLC0415 - only here
    from hub.camera.sources.picamera2_source import connected  # noqa: PLC0415 - only here

    try:
        count = len(connected())
    except SourceError as error:
        return Finding(
            what, f"picamera2 cannot be used: {error}", "docs/install.md says how to repair its NumPy"
        )
    if number < count:
        return None
    return Finding(
        what, f"the Pi's camera {number} is not connected", "rpicam-hello --list-cameras tells which are"
    )


def _no_device(what: str, device: str) -> Finding | None:
    from hub.camera.sources import v4l2  # noqa: PLC0415 - only here

    if not Path(device).exists():
        return Finding(what, f"there is no {device}", "plug it in, or correct its `source`")
    try:
        if v4l2.describe(Path(device)) is None:
            return Finding(
                what, f"{device} gives no pictures", "name one of the devices here as its `source`"
            )
    except v4l2.NoRight:
        return Finding(what, f"no right to {device}", "sudo usermod -aG video $USER, then log in again")
    return None


def _no_answer(what: str, kind: str, address: str) -> Finding | None:
    """Knock at a network camera's port; nothing is asked of it."""
    remedy = "is it on, in reach, and its `source` right?"
    try:
        parts = urlsplit(address)
        where = parts.hostname or "", parts.port or _PORTS[kind]
    except ValueError:
        return Finding(what, "its `source` has no host and port", remedy)
    try:
        socket.create_connection(where, _ANSWER_TIMEOUT_S).close()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return Finding(what, f"{where[0]}:{where[1]} does not answer ({reason or 'no answer'})", remedy)
    return None
