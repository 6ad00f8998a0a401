"""What the Pi has for one entry of `[[sensor]]`: the shape that all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub.model import CommandType, Metric, Value


class Taken(NamedTuple):
    """Values of one moment, in the order of the sensor's metrics."""

    at_ms: float
    """CLOCK_MONOTONIC."""
    values: tuple[Value, ...]


class Sensor(Protocol):
    """What the Pi has for one entry. Its calls block, and belong into the thread of `lane`."""

    lane: str
    poll_ms: int
    metrics: tuple[Metric, ...]
    """Empty as long as it is unknown what the kernel's device has."""
    commands: tuple[CommandType, ...]

    @property
    def descriptor(self) -> int | None:
        """A file descriptor that becomes readable when `edges` has something; None where there is none."""

    def begin(self) -> int:
        """Start a measurement; return the ms until it can be read. Raises OSError."""

    def read(self, now_ms: float) -> Sequence[Taken]:
        """Return what there is to tell; `now_ms` is CLOCK_MONOTONIC. Raises OSError."""

    def edges(self) -> Sequence[Taken]:
        """Return what the edges tell that wait at the descriptor. Raises OSError."""

    def run(self, name: str, params: Mapping[str, Any]) -> Any:
        """Do a command and return its result. Raises OSError, ValueError."""

    def close(self) -> None:
        """Give back what is open; it opens again at the next use."""
