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
        room = bytes(lane.tag_bytes)
        parts = []
        for index, payload in enumerate(self.payloads):
            sequence = (self.first_sequence + lane.offset + index) & 0xFFFF
            parts += [self.header(index, lane.payload_type, sequence), payload, room]
        segment = HEADER_BYTES + PAYLOAD_BYTES + lane.tag_bytes
        return Layout(b"".join(parts), segment, len(self.payloads), HEADER_BYTES + len(self.payloads[-1]))


def bursts(
    payloads: Sequence[bytes], *, sequence: int, timestamp: int, ssrc: int, keyframe: bool, limit: int
) -> list[Burst]:
    """Group a picture's payloads: a burst ends at `limit` packets and after each packet that is not full."""
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

    def keep(self, burst: Burst) -> None:
        """Remember a burst's packets in place of the oldest."""
        for index in range(len(burst.payloads)):
            sequence = (burst.first_sequence + index) & 0xFFFF
            self._slots[sequence % self._size] = sequence, burst, index

    def find(self, sequence: int) -> tuple[Burst, int] | None:
        """Give the burst and the place in it of a packet; None when it is too old or never was."""
        slot = self._slots[sequence % self._size]
        return slot[1:] if slot is not None and slot[0] == sequence else None
