"""The hub's doors: the address that it serves on, with TLS or without, and the plain one that leads there."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hub.config import listen_address
from hub.web.gate.hosts import Hosts
from hub.web.serving.listener import Listener
from hub.web.serving.redirect import make_redirect

if TYPE_CHECKING:
    from aiohttp import web

    from hub.config import Config, HubConfig
    from hub.tls.serving import Tls


def hosts_of(hub: HubConfig) -> Hosts:
    """Return the names by which a hub with this configuration may be called."""
    host, _ = listen_address(hub.listen, "hub.listen")
    return Hosts(
        listen=host,
        allowed=hub.allowed_hosts,
        hostname=socket.gethostname(),
        now_s=lambda: asyncio.get_running_loop().time(),
    )


class Doors:
    """Serves an application where the configuration says, from `start` to `stop`."""

    def __init__(self, config: Config, app: web.Application, tls: Tls | None) -> None:
        self._config = config
        self._tls = tls
        self._main = Listener(app, tls=tls.context if tls else None)
        self._plain: Listener | None = None

    async def start(self) -> str:
        """Bind and return the URL to call. Raises ConfigError, CannotListen."""
        url = await self._main.start(self._config.hub.listen)
        redirect = self._config.tls.redirect
        if self._tls is not None and redirect:
            port = urlsplit(url).port or 443
            self._plain = Listener(make_redirect(hosts_of(self._config.hub), port, self._tls.authority))
            await self._plain.start(redirect)
        return url

    async def stop(self) -> None:
        """Close every connection and the sockets."""
        if self._plain is not None:
            await self._plain.stop()
        await self._main.stop()
