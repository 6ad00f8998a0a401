"""Where a hub's authority and certificate lie: `tls/` in the data folder, keys for its user alone."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from hub.model import OutpostError
from hub.tls import authority
from hub.tls.authority import Pair

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = logging.getLogger(__name__)


class TlsError(OutpostError):
    """The certificate cannot be made or used; the message says which file, why, and what to do."""


@dataclass(frozen=True)
class Known:
    """What `outpost tls show` tells of a hub's certificates."""

    authority: x509.Certificate
    certificate: x509.Certificate | None


class TlsFolder:
    """One hub's authority and the certificate it serves."""

    def __init__(self, data: Path) -> None:
        self.path = data / "tls"
        self.ca = self.path / "ca.crt"
        self._ca_key = self.path / "ca.key"
        self.certificate = self.path / "hub.crt"
        self.key = self.path / "hub.key"

    def exists(self) -> bool:
        """Return whether the authority has been made. Raises TlsError."""
        try:
            return self.ca.exists()
        except OSError as error:
            raise _unreadable(self.ca, error) from error

    def make(self, hub: str, names: Iterable[str], now_ms: int) -> None:
        """Make a new authority, and a certificate by it; what was there is replaced. Raises TlsError."""
        made = authority.make_authority(hub, names, now_ms)
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(self._ca_key, made.key)
            _write(self.ca, made.certificate)
        except OSError as error:
            raise TlsError(f"{self.path}: cannot be written: {error.strerror or error}") from error
        self._sign(made, names, now_ms)

    def renew(self, names: Iterable[str], now_ms: int, *, force: bool = False) -> bool:
        """Make the certificate anew when it is due, or by `force`; return whether it was. Raises TlsError."""
        names = tuple(names)
        known = self.known()
        pair = self._authority()
        kept = known.certificate if self.key.exists() and not force else None
        if kept is not None and not authority.is_due(kept, known.authority, names, now_ms):
            return False
        self._sign(pair, names, now_ms)
        for name in names:
            if not authority.may_vouch(known.authority, name):
                log.warning(
                    "the hub's authority may not vouch for %s; `outpost tls init --new` makes one that may",
                    name,
                )
        return True

    def known(self) -> Known:
        """Return the certificates as they are. Raises TlsError."""
        try:
            issuer = _load(self.ca)
        except FileNotFoundError as error:
            raise TlsError(
                f"{self.path}: there is no authority yet; make it with `outpost tls init`"
            ) from error
        try:
            return Known(issuer, _load(self.certificate))
        except FileNotFoundError:
            return Known(issuer, None)

    def _authority(self) -> Pair:
        try:
            return Pair(self.ca.read_bytes(), self._ca_key.read_bytes())
        except PermissionError as error:
            raise _unreadable(self._ca_key, error) from error
        except OSError as error:
            raise TlsError(
                f"{error.filename}: {error.strerror}; `outpost tls init --new` makes a new authority, "
                "which browsers then have to trust anew"
            ) from error

    def _sign(self, pair: Pair, names: Iterable[str], now_ms: int) -> None:
        try:
            made = authority.sign(pair, names, now_ms)
        except ValueError as error:
            raise TlsError(f"{self.path}: {error}; `outpost tls init --new` makes a new authority") from error
        try:
            # Key and certificate are read one after the other by `load_cert_chain`, in this process.
            _write(self.key, made.key)
            _write(self.certificate, made.certificate)
        except OSError as error:
            raise TlsError(f"{self.path}: cannot be written: {error.strerror or error}") from error


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise TlsError(
            f"{path}: is no certificate: {error}; `outpost tls init --new` makes it anew"
        ) from error


def _unreadable(path: Path, error: OSError) -> TlsError:
    remedy = "; run this as the hub's user, or by sudo" if isinstance(error, PermissionError) else ""
    return TlsError(f"{path}: cannot be read: {error.strerror}{remedy}")


def _write(path: Path, data: bytes) -> None:
    """Replace a file at once, so that a power cut leaves the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    mode = 0o644 if path.suffix == ".crt" else 0o600
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
