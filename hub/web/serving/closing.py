"""The end of the hub: requests that would go on for ever are told, so that a stop takes no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable


class Closing:
    """Whom to call when the web room closes."""

    def __init__(self) -> None:
        self.closed = False
        self._calls: dict[object, Callable[[], None]] = {}

    def call(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` at the close, at once if that was; the function returned takes it back."""
        key = object()
        self._calls[key] = callback
        if self.closed:
            callback()

        def take_back() -> None:
            self._calls.pop(key, None)

        return take_back

    def close(self) -> None:
        """Call everybody."""
        self.closed = True
        for callback in tuple(self._calls.values()):
            callback()


CLOSING: web.AppKey[Closing] = web.AppKey("closing")


async def close(app: web.Application) -> None:
    """Tell every request that goes on; aiohttp calls this before it waits for them."""
    app[CLOSING].close()
