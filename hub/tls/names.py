"""The names and addresses that a hub's certificate is for."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from hub.config import HubConfig


def own_names(hub: HubConfig) -> set[str]:
    """Return this machine's host names and addresses, and the host names that the configuration allows."""
    hostname = socket.gethostname().lower()
    short = hostname.partition(".")[0]
    names = {"localhost", "127.0.0.1", "::1", hostname, short, f"{short}.local"} - {"", ".local"}
    names |= {host.strip("[]").lower() for host in hub.allowed_hosts}
    return names | own_addresses()


def own_addresses() -> set[str]:
    """Return the IP addresses of this machine's interfaces."""
    return {
        str(ip_address(address.address.partition("%")[0]))
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6)
    }
