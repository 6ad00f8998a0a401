"""Where the hub listens: one TCP address, bound before the hub says that it serves."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from hub.config import listen_address
from hub.model import OutpostError
from hub.web.serving.connection import Connection

if TYPE_CHECKING:
    import ssl

ANY = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound
_SHUTDOWN_S = 5.0
_LINGER_S = 2.0
_KEEPALIVE_S = 75.0
"""How long an idle connection stays, and how long one may take to send its first request."""
_BACKLOG = 128
_LINE_BYTES = 64 << 10
"""The longest request line: 64 names of metrics in a query are longer than aiohttp's 8190 bytes."""


class CannotListen(OutpostError):
    """The address cannot be bound; the message says why and what to do."""


class Listener:
    """Serves an application on `HOST:PORT` from `start` to `stop`, over TLS where it is given."""

    def __init__(self, app: web.Application, *, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
        self._accepting: asyncio.Server | None = None

    async def start(self, listen: str) -> str:
        """Bind and return the URL to call. Raises ConfigError, CannotListen."""
        host, port = listen_address(listen, "--listen")
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {
            # The claim's code stands in a request line: lines of requests are not logged.
            "access_log": None,
            "logger": _logger(),
            "keepalive_timeout": _KEEPALIVE_S,
            "lingering_time": _LINGER_S,
            "max_line_size": _LINE_BYTES,
        }
        # What aiohttp's own site does, but for the class of the connections.
        server = self._runner.server
        assert server is not None  # noqa: S101 - it was set up above
        connect = partial(Connection, server, loop=loop, **options)
        try:
            self._accepting = await loop.create_server(
                connect, host, port, ssl=self._tls, backlog=_BACKLOG, reuse_address=True
            )
        except OSError as error:
            await self._runner.cleanup()
            raise CannotListen(
                f"cannot listen on {listen}: {_reason(error)}; "
                "is another hub running? Choose another address with --listen HOST:PORT"
            ) from error
        bound, bound_port = self._accepting.sockets[0].getsockname()[:2]
        name = "127.0.0.1" if bound in ANY else f"[{bound}]" if ":" in bound else bound
        return f"{'https' if self._tls else 'http'}://{name}:{bound_port}"

    async def stop(self) -> None:
        """Close every connection and the socket."""
        if self._accepting is not None:
            self._accepting.close()
        await self._runner.cleanup()


def _reason(error: OSError) -> str:
    """Return what the system says, without the address once more."""
    # A name that does not resolve has a number of getaddrinfo's, below 0.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _logger() -> logging.Logger:
    """Return aiohttp's logger: the hub's, but what is no HTTP is worth a line, not an error's traceback."""
    logger = logging.Logger(__name__)  # noqa: LOG001 - one of its own: its filter must not outlive it
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
