"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

UNKNOWN = "unknown"


def address_of(request: web.Request) -> str:
    """Return the caller's address.

    A proxy on this machine is believed about the one caller that it appended to X-Forwarded-For; nobody
    else is.
    """
    peer = _address(request.remote or "")
    if peer is None:
        return UNKNOWN
    if peer.is_loopback:
        named = ",".join(request.headers.getall("X-Forwarded-For", ())).rpartition(",")[2]
        peer = _address(named.strip()) or peer
    return str(peer)


def neighbourhood(address: str) -> str:
    """Return what one caller has at its will: an IPv4 address, or an IPv6 network of 64 bits (RFC 4291)."""
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found) >> 64 << 64, 64)))
    return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
