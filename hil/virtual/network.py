"""A board's WiFi: one network, and TCP connections that are real sockets of this machine (a socket bridge).

What it is not: a radio, an IP stack, DHCP, power saving. Those were not run; latency is that of loopback.
"""

from __future__ import annotations

import base64
import binascii
import errno
import select
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

STAT_IDLE, STAT_WRONG_PASSWORD, STAT_NO_AP_FOUND, STAT_GOT_IP = 0, -3, -2, 3
"""As `network.WLAN.status` of the rp2 port (cyw43.h)."""
POLL_IN, POLL_OUT, POLL_ERR, POLL_HUP = 1, 4, 8, 16
_READ_BYTES = 480
"""What one answer to the VM has room for."""
# The numbers that a board uses (lwIP's), where the host's are others.
_ERRNO = {errno.ECONNRESET: 104, errno.ECONNREFUSED: 111, errno.EHOSTUNREACH: 113, errno.ETIMEDOUT: 110}


class Network:
    """The network around one board. Its switches may be set from any thread.

    With an empty `ssid` the board is on it without joining, as by Ethernet.
    """

    def __init__(self, ssid: str = "", password: str = "") -> None:
        self.on_air = True
        """Whether the access point works. Without it nothing arrives, and no connection ends for that."""
        self._ssid, self._password = ssid, password
        self._status = STAT_IDLE if ssid else STAT_GOT_IP
        self._sockets: dict[int, socket.socket] = {}
        self._next = 1

    def calls(self) -> dict[str, Callable[..., Any]]:
        """Return what the boot ROM's `network` and `socket` may ask for, by name."""
        return {
            "wlan_join": self._join,
            "wlan_leave": self._leave,
            "wlan_status": lambda: self._status if self.on_air else STAT_NO_AP_FOUND,
            "net_lookup": socket.gethostbyname,
            "net_open": self._open,
            "net_read": self._read,
            "net_write": self._write,
            "net_close": self._close,
        }

    def reset(self) -> None:
        """Forget all connections and the network joined: the board lost its power or was reset."""
        for handle in tuple(self._sockets):
            self._close(handle)
        self._leave()

    def ready(self, wanted: list[list[int]]) -> list[list[int]]:
        """Return which of `[handle, events]` can go on now, as `[handle, events]`."""
        if not self.on_air:
            return []
        poller = select.poll()
        handles: dict[int, int] = {}
        for handle, events in wanted:
            if handle in self._sockets:
                handles[self._sockets[handle].fileno()] = handle
                poller.register(self._sockets[handle], events)
        return [[handles[fd], happened] for fd, happened in poller.poll(0)]

    # --- the board's calls ---

    def _join(self, ssid: str, password: str) -> None:
        if ssid != self._ssid:
            self._status = STAT_NO_AP_FOUND
        else:
            self._status = STAT_GOT_IP if password == self._password else STAT_WRONG_PASSWORD

    def _leave(self) -> None:
        self._status = STAT_IDLE if self._ssid else STAT_GOT_IP

    def _open(self, host: str, port: int) -> int | dict[str, int]:
        if self._status != STAT_GOT_IP or not self.on_air:
            return {"errno": _ERRNO[errno.EHOSTUNREACH]}
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        made.connect_ex((host, port))  # a refusal shows when the socket is polled
        handle, self._next = self._next, self._next + 1
        self._sockets[handle] = made
        return handle

    def _read(self, handle: int, count: int) -> Any:
        if not self.on_air:
            return None
        size = _READ_BYTES if count < 0 else min(count, _READ_BYTES)
        return self._done(handle, lambda made: base64.b64encode(made.recv(size)).decode())

    def _write(self, handle: int, data: str) -> Any:
        if not self.on_air:
            return None
        return self._done(handle, lambda made: made.send(binascii.a2b_base64(data)))

    def _done(self, handle: int, act: Callable[[socket.socket], Any]) -> Any:
        made = self._sockets.get(handle)
        if made is None:
            return {"errno": errno.EBADF}
        try:
            return act(made)
        except BlockingIOError:
            return None
        except OSError as error:
            return {"errno": _ERRNO.get(error.errno or 0, errno.EIO)}

    def _close(self, handle: int) -> None:
        made = self._sockets.pop(handle, None)
        if made is not None:
            made.close()
