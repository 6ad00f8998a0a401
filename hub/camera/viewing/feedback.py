"""What a viewer's browser tells by RTCP (RFC 3550, 6; RFC 4585, 6), in the words of this room. Pure bytes.

A browser tells five times a second. Read by aiortc, that costs three quarters of what sending to 64 viewers
does.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SENDER_REPORT, _RECEIVER_REPORT, _TRANSPORT, _PAYLOAD = 200, 201, 205, 206
_NACK = 1
_PLI, _FIR, _APPLICATION = 1, 4, 15
_VERSION, _PADDED, _COUNT = 2, 0x20, 0x1F
_HEAD = struct.Struct("!BBH")
_BLOCK = struct.Struct("!IB11xII")
"""A report's: the stream, the share that was lost, the last sender report that came and when."""
_ENTRY = struct.Struct("!HH")
"""A NACK's: a packet that was lost, and which of the 16 after it."""
_REQUEST = struct.Struct("!I4x")
"""A FIR's: whose keyframe."""
_ESTIMATE = struct.Struct("!4sI")
"""A REMB's: its name; how many streams, and the estimate. The streams follow."""
_STREAM = struct.Struct("!I")
_SENDER_BYTES, _SENDER_INFO_BYTES, _TARGET_BYTES = 4, 20, 8


class Feedback:
    """Subclass it; every method may be called with lies."""

    def keyframe_wanted(self) -> None:
        """Hear a PLI or FIR (RFC 4585, 6.3.1; RFC 5104, 4.3.1)."""

    def packets_lost(self, sequences: Sequence[int]) -> None:
        """Hear a NACK (RFC 4585, 6.2.1) for the viewer's own sequence numbers."""

    def reported(self, *, lost_fraction: float, last_report: int, delay: int) -> None:
        """Hear a receiver report (RFC 3550, 6.4.2): `last_report` and `delay` in 1/65536 s."""

    def bitrate_estimated(self, bits_per_s: int) -> None:
        """Hear a REMB (draft-alvestrand-rmcat-remb)."""


def hear(compound: bytes, ssrc: int, feedback: Feedback) -> None:
    """Tell `feedback` what packets sent together say about the stream `ssrc`.

    What makes no sense is left out.
    """
    for kind, count, body in _packets(compound):
        if kind == _RECEIVER_REPORT:
            _hear_report(body[_SENDER_BYTES:], count, ssrc, feedback)
        elif kind == _SENDER_REPORT:
            _hear_report(body[_SENDER_BYTES + _SENDER_INFO_BYTES :], count, ssrc, feedback)
        elif kind in (_TRANSPORT, _PAYLOAD) and len(body) >= _TARGET_BYTES:
            target = int.from_bytes(body[_SENDER_BYTES:_TARGET_BYTES], "big")
            told = body[_TARGET_BYTES:]
            if kind == _PAYLOAD:
                _hear_payload(count, target, told, ssrc, feedback)
            elif count == _NACK and target == ssrc:
                feedback.packets_lost(_lost(told))


def _packets(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give each packet's type, its count or format, and what follows; ends at the first that is broken."""
    at, size = 0, len(compound)
    while at + _HEAD.size <= size:
        head, kind, words = _HEAD.unpack_from(compound, at)
        start, at = at + _HEAD.size, at + _HEAD.size + 4 * words
        if head >> 6 != _VERSION or at > size:
            return
        end = at
        if head & _PADDED:
            end -= compound[at - 1]
            if end < start or end == at:
                return
        yield kind, head & _COUNT, compound[start:end]


def _hear_report(blocks: bytes, count: int, ssrc: int, feedback: Feedback) -> None:
    for index in range(min(count, len(blocks) // _BLOCK.size)):
        of, lost, last_report, delay = _BLOCK.unpack_from(blocks, index * _BLOCK.size)
        if of == ssrc:
            feedback.reported(lost_fraction=lost / 256, last_report=last_report, delay=delay)


def _hear_payload(form: int, target: int, told: bytes, ssrc: int, feedback: Feedback) -> None:
    if form == _PLI and target == ssrc:
        feedback.keyframe_wanted()
    elif form == _FIR and (ssrc,) in _REQUEST.iter_unpack(_whole(told, _REQUEST)):
        # its target is in its entries (RFC 5104, 4.3.1.2)
        feedback.keyframe_wanted()
    elif form == _APPLICATION and len(told) >= _ESTIMATE.size:
        name, estimate = _ESTIMATE.unpack_from(told)
        streams = told[_ESTIMATE.size :][: _STREAM.size * (estimate >> 24)]
        if name == b"REMB" and (ssrc,) in _STREAM.iter_unpack(_whole(streams, _STREAM)):
            feedback.bitrate_estimated((estimate & 0x3FFFF) << (estimate >> 18 & 0x3F))


def _lost(entries: bytes) -> list[int]:
    lost: list[int] = []
    for first, others in _ENTRY.iter_unpack(_whole(entries, _ENTRY)):
        lost.append(first)
        lost += [(first + 1 + bit) & 0xFFFF for bit in range(16) if others >> bit & 1]
    return lost


def _whole(data: bytes, entry: struct.Struct) -> bytes:
    """Leave out what is cut off."""
    return data[: len(data) - len(data) % entry.size]
