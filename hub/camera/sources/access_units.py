"""Access units of H.264 put together again where a demuxer cut one picture into several packets.

Some senders (GStreamer's `rtph264pay config-interval=-1`) repeat SPS and PPS in front of every slice of a
keyframe. By the letter (H.264, 7.4.1.2.3) each begins an access unit, so FFmpeg gives a picture of four
slices as four packets. Sent on like that they would be four pictures, each with a hole. Pure bytes, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.camera.viewing.rtp import nal_units

START = b"\x00\x00\x00\x01"
LIMIT_BYTES = 8 << 20
"""No picture is joined beyond this."""

_SLICE, _PARTITION_A, _IDR = 1, 2, 5
_FIRST_SLICES = (_SLICE, _PARTITION_A, _IDR)
_ALL_SLICES = range(_SLICE, _IDR + 1)
_DELIMITER = 9
_NUMBER_BYTES = 12
"""Where a slice's first number ends at the latest, escapes included."""


@dataclass(slots=True)
class Part:
    """What came in one packet: a picture, or some of its slices."""

    data: bytes
    """Annex B."""
    stream_s: float | None
    """The stream's own time; those that FFmpeg cuts from one buffer but the first may have none."""
    time_ms: int
    """When it came."""
    idr: bool = field(init=False, default=False)
    first_mb: int = field(init=False, default=0)
    """Of its first slice, in macroblocks; 0 begins a picture."""

    def __post_init__(self) -> None:
        self.idr, self.first_mb = _first_slice(self.data)


class Assembly:
    """Joins the parts of a picture. It is sent as soon as it is whole.

    That shows only when the next begins. So the first picture of a kind (keyframe or not) waits for the next
    one. If it was whole, those after it wait no more, until one is seen that was not.
    """

    def __init__(self) -> None:
        self._held: list[Part] = []
        self._last: Part | None = None
        self._cut: dict[bool, bool] = {}
        """Whether pictures come in parts, of keyframes and of others, as far as it is known."""

    def put(self, part: Part) -> list[Part]:
        """Take a part; give the pictures that are whole now, none to two."""
        follows = self._last is not None and _follows(self._last, part)
        self._last = part
        if follows:
            self._cut[part.idr] = True
            if self._held and sum(len(held.data) for held in self._held) < LIMIT_BYTES:
                self._held.append(part)
                return []
        elif len(self._held) == 1:
            self._cut.setdefault(self._held[0].idr, False)
        whole = self.end()
        if self._cut.get(part.idr, True):
            self._held = [part]
        else:
            whole.append(part)
        return whole

    def end(self) -> list[Part]:
        """Give what waits: nothing follows."""
        held, self._held = self._held, []
        return [joined(held)] if held else []


def joined(parts: list[Part]) -> Part:
    """Make one picture of its parts: parameter sets and messages first, each once, then the slices."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Part(
        in_order([unit for part in parts for unit in nal_units(part.data)]), first.stream_s, first.time_ms
    )


def in_order(units: list[bytes]) -> bytes:
    """Give units as one access unit (7.4.1.2.3): what is no slice comes first, and once; no delimiters."""
    slices = [unit for unit in units if unit[0] & 0x1F in _ALL_SLICES]
    others = dict.fromkeys(unit for unit in units if unit[0] & 0x1F not in (*_ALL_SLICES, _DELIMITER))
    return b"".join(START + unit for unit in (*others, *slices))


def _follows(before: Part, part: Part) -> bool:
    """Say whether a part goes on with the picture of the one before (7.4.1.2.4, without arbitrary order)."""
    one_time = part.stream_s is None or part.stream_s == before.stream_s or before.stream_s is None
    return one_time and part.idr == before.idr and part.first_mb > before.first_mb


def _first_slice(data: bytes) -> tuple[bool, int]:
    """Give whether the first slice is of an IDR picture, and its first macroblock; 0 where there is none."""
    at = data.find(START[1:])
    while 0 <= at < len(data) - 4:
        kind = data[at + 3] & 0x1F
        if kind in _FIRST_SLICES:
            return kind == _IDR, _unsigned(data[at + 4 : at + 4 + _NUMBER_BYTES])
        at = data.find(START[1:], at + 3)
    return False, 0


def _unsigned(escaped: bytes) -> int:
    """Read an Exp-Golomb number (9.1) at the beginning; 0 where it is cut off."""
    raw = escaped.replace(b"\x00\x00\x03", b"\x00\x00")
    bits = int.from_bytes(raw, "big")
    zeros = 8 * len(raw) - bits.bit_length()
    rest = 8 * len(raw) - 2 * zeros - 1
    return (bits >> rest) - 1 if bits and rest >= 0 else 0
