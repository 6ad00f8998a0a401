"""The live stream compressed once for all: pieces of a zlib stream that need nothing before them.

Each is a deflate block of its own with a full flush behind it (RFC 1951, zlib's Z_FULL_FLUSH), so that pieces
made for many clients fit behind each other in any order, behind the header of RFC 1950. The stream has no end
and so no checksum: it is cut.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from hub.web.api.sheet import quality_of

if TYPE_CHECKING:
    from aiohttp import web

ENCODING = "deflate"
HEADER = b"\x78\x01"
_LEAST = 400
"""Bytes below which compressing does not pay: they go as they are, in a stored block."""
_LEVEL = 4
_STORED = struct.Struct("<BHH")


def packed(plain: bytes) -> bytes:
    """Return bytes as a piece of the stream."""
    if len(plain) < _LEAST:
        return _STORED.pack(0, len(plain), len(plain) ^ 0xFFFF) + plain
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)


def accepted(request: web.Request) -> bool:
    """Return whether the client itself takes `deflate` (RFC 9110, 12.5.3).

    Proxies that ask for compression on their own and unpack it again, at their own pace, ask for gzip alone.
    """
    if request.version < (1, 1):
        return False
    for part in request.headers.get("Accept-Encoding", "").lower().split(",")[:32]:
        coding, _, parameters = part.partition(";")
        if coding.strip() == ENCODING:
            return quality_of(parameters) > 0
    return False
