"""What the listener serves TLS with, and its renewal while the hub runs."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from hub.tls.folder import TlsError, TlsFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.config import TlsConfig

log = logging.getLogger(__name__)

CHECK_S = 600
"""How often names and date are looked at: addresses come and go, and a clock may be set late."""


class Tls:
    """The hub's side of TLS (1.2 or newer): by its own authority, or by files that somebody else renews.

    `names` gives the hub's names and addresses. Raises TlsError when there is no certificate to serve.
    """

    def __init__(
        self,
        config: TlsConfig,
        data: Path,
        *,
        hub: str,
        names: Callable[[], set[str]],
        now_ms: Callable[[], int],
    ) -> None:
        self._names = names
        self._now_ms = now_ms
        self._own = TlsFolder(data) if config.mode == "local" else None
        if self._own is not None:
            if not self._own.exists():
                self._own.make(hub, names(), now_ms())
                log.info("made an authority for this hub: %s", self._own.ca)
            self._own.renew(names(), now_ms())
        self.certificate = self._own.certificate if self._own else Path(config.certificate or "")
        self._key = self._own.key if self._own else Path(config.key or "")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._loaded = self._stamp()
        self._load()

    def authority(self) -> bytes | None:
        """Return the certificate that browsers have to trust (PEM), where it is the hub's own."""
        return self._own.ca.read_bytes() if self._own is not None else None

    async def keep(self) -> None:
        """Renew the certificate when it is due, and serve files that changed, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await asyncio.to_thread(self.check)
            except TlsError as error:
                log.warning("%s; the certificate as it was goes on", error)

    def check(self) -> bool:
        """Renew what is due and load what changed; return whether another certificate is served now."""
        if self._own is not None:
            self._own.renew(self._names(), self._now_ms())
        stamp = self._stamp()
        if stamp == self._loaded:
            return False
        self._load()
        self._loaded = stamp
        log.info("serving a new certificate")
        return True

    def _load(self) -> None:
        try:
            self.context.load_cert_chain(self.certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or str(error)
            raise TlsError(f"`tls`: {self.certificate} and {self._key} cannot be served: {reason}") from error

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = [path.stat() for path in (self.certificate, self._key)]
        except OSError as error:
            raise TlsError(f"`tls`: {error.filename}: {error.strerror}") from error
        return tuple(value for stat in found for value in (stat.st_mtime_ns, stat.st_ino, stat.st_size))


def client_context(certificate: str) -> ssl.SSLContext:
    """Return what a program on the hub's own machine calls it with: it trusts this very certificate alone.

    Not the name: a certificate from elsewhere need not be for 127.0.0.1. Raises TlsError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(certificate)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"{certificate}: cannot be read as a certificate: {error}") from error
    return context
