"""What keeps a hub from starting though its configuration is well formed: whom it lets in, files it names."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from hub.cli.finding import Finding
from hub.config import ConfigError, check_exposure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.config import Config

_CREDENTIALS = Path("/run/credentials")
"""Where systemd puts a service's secrets, while it runs."""


def look(config: Config, file: Path) -> Iterator[Finding]:
    """Yield what `outpost run --config` would refuse; nothing where all is well."""
    try:
        check_exposure(config, str(file))
    except ConfigError as error:
        yield Finding("address", str(error), "correct `hub.listen` or `tls.mode`", fatal=True)
    if config.mqtt.password_file is not None:
        yield from _secret("mqtt.password_file", Path(config.mqtt.password_file))
    if config.webrtc.password_file is not None:
        yield from _secret("webrtc.password_file", Path(config.webrtc.password_file))
    if config.tls.mode == "files":
        yield from _certificate(config.tls.certificate or "", config.tls.key or "")


def _secret(key: str, path: Path) -> Iterator[Finding]:
    try:
        path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        found = f"`{key}`: {path}: cannot be read: {reason}"
        if path.is_relative_to(_CREDENTIALS):
            remedy = "systemd puts it there when the service starts, by LoadCredential= in the unit"
            yield Finding("secrets", found, remedy)
        else:
            yield Finding(
                "secrets", found, "write the password into that file, or correct the path", fatal=True
            )


def _certificate(certificate: str, key: str) -> Iterator[Finding]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:  # an SSLError is one, too
        found = f"{certificate} with {key}: cannot be used: {error.strerror or error}"
        yield Finding("certificate", found, "correct `tls.certificate` and `tls.key`", fatal=True)
