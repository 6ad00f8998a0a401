"""The LED: on, off, blinking, and a quick flicker to tell one board from another."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin


class Led:
    """An LED, or on a board without one nothing."""

    def __init__(self, pin: "Pin | None") -> None:
        self.present = pin is not None
        self.state = "off"
        self._pin = pin
        self._half_ms = 250
        self._flicker = 0
        self._changed = asyncio.Event()

    def set(self, state: str, interval_ms: int) -> None:
        """Set `on`, `off`, or `blink` with one blink each `interval_ms`."""
        self.state = state
        self._half_ms = interval_ms // 2
        self._flicker = 0
        self._show(1 if state == "on" else 0)  # now, so that the command's answer is true
        self._changed.set()

    def identify(self) -> None:
        """Flicker for 3 s, then go back to the state before."""
        self._flicker = 30
        self._changed.set()

    async def run(self) -> None:
        """Drive the pin for ever."""
        level = 0
        while True:
            self._changed.clear()
            if self._flicker:
                self._flicker -= 1
                level ^= 1
                wait_ms = 100
            elif self.state == "blink":
                level ^= 1
                wait_ms = self._half_ms
            else:
                level = 1 if self.state == "on" else 0
                wait_ms = 0
            self._show(level)
            await self._pause(wait_ms)

    def _show(self, level: int) -> None:
        if self._pin is not None:
            self._pin.value(level)

    async def _pause(self, wait_ms: int) -> None:
        if wait_ms == 0:
            await self._changed.wait()
            return
        while wait_ms > 0 and not self._changed.is_set():
            await asyncio.sleep_ms(min(wait_ms, 50))
            wait_ms -= 50
