"""Where pictures come from: one small interface, and the text in the configuration that chooses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from hub.config import CameraConfig, ConfigError
from hub.config.checks import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.camera.media import Coded, Picture


class Reader(Protocol):
    """An open source. Both methods block, and are called on one thread.

    One that codes by itself may have `want_keyframe()` beside them, which asks for a keyframe soon.
    """

    def read(self) -> Picture | Coded:
        """Wait for the next picture, raw or coded. Raises SourceError when the source ended or broke."""

    def close(self) -> None:
        """Let go of the device; never raises."""


class Source(Protocol):
    """A source that can be opened as often as wanted."""

    def __call__(self) -> Reader:
        """Open it; blocks. Raises SourceError with the reason and a remedy."""


def choose(config: CameraConfig, now_ms: Callable[[], int]) -> Source:
    """Give the source that the configuration names. Opens nothing. Raises ConfigError.

    The rooms behind it are imported when the source is opened: PyAV costs 20 MB that an unwatched
    camera need not pay.
    """
    text = config.source

    if text == "test":

        def test() -> Reader:
            from hub.camera.sources.test_pattern import TestPattern  # noqa: PLC0415 - see above

            return TestPattern(width=config.width, height=config.height, fps=config.fps, now_ms=now_ms)

        return test

    if re.fullmatch(r"picamera2(:\d)?", text):

        def picamera2() -> Reader:
            from hub.camera.sources.picamera2_source import open_picamera2  # noqa: PLC0415 - see above

            return open_picamera2(config, now_ms)

        return picamera2

    if re.fullmatch(r"(v4l2|file):.+|(rtsps?|https?)://.+", text):

        def demuxed() -> Reader:
            from hub.camera.sources.demuxed_source import open_demuxed  # noqa: PLC0415 - see above

            return open_demuxed(config, now_ms)

        return demuxed

    raise ConfigError(f"camera `{config.id}`: unknown `source` {text!r}; known are {SOURCES}")
