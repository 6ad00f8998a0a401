"""Encryption of RTP packets in place (SRTP, RFC 3711 and RFC 7714), by libsrtp's C functions as they are.

pylibsrtp's `Session.protect` copies each packet twice; here a burst is copied once and encrypted where it
lies. The session is the one that aiortc made from the DTLS handshake, so its keys and counters stay one.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import ffi, lib

from hub.camera.errors import CameraError
from hub.camera.viewing.burst import HEADER_BYTES, LIMIT
from hub.camera.viewing.rtp import PAYLOAD_BYTES

if TYPE_CHECKING:
    from hub.camera.viewing.burst import Layout

_ROOM_BYTES = 1500 * (LIMIT + 1)
_FULL_BYTES = HEADER_BYTES + PAYLOAD_BYTES
_INT_BYTES = ffi.sizeof("int")
_memmove, _protect = ffi.memmove, lib.srtp_protect


class EncryptionFailed(CameraError):
    """libsrtp refused a packet; the viewer cannot go on."""


class Workbench:
    """Memory in which bursts are encrypted, one at a time, for any number of viewers. One thread only."""

    def __init__(self) -> None:
        self._room = ffi.new("unsigned char[]", _ROOM_BYTES)
        self._view = memoryview(ffi.buffer(self._room))
        self._lengths = ffi.new("int[]", LIMIT)
        self._full = ffi.new("int[]", [_FULL_BYTES] * LIMIT)
        self._length_places = [self._lengths + index for index in range(LIMIT)]
        self._places: dict[tuple[int, int], list[Any]] = {}

    def seal(self, session: Any, layout: Layout, tag_bytes: int) -> memoryview:
        """Encrypt a burst with a viewer's session; the result is valid until the next call.

        Raises EncryptionFailed.
        """
        data, segment, count, last = layout
        size, lengths = len(data), self._lengths
        _memmove(self._room, data, size)
        _memmove(lengths, self._full, count * _INT_BYTES)
        lengths[count - 1] = last
        places = self._places.get((segment, count)) or self._find_places(segment, count)
        # a loop over the packets that runs in C, which halves what Python costs here
        if any(map(_protect, repeat(session[0]), places, self._length_places)):
            raise EncryptionFailed(f"one of {count} packets could not be encrypted")
        if lengths[count - 1] != last + tag_bytes:
            raise EncryptionFailed(f"encryption did not add {tag_bytes} bytes to a packet")
        return self._view[:size]

    def _find_places(self, segment: int, count: int) -> list[Any]:
        """Give where each of so many packets begins."""
        places = [self._room + index * segment for index in range(count)]
        self._places[segment, count] = places
        return places
