"""GPIO lines by libgpiod (gpiod 2): what `machine.Pin` is on a board.

A pin is a number on the Pi's header (BCM, as in GPIO17), a line's name ("GPIO17"), or "gpiochip2:5".
"""

from __future__ import annotations

import errno
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The label of the chip that the header's pins are on: pinctrl-bcm2835, -bcm2711, and on a Pi 5 pinctrl-rp1,
# whose number has changed between kernels.
_HEADER = re.compile(r"pinctrl-(bcm\d+|rp1)")
_CHIP_LINE = re.compile(r"(gpiochip\d+):(\d{1,4})")
_CONSUMER = "outpost"
# Edges that the kernel keeps until they are read; what it drops shows as a step of their numbers.
_BUFFER = 1024


class Edge(NamedTuple):
    """One edge as the kernel saw it; `number` counts the line's edges, those that were dropped too."""

    at_ms: float
    """CLOCK_MONOTONIC."""
    rising: bool
    number: int


class Line:
    """One line, requested at the first use and again after its chip was pulled.

    `settings` makes the request's settings of the imported gpiod. Calls block; they raise OSError in words.
    A line that is `watched` closes only by `close`: an event loop has its descriptor.
    """

    def __init__(
        self, pin: int | str, dev_root: Path, settings: Callable[[Any], Any], *, watched: bool = False
    ) -> None:
        self.pin = pin
        self._dev_root = dev_root
        self._settings = settings
        self._watched = watched
        self._request: Any = None
        self._offset = 0

    @property
    def descriptor(self) -> int | None:
        """The file descriptor that becomes readable with an edge; None while the line is not requested."""
        return None if self._request is None else int(self._request.fd)

    def ensure(self) -> None:
        """Request the line where it is not requested. Raises OSError."""
        if self._request is not None:
            return
        import gpiod  # noqa: PLC0415 - only where a pin of the Pi is used

        path, self._offset = self._find(gpiod)
        try:
            with gpiod.Chip(str(path)) as chip:
                self._request = chip.request_lines(
                    config={self._offset: self._settings(gpiod)},
                    consumer=_CONSUMER,
                    event_buffer_size=_BUFFER,
                )
        except OSError as error:
            raise self._in_words(error) from error
        except ValueError as error:
            raise OSError(errno.EINVAL, f"pin {self.pin}: {error}") from error

    def close(self) -> None:
        """Give the line back; the next use requests it again."""
        request, self._request = self._request, None
        if request is not None:
            request.release()

    def level(self) -> int:
        """Return the line's level, 0 or 1."""
        self.ensure()
        return int(self._do(lambda request: request.get_value(self._offset).value))

    def set(self, level: int) -> None:
        """Set the line's level, 0 or 1."""
        import gpiod  # noqa: PLC0415 - see above

        self.ensure()
        self._do(lambda request: request.set_value(self._offset, gpiod.line.Value(1 if level else 0)))

    def edges(self) -> list[Edge]:
        """Return the edges that wait, oldest first. Called only when the descriptor is readable."""
        if self._request is None:
            return []
        return [
            Edge(
                event.timestamp_ns / 1e6,
                event.event_type is event.Type.RISING_EDGE,
                event.line_seqno,
            )
            for event in self._do(lambda request: request.read_edge_events())
        ]

    def _do(self, work: Callable[[Any], Any]) -> Any:
        try:
            return work(self._request)
        except OSError as error:
            if not self._watched and error.errno in (errno.ENODEV, errno.EBADF, errno.ENXIO):
                self.close()
            raise self._in_words(error) from error

    def _in_words(self, error: OSError) -> OSError:
        if error.errno == errno.EBUSY:
            return OSError(errno.EBUSY, f"pin {self.pin} is in use by another program or driver")
        if error.errno in (errno.EACCES, errno.EPERM):
            return OSError(error.errno, f"no right to pin {self.pin}: it wants the group gpio")
        return OSError(error.errno, f"pin {self.pin}: {error.strerror or error}")

    def _find(self, gpiod: Any) -> tuple[Path, int]:
        """Return the chip's path and the line's offset. Raises OSError."""
        if isinstance(self.pin, str):
            named = _CHIP_LINE.fullmatch(self.pin)
            if named is not None:
                return self._dev_root / named[1], int(named[2])
        found = []
        for path, info, line in self._lines(gpiod):
            if isinstance(self.pin, str):
                if line is not None:
                    return path, line
            elif _HEADER.fullmatch(info.label) and self.pin < info.num_lines:
                found.append((path, self.pin))
        if len(found) == 1:
            return found[0]
        hint = "" if isinstance(self.pin, str) else f'; say which chip\'s, as in "gpiochip0:{self.pin}"'
        raise OSError(errno.ENODEV, f"there is no pin {self.pin!r}{hint}")

    def _lines(self, gpiod: Any) -> Iterator[tuple[Path, Any, int | None]]:
        for path in sorted(self._dev_root.glob("gpiochip*")):
            # On a Pi 5, gpiochip4 is a link to gpiochip0: the same chip, under the number of older kernels.
            if path.is_symlink():
                continue
            try:
                with gpiod.Chip(str(path)) as chip:
                    line = None
                    if isinstance(self.pin, str):
                        try:
                            line = chip.line_offset_from_id(self.pin)
                        except (OSError, ValueError):
                            line = None
                    yield path, chip.get_info(), line
            except PermissionError as error:
                raise self._in_words(error) from error
            except OSError:
                continue


def reading(pull: str, *, debounce_ms: int = 0, both: bool = False, rising: bool | None = None) -> Any:
    """Return what makes the settings of an input; the kernel debounces, and stamps by CLOCK_MONOTONIC."""

    def settings(gpiod: Any) -> Any:
        line = gpiod.line
        edge = line.Edge.NONE
        if both:
            edge = line.Edge.BOTH
        elif rising is not None:
            edge = line.Edge.RISING if rising else line.Edge.FALLING
        bias = {"up": line.Bias.PULL_UP, "down": line.Bias.PULL_DOWN, "none": line.Bias.AS_IS}[pull]
        return gpiod.LineSettings(
            direction=line.Direction.INPUT,
            bias=bias,
            edge_detection=edge,
            debounce_period=timedelta(milliseconds=debounce_ms),
            event_clock=line.Clock.MONOTONIC,
        )

    return settings


def driving(level: int) -> Any:
    """Return what makes the settings of an output that starts at `level`."""

    def settings(gpiod: Any) -> Any:
        line = gpiod.line
        return gpiod.LineSettings(direction=line.Direction.OUTPUT, output_value=line.Value(1 if level else 0))

    return settings
