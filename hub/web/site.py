"""The web room on its socket."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from hub.web.server import make_app

if TYPE_CHECKING:
    from hub.web.parts import Parts

KEEPALIVE_S = 75.0
"""How long an idle connection stays, and how long one may take to send its first request."""
CLOSE_S = 5.0
LINGER_S = 2.0


class Site:
    """Serves `parts` over HTTP. Raises ConfigError where `[webrtc]` cannot be used."""

    def __init__(self, parts: Parts) -> None:
        self._runner = web.AppRunner(
            make_app(parts),
            # The claim's code stands in a request line: lines of requests are not logged.
            access_log=None,
            logger=_logger(),
            handle_signals=False,
            keepalive_timeout=KEEPALIVE_S,
            shutdown_timeout=CLOSE_S,
            lingering_time=LINGER_S,
        )

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Serve on an address, port 0 for any free one; returns what was bound. Raises OSError."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, reuse_address=True).start()
        bound: tuple[str, int] = self._runner.addresses[0][:2]
        return bound

    async def close(self) -> None:
        """End streams and sockets, let other requests finish, and stop."""
        await self._runner.cleanup()


def _logger() -> logging.Logger:
    """Return aiohttp's logger: the hub's, but what is no HTTP is worth a line, not an error's traceback."""
    logger = logging.Logger(__name__)  # noqa: LOG001 - one of its own: a filter must not outlive the site
    logger.parent = logging.getLogger(__name__)
    logger.addFilter(_calm)
    return logger


def _calm(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args = "a client sent what is no HTTP: %s", (type(error).__name__,)
        record.exc_info = None
    return record.levelno >= logging.getLogger(record.name).getEffectiveLevel()
