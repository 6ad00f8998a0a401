"""STUN and TURN servers from the configuration, checked at start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.config import ConfigError

if TYPE_CHECKING:
    from hub.config import WebrtcConfig

_URI = re.compile(
    r"(stuns?:[\w.\-]+(:\d{1,5})?|turns?:[\w.\-]+(:\d{1,5})?(\?transport=(udp|tcp))?)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class IceServers:
    """What viewers and the hub ask for reachable addresses (RFC 7064, RFC 7065)."""

    uris: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = None


def load(config: WebrtcConfig) -> IceServers:
    """Check `[webrtc]` and read the password file. Raises ConfigError."""
    for uri in config.ice_servers:
        if not _URI.fullmatch(uri):
            raise ConfigError(f"`webrtc.ice_servers`: {uri!r} is not stun:HOST:PORT or turn:HOST:PORT")
    needs_password = any(uri.startswith("turn") for uri in config.ice_servers)
    if needs_password and (config.username is None or config.password_file is None):
        raise ConfigError("`webrtc`: a TURN server needs `username` and `password_file`")
    password = None
    if config.password_file is not None:
        try:
            password = Path(config.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(
                f"`webrtc.password_file`: {config.password_file}: cannot be read: {reason}"
            ) from error
    return IceServers(config.ice_servers, config.username, password)
