"""Sending a burst of datagrams to one address: by one system call where the kernel cuts it (UDP GSO)."""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
from typing import Any, Protocol

log = logging.getLogger(__name__)

_UDP_SEGMENT = 103
"""linux/udp.h; Python's socket module does not name it."""
_NO_OFFLOAD = frozenset((errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EMSGSIZE))
"""An old kernel, a device without checksums in hardware, a tunnel, a path with a small MTU."""
_SEGMENT = struct.Struct("=H")
_RELAY_QUEUE_BYTES = 256 * 1024


class Outlet(Protocol):
    """Where one viewer's packets leave the hub."""

    def send(self, data: memoryview, segment: int) -> bool:
        """Send datagrams of `segment` bytes, the last may be shorter. False: some were dropped here."""

    def close(self) -> None:
        """Free what the outlet holds."""


class UdpOutlet:
    """A UDP socket of its own over the file that aioice's socket has: same port, no copy in between."""

    def __init__(self, fileno: int, address: tuple[Any, ...], *, offload: bool = True) -> None:
        self._socket = socket.socket(fileno=os.dup(fileno))
        self._address = address
        self._offload = offload
        self._control: tuple[int, tuple[tuple[int, int, bytes], ...]] = (0, ())
        """A segment's length, and how the kernel is told to cut there."""

    def send(self, data: memoryview, segment: int) -> bool:
        """See Outlet."""
        try:
            if self._offload and len(data) > segment:
                known, control = self._control
                if known != segment:
                    control = ((socket.SOL_UDP, _UDP_SEGMENT, _SEGMENT.pack(segment)),)
                    self._control = segment, control
                self._socket.sendmsg((data,), control, 0, self._address)
            else:
                for start in range(0, len(data), segment):
                    self._socket.sendto(data[start : start + segment], self._address)
        except BlockingIOError:
            return False
        except OSError as error:
            if self._offload and error.errno in _NO_OFFLOAD:
                log.info("sending packet by packet: UDP segmentation offload: %s", error.strerror)
                self._offload = False
                return self.send(data, segment)
            # no route, a port that was closed: consent checks of ICE decide when the viewer is gone
            return False
        return True

    def close(self) -> None:
        """Close the duplicate; aioice closes its own."""
        self._socket.close()


class RelayOutlet:
    """A TURN allocation, which wraps each packet itself."""

    def __init__(self, transport: Any, address: tuple[str, int]) -> None:
        self._transport = transport
        self._address = address

    def send(self, data: memoryview, segment: int) -> bool:
        """See Outlet. What a TURN server by TCP does not take in time is dropped."""
        if self._transport.queued_bytes() > _RELAY_QUEUE_BYTES:
            return False
        for start in range(0, len(data), segment):
            self._transport.sendto(bytes(data[start : start + segment]), self._address)
        return True

    def close(self) -> None:
        """Nothing is held."""
