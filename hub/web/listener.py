"""Where the hub listens: one TCP address, bound before the hub says that it serves."""

from __future__ import annotations

from aiohttp import web

from hub.config import listen_address
from hub.model import OutpostError

ANY = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound
_SHUTDOWN_S = 5.0


class CannotListen(OutpostError):
    """The address cannot be bound; the message says why and what to do."""


class Listener:
    """Serves an application on `HOST:PORT` from `start` to `stop`."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)

    async def start(self, listen: str) -> str:
        """Bind and return the URL to call. Raises ConfigError, CannotListen."""
        host, port = listen_address(listen, "--listen")
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, reuse_address=True).start()
        except OSError as error:
            await self._runner.cleanup()
            raise CannotListen(
                f"cannot listen on {listen}: {error.strerror or error}; "
                "is another hub running? Choose another address with --listen HOST:PORT"
            ) from error
        bound, bound_port = self._runner.addresses[0][:2]
        name = "127.0.0.1" if bound in ANY else f"[{bound}]" if ":" in bound else bound
        return f"http://{name}:{bound_port}"

    async def stop(self) -> None:
        """Close every connection and the socket."""
        await self._runner.cleanup()
