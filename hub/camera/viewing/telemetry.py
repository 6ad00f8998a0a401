"""Samples beside the picture: a WebRTC data channel that carries chosen metrics, and the clock of the video.

Text frames of JSON. The viewer says `{"select": [[device, metric], …]}`, as often as it likes, and gets

- `{"selected": […], "unknown": […]}`: what it will get, and what is not there (or not for it) now;
- `{"samples": [[device, metric, source_time_ms, value, quality], …], "dropped": n}`, rows as on the live
  stream, the last of each metric first; `dropped` counts rows lost since the message before;
- `{"clock": {"rtp": …, "time": …}}`, each second: an RTP timestamp of the video and the UTC milliseconds of
  its moment, on the one clock that samples and pictures share. A frame's own RTP timestamp, which browsers
  tell (`requestVideoFrameCallback`), gives its time of capture from that;
- `{"error": …}` where it asked for what cannot be.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

PICKS_LIMIT = 32
MESSAGE_LIMIT = 8192
"""Characters of a viewer's message."""
BUFFER_BYTES = 32 << 10
"""More than this waits for no viewer: rows are dropped and counted."""
CLOCK_EVERY_S = 1.0
_MESSAGES_BURST = 40.0
_MESSAGES_PER_S = 2.0

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Pick: TypeAlias = tuple[str, str]
"""A device and a metric of it."""
Row: TypeAlias = tuple[str, str, int, Any, str]


class Instruments(Protocol):
    """The samples that one viewer may see; whoever lets the viewer in gives it."""

    def last(self, picks: Sequence[Pick]) -> list[Row]:
        """Give the last sample of each pick that is there and that this viewer may see."""

    def subscribe(self, picks: Sequence[Pick], take: Callable[[list[Row]], None]) -> Callable[[], None]:
        """Call `take` with the samples of `picks` as they come; the function returned ends that."""


class Pipe(Protocol):
    """As much as is needed of aiortc's RTCDataChannel."""

    @property
    def readyState(self) -> str:  # noqa: N802 - WebRTC's name
        """`open`, or not."""

    @property
    def bufferedAmount(self) -> int:  # noqa: N802 - WebRTC's name
        """Bytes that wait to be sent."""

    def send(self, data: str) -> None:
        """Queue a message."""


class _Selection(msgspec.Struct, forbid_unknown_fields=True):
    select: Annotated[list[tuple[_Name, _Name]], msgspec.Meta(max_length=PICKS_LIMIT)]


class BadSelection(Exception):
    """A viewer's message cannot be followed; the message says why."""


def parse_selection(message: object) -> tuple[Pick, ...]:
    """Read a viewer's message: the picks, each once. Raises BadSelection."""
    if not isinstance(message, str):
        raise BadSelection("messages are text")
    if len(message) > MESSAGE_LIMIT:
        raise BadSelection(f"the message has {len(message)} characters; at most {MESSAGE_LIMIT} are read")
    try:
        selection = msgspec.json.decode(message, type=_Selection)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadSelection(f'expected {{"select": [[device, metric], …]}}: {error}') from error
    return tuple(dict.fromkeys(selection.select))


class Telemetry:
    """One viewer's channel. Loop thread only; `flooded` is called when it sends more than anyone would.

    `clock` gives the video's RTP timestamp of this moment and the moment, UTC ms; None while there is none.
    """

    def __init__(
        self,
        pipe: Pipe,
        instruments: Instruments,
        *,
        clock: Callable[[], tuple[int, int] | None],
        flooded: Callable[[], None],
    ) -> None:
        self.dropped = 0
        """Rows that this viewer did not take in time."""
        self._pipe = pipe
        self._instruments = instruments
        self._clock = clock
        self._flooded = flooded
        self._untold = 0
        self._leave: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._messages_left = _MESSAGES_BURST
        self._message_s = asyncio.get_running_loop().time()

    def heard(self, message: object) -> None:
        """Follow a message of the viewer, whatever it is."""
        if not self._affords():
            self._flooded()
            return
        try:
            picks = parse_selection(message)
        except BadSelection as error:
            self._send({"error": str(error)[:500]})
            return
        self._stop()
        rows = self._instruments.last(picks)
        there = {row[:2] for row in rows}
        self._send({"selected": picks, "unknown": [pick for pick in picks if pick not in there]})
        if picks:
            self._tick()
            self._leave = self._instruments.subscribe(picks, self._came)
            self._came(rows)

    def close(self) -> None:
        """Take no more samples; may be called twice."""
        self._stop()

    def _affords(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        gained = (now_s - self._message_s) * _MESSAGES_PER_S
        self._message_s = now_s
        self._messages_left = min(_MESSAGES_BURST, self._messages_left + gained) - 1
        return self._messages_left >= 0

    def _came(self, rows: list[Row]) -> None:
        if not rows:
            return
        if self._pipe.bufferedAmount > BUFFER_BYTES:
            self._drop(rows)
            return
        if self._send({"samples": rows, "dropped": self._untold}):
            self._untold = 0
        else:
            self._drop(rows)

    def _tick(self) -> None:
        """Tell the clock, and again a second later: the two clocks it joins drift apart."""
        found = self._clock()
        if found is not None and self._pipe.bufferedAmount <= BUFFER_BYTES:
            self._send({"clock": {"rtp": found[0], "time": found[1]}})
        # until the video stands there is nothing to tell, and the first frame should not wait for it
        delay_s = CLOCK_EVERY_S if found is not None else CLOCK_EVERY_S / 10
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _drop(self, rows: list[Row]) -> None:
        self.dropped += len(rows)
        self._untold += len(rows)

    def _send(self, message: dict[str, Any]) -> bool:
        """Queue a message. False where the viewer takes none, or none of this length."""
        if self._pipe.readyState != "open":
            return False
        try:
            self._pipe.send(msgspec.json.encode(message).decode())
        except ValueError as error:  # aiortc holds to the length that the viewer's offer allows
            log.debug("a viewer takes no such message: %s", error)
            return False
        return True

    def _stop(self) -> None:
        if self._leave is not None:
            self._leave()
            self._leave = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
