"""Coded pictures cut into RTP payloads, once for all viewers. Pure bytes.

Every payload of a picture but the last of a run is exactly PAYLOAD_BYTES long: the kernel can then cut one
buffer into datagrams by itself (UDP segmentation offload).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.camera.media import Codec

if TYPE_CHECKING:
    from collections.abc import Callable

PAYLOAD_BYTES = 1200
"""With RTP, SRTP, a TURN channel, UDP and IPv6 around it 1280 bytes: all paths carry that (RFC 8200)."""

_START_CODE = b"\x00\x00\x01"
_SEI, _SPS, _PPS, _DELIMITER, _FILLER = 6, 7, 8, 9, 12
_STAP_A, _FU_A = 24, 28


def packetizer(codec: Codec) -> Callable[[bytes], list[bytes]]:
    """Give the function that cuts one coded picture of this codec into payloads."""
    return h264_payloads if codec is Codec.H264 else Vp8Packetizer()


def nal_units(annex_b: bytes) -> list[bytes]:
    """Split a byte stream at its start codes (H.264, annex B)."""
    # zeros before a start code belong to it, and a unit ends in none (7.4.1)
    parts = (part.rstrip(b"\x00") for part in annex_b.split(_START_CODE))
    return [part for part in parts if part]


def h264_payloads(annex_b: bytes) -> list[bytes]:
    """Cut an access unit by RFC 6184, packetization-mode 1; parameter sets travel in one packet."""
    payloads: list[bytes] = []
    small: list[bytes] = []
    for unit in nal_units(annex_b):
        kind = unit[0] & 0x1F
        if kind in (_DELIMITER, _FILLER):
            continue
        if kind in (_SEI, _SPS, _PPS) and len(unit) < PAYLOAD_BYTES // 4:
            small.append(unit)
            continue
        payloads += _aggregated(small)
        small = []
        payloads += _fragmented(unit)
    return payloads + _aggregated(small)


def _aggregated(units: list[bytes]) -> list[bytes]:
    """Put small units together (STAP-A, 5.7.1), as many as fit."""
    if len(units) < 2:
        return list(units)
    head = _STAP_A | max(unit[0] & 0x60 for unit in units)
    together = bytearray((head,))
    for index, unit in enumerate(units):
        if len(together) + 2 + len(unit) > PAYLOAD_BYTES:
            return [bytes(together), *_aggregated(units[index:])]
        together += len(unit).to_bytes(2, "big") + unit
    return [bytes(together)]


def _fragmented(unit: bytes) -> list[bytes]:
    """Send a unit as it is, or in fragments where it is too long (FU-A, 5.8)."""
    if len(unit) <= PAYLOAD_BYTES:
        return [unit]
    indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 0x1F
    step = PAYLOAD_BYTES - 2
    parts = []
    for start in range(1, len(unit), step):
        edge = (0x80 if start == 1 else 0) | (0x40 if start + step >= len(unit) else 0)
        parts.append(bytes((indicator, edge | kind)) + unit[start : start + step])
    return parts


class Vp8Packetizer:
    """Cuts VP8 frames by RFC 7741, with a 15-bit picture id that counts them."""

    def __init__(self) -> None:
        self._picture_id = 0

    def __call__(self, frame: bytes) -> list[bytes]:
        """Cut one frame."""
        picture_id = (0x8000 | self._picture_id).to_bytes(2, "big")
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        step = PAYLOAD_BYTES - 4
        return [
            bytes((0x90 if start == 0 else 0x80, 0x80)) + picture_id + frame[start : start + step]
            for start in range(0, len(frame), step)
        ]
