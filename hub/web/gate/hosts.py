"""By which names the hub may be called (against DNS rebinding), and from which pages (against CSRF)."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hub.tls.names import own_addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound
_DEFAULT_PORTS = {"http": 80, "https": 443}
REFRESH_S = 10.0


def split_host(text: str) -> tuple[str, int | None] | None:
    """`Name.Example:80` → (`name.example`, 80); None where it is no host (RFC 9110, 7.2).

    Names come back in lower case without their final dot, IPv6 addresses without brackets in their
    shortest form.
    """
    found = _HOST.fullmatch(text)
    if found is None:
        return None
    name = found["six"] or found["name"]
    try:
        name = str(ip_address(name))
    except ValueError:
        if found["six"]:
            return None
        name = name.lower().removesuffix(".")
    port = int(found["port"]) if found["port"] else None
    if not name or (port is not None and port > 65535):
        return None
    return name, port


class Hosts:
    """The names by which this hub may be called: its own, and those that the configuration adds.

    `addresses` is asked again, at most every REFRESH_S, when an unknown address is named: interfaces come
    and go.
    """

    def __init__(
        self,
        *,
        listen: str,
        allowed: Iterable[str],
        hostname: str,
        now_s: Callable[[], float],
        addresses: Callable[[], set[str]] = own_addresses,
    ) -> None:
        name = hostname.lower()
        short = name.partition(".")[0]
        self._names = {*_LOOPBACK, name, short, f"{short}.local"} - {"", ".local"}
        self._names.update({listen.lower()} - set(_ANY))
        for extra in allowed:
            host = split_host(extra)
            self._names.add(host[0] if host else extra.lower())
        self._addresses = addresses
        self._now_s = now_s
        self._own: set[str] = set()
        self._asked_s: float | None = None

    def allows(self, host: str) -> bool:
        """Return whether a Host header's value names this hub."""
        found = split_host(host)
        if found is None:
            return False
        return found[0] in self._names or (_is_address(found[0]) and self._owns(found[0]))

    def _owns(self, address: str) -> bool:
        now_s = self._now_s()
        if address not in self._own and (self._asked_s is None or now_s - self._asked_s >= REFRESH_S):
            self._own = self._addresses()
            self._asked_s = now_s
        return address in self._own


def same_origin(origin: str, host: str) -> bool:
    """Return whether a page of `origin` was served under the name and port of `host` (RFC 6454).

    The scheme is not compared: behind a proxy that ends TLS the hub does not know it.
    """
    page, here = _origin_host(origin), split_host(host)
    if page is None or here is None:
        return False
    scheme, name, port = page
    default = _DEFAULT_PORTS[scheme]
    return name == here[0] and (port or default) == (here[1] or default)


def _origin_host(origin: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or parts.path or parts.query or parts.fragment:
        return None
    found = split_host(parts.netloc)
    return None if found is None else (parts.scheme, *found)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
