"""Whom a configuration lets in: plain HTTP stays on this machine unless it is asked for by name."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from hub.config.forms import ConfigError, listen_address

if TYPE_CHECKING:
    from hub.config.sections import Config


def is_loopback(host: str) -> bool:
    """Return whether an address to listen on is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_exposure(config: Config, where: str) -> None:
    """Refuse to serve other machines in the clear by accident. Raises ConfigError."""
    host, _ = listen_address(config.hub.listen, where)
    if is_loopback(host) or config.tls.mode != "off" or config.hub.plain_http:
        return
    raise ConfigError(
        f"{where}: `hub.listen`: {config.hub.listen!r} lets other machines in, and without TLS whoever "
        "shares the network reads passwords and sends commands. Serve HTTPS (`--tls`, or `tls.mode`), listen "
        "on 127.0.0.1 behind a proxy, or ask for it by name (`--plain-http`, or `hub.plain_http = true`)"
    )
