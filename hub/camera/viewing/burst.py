"""Runs of RTP packets as they lie in memory for encryption, made once for all viewers; and those of late."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hub.camera.viewing.rtp import PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER_BYTES = 12
LIMIT = 48
"""The most packets that a burst may have: the kernel takes 64 segments and 65,507 bytes at once."""

_TOGETHER = 32
"""So many bursts are put in their places in the ring at once: one by one each finds the CPU's caches cold."""
_HEADER = struct.Struct("!BBHII")
_VERSION = 0x80
_MARKER = 0x80


class Layout(NamedTuple):
    """Packets one after another, each followed by room for its authentication tag."""

    data: bytes
    segment: int
    """Bytes from one packet to the next; all but the last fill it."""
    packets: int
    """How many."""
    last: int
    """Bytes of the last packet, without the tag."""


class Lane(NamedTuple):
    """What makes one viewer's packets differ from another's before encryption."""

    payload_type: int
    offset: int
    """Added to the shared sequence number."""
    tag_bytes: int


@dataclass(slots=True)
class Burst:
    """Packets of one picture, all but the last of them PAYLOAD_BYTES long."""

    first_sequence: int
    timestamp: int
    ssrc: int
    payloads: tuple[bytes, ...]
    starts_keyframe: bool
    ends_picture: bool
    octets: int = 0
    """Of all payloads."""
    _layouts: dict[Lane, Layout] = field(default_factory=dict)

    def layout(self, lane: Lane) -> Layout:
        """Give the packets of a lane: viewers on the same lane share one copy."""
        made = self._layouts.get(lane)
        if made is None:
            made = self._layouts[lane] = self._lay_out(lane)
        return made

    def forget_layouts(self) -> None:
        """Free what was made for sending; the payloads stay for resending."""
        self._layouts.clear()

    def header(self, index: int, payload_type: int, sequence: int, ssrc: int | None = None) -> bytes:
        """Give the RTP header (RFC 3550, 5.1) of a packet under another number."""
        marker = _MARKER if self.ends_picture and index == len(self.payloads) - 1 else 0
        return _HEADER.pack(
            _VERSION, marker | payload_type, sequence, self.timestamp, self.ssrc if ssrc is None else ssrc
        )

    def _lay_out(self, lane: Lane) -> Layout:
        payload_type, offset, tag_bytes = lane
        payloads, timestamp, ssrc, pack = self.payloads, self.timestamp, self.ssrc, _HEADER.pack
        room, count = bytes(tag_bytes), len(payloads)
        sequence = self.first_sequence + offset
        last = self.header(count - 1, payload_type, (sequence + count - 1) & 0xFFFF)
        parts: list[bytes] = []
        for payload in payloads[:-1]:
            parts += (pack(_VERSION, payload_type, sequence & 0xFFFF, timestamp, ssrc), payload, room)
            sequence += 1
        parts += (last, payloads[-1], room)
        segment = HEADER_BYTES + PAYLOAD_BYTES + tag_bytes
        return Layout(b"".join(parts), segment, count, HEADER_BYTES + len(payloads[-1]))


def bursts(
    payloads: Sequence[bytes], *, sequence: int, timestamp: int, ssrc: int, keyframe: bool, limit: int
) -> list[Burst]:
    """Group a picture's payloads: a burst ends at `limit` packets and after each packet that is not full."""
    octets, count = sum(map(len, payloads)), len(payloads)
    if 0 < count <= limit <= LIMIT and octets - len(payloads[-1]) == (count - 1) * PAYLOAD_BYTES:
        # most pictures
        return [Burst(sequence, timestamp, ssrc, tuple(payloads), keyframe, True, octets)]
    limit = min(limit, LIMIT)
    groups: list[list[bytes]] = [[]]
    for payload in payloads:
        if len(groups[-1]) == limit:
            groups.append([])
        groups[-1].append(payload)
        if len(payload) < PAYLOAD_BYTES:
            groups.append([])
    groups = [group for group in groups if group]
    made = []
    for index, group in enumerate(groups):
        made.append(
            Burst(
                first_sequence=sequence,
                timestamp=timestamp,
                ssrc=ssrc,
                payloads=tuple(group),
                starts_keyframe=keyframe and index == 0,
                ends_picture=index == len(groups) - 1,
                octets=sum(map(len, group)),
            )
        )
        sequence = (sequence + len(group)) & 0xFFFF
    return made


class Ring:
    """The packets of late, by shared sequence number, for viewers who lost some. One for all viewers."""

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._slots: list[tuple[int, Burst, int] | None] = [None] * size
        self._new: list[Burst] = []

    def keep(self, burst: Burst) -> None:
        """Remember a burst's packets in place of the oldest."""
        self._new.append(burst)
        if len(self._new) >= _TOGETHER:
            self._place()

    def find(self, sequence: int) -> tuple[Burst, int] | None:
        """Give the burst and the place in it of a packet; None when it is too old or never was."""
        if self._new:
            self._place()
        slot = self._slots[sequence % self._size]
        return slot[1:] if slot is not None and slot[0] == sequence else None

    def _place(self) -> None:
        for burst in self._new:
            for index in range(len(burst.payloads)):
                sequence = (burst.first_sequence + index) & 0xFFFF
                self._slots[sequence % self._size] = sequence, burst, index
        self._new.clear()
