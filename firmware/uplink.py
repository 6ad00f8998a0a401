"""By which way the session runs: the console's cable, or the radio where one is configured.

The cable goes before: whenever a hub speaks on the console, the session turns there. When that hub is silent
for so long that the session ends, it turns back to the radio. There is one session, so that a command which
comes by both ways runs once.
"""

import time

from micropython import const
from wire.board_session import SILENCE_MS
from wire.frame import Decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from port import Console
    from radio import Radio
    from wire.board_session import BoardSession

    class Way(Protocol):
        """What brings frames to a hub."""

        async def write(self, frame: bytes) -> None:
            """Send a frame, or keep it until `flush`."""

        async def flush(self) -> None:
            """Send what was kept."""


_RADIO_SILENCE_MS = const(15000)
"""A message over WiFi and a broker may be that late (TCP sends again after 1, 3, 7 s) and its hub live."""


class Uplink:
    """Chooses the way. Without `radio` it is always the console."""

    def __init__(self, session: "BoardSession", console: "Console", radio: "Radio | None" = None) -> None:
        self._session = session
        self._console = console
        self._radio = radio
        self._heard = Decoder(keep_console=False)  # on the console, while the session is on the radio
        self._way: Way = console
        self._turned = time.ticks_ms()
        if radio is not None:
            self._turn(radio)

    @property
    def cabled(self) -> bool:
        """Whether the session runs over the console's cable."""
        return self._way is self._console

    def carries(self, source: "Way", data: bytes) -> bool:
        """Whether `data` from `source` is the session's. An intact frame turns the session to the console."""
        if source is self._way:
            return True
        if source is self._console and self._heard.feed(data):
            self._turn(self._console)  # what was heard is lost: that hub says it again
        return False

    def look(self, now_ms: int) -> None:
        """Turn to the radio when the hub on the console is gone. To be called a few times a second."""
        radio = self._radio
        if radio is None:
            return
        if self._way is radio:
            if radio.take_change():
                self._session.restart()
        elif (
            self._session.silence_ms(now_ms) > SILENCE_MS
            and time.ticks_diff(time.ticks_ms(), self._turned) > SILENCE_MS
        ):
            self._turn(radio)

    async def write(self, frame: bytes) -> None:
        """Send a frame, or keep it until `flush`."""
        await self._way.write(frame)

    async def flush(self) -> None:
        """Send what was kept."""
        await self._way.flush()

    def _turn(self, way: "Way") -> None:
        self._way = way
        self._turned = time.ticks_ms()
        self._heard = Decoder(keep_console=False)
        on_radio = way is self._radio
        # A host that holds the port and does not read must not keep the session from the radio.
        self._console.patience_ms = SILENCE_MS if self._radio is not None else 0
        self._session.patience_ms = _RADIO_SILENCE_MS if on_radio else SILENCE_MS
        self._session.restart()
