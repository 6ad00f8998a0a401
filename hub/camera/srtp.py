"""Encryption of RTP packets in place (SRTP, RFC 3711 and RFC 7714), by libsrtp's C functions as they are.

pylibsrtp's `Session.protect` copies each packet twice; here a burst is copied once and encrypted where it
lies. The session is the one that aiortc made from the DTLS handshake, so its keys and counters stay one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import ffi, lib

from hub.camera.burst import LIMIT
from hub.camera.errors import CameraError

if TYPE_CHECKING:
    from hub.camera.burst import Layout

_ROOM_BYTES = 1500 * (LIMIT + 1)


class EncryptionFailed(CameraError):
    """libsrtp refused a packet; the viewer cannot go on."""


class Workbench:
    """Memory in which bursts are encrypted, one at a time, for any number of viewers. One thread only."""

    def __init__(self) -> None:
        self._room = ffi.new("unsigned char[]", _ROOM_BYTES)
        self._view = memoryview(ffi.buffer(self._room))
        self._length = ffi.new("int *")
        self._places: dict[int, list[Any]] = {}

    def seal(self, session: Any, layout: Layout, tag_bytes: int) -> memoryview:
        """Encrypt a burst with a viewer's session; the result is valid until the next call.

        Raises EncryptionFailed.
        """
        data, lengths, segment = layout
        places = self._places.get(segment)
        if places is None:
            places = self._places[segment] = [self._room + index * segment for index in range(LIMIT)]
        ffi.memmove(self._room, data, len(data))
        length, protect, context = self._length, lib.srtp_protect, session[0]
        for place, size in zip(places, lengths, strict=False):
            length[0] = size
            if protect(context, place, length) or length[0] != size + tag_bytes:
                raise EncryptionFailed(f"a packet of {size} bytes could not be encrypted")
        return self._view[: len(data)]
