"""A column of values as few bytes: every value comes back bit for bit, with its type.

Numbers with a few decimals become integers (checked to be exact), integers their differences, and the bytes
of one significance stand together before zlib, since those of neighbours are alike.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.model import Value

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

LEVEL = 6
_NULL, _INT, _FLOAT, _BOOL, _TEXT, _MIXED = range(6)
_TAGS: dict[type, int] = {type(None): _NULL, int: _INT, float: _FLOAT, bool: _BOOL, str: _TEXT}
_MOST_DECIMALS = 9
_RAW = 255
"""In place of the number of decimals: the floats' own bits."""
_SIGNED = 0x80
"""Added to the number of decimals: it is told which zeros are negative (rounding makes such)."""
_EXACT = 2.0**53
_TEXTS = msgspec.json.Decoder(list[str])


class Column(msgspec.Struct, frozen=True):
    """Decoded values: one array per type, and where there is more than one type each value's tag."""

    tags: npt.NDArray[np.uint8] | None
    parts: dict[int, Any]

    def values(self) -> list[Value]:
        """Return the values as they were put in."""
        if self.tags is None:
            (part,) = self.parts.values()
            return part if isinstance(part, list) else part.tolist()
        sources = {
            tag: iter(part if isinstance(part, list) else part.tolist()) for tag, part in self.parts.items()
        }
        return [next(sources[tag]) for tag in self.tags.tolist()]

    def numbers(self) -> tuple[npt.NDArray[np.bool_] | None, Floats]:
        """Return the numbers and booleans as floats, and which places they are at (None: all)."""
        if self.tags is None:
            ((tag, part),) = self.parts.items()
            if tag in (_INT, _FLOAT, _BOOL):
                return None, np.asarray(part, dtype=np.float64)
            return np.zeros(len(part), dtype=np.bool_), np.zeros(0)
        found = np.zeros(len(self.tags))
        for tag in (_INT, _FLOAT, _BOOL):
            if tag in self.parts:
                found[self.tags == tag] = self.parts[tag]
        places = (self.tags == _INT) | (self.tags == _FLOAT) | (self.tags == _BOOL)
        return places, found[places]

    def slice(self, start: int, end: int) -> Column:
        """Return the values of those places."""
        if self.tags is None:
            ((tag, part),) = self.parts.items()
            return Column(None, {tag: part[start:end]})
        found = {}
        for tag, part in self.parts.items():
            places = self.tags == tag
            before = int(places[:start].sum())
            count = int(places[start:end].sum())
            if count:
                found[tag] = part[before : before + count]
        tags = self.tags[start:end]
        return Column(tags if len(found) > 1 else None, found)

    @property
    def boolean(self) -> bool:
        """Tell that there are booleans among the values."""
        return _BOOL in self.parts

    def nulls(self) -> npt.NDArray[np.bool_] | None:
        """Return which places are null; None where none is."""
        if _NULL not in self.parts:
            return None
        return np.ones(len(self.parts[_NULL]), np.bool_) if self.tags is None else self.tags == _NULL


def column_of(values: Sequence[Value]) -> Column:
    """Sort values by type, without coding them."""
    types = set(map(type, values))
    if len(types) == 1:
        return Column(None, {_TAGS[types.pop()]: values})
    tags = np.array([_TAGS[type(value)] for value in values], dtype=np.uint8)
    parts = {
        _TAGS[one]: [value for value in values if type(value) is one]
        for one in sorted(types, key=_TAGS.__getitem__)
    }
    return Column(tags, parts)


def encode(values: Sequence[Value]) -> bytes:
    """Return values (finite numbers, integers of 64 bits, booleans, text, None) as bytes."""
    column = column_of(values)
    if column.tags is None:
        ((tag, part),) = column.parts.items()
        return bytes((tag,)) + _ENCODERS[tag](part)
    bodies = [zlib.compress(column.tags.tobytes(), LEVEL)]
    bodies += [_ENCODERS[tag](part) for tag, part in column.parts.items()]
    head = bytes((_MIXED, len(column.parts), *column.parts))
    return head + b"".join(struct.pack("<I", len(body)) + body for body in bodies)


def decode(data: bytes, count: int) -> Column:
    """Undo `encode` of `count` values. Raises ValueError, zlib.error and the like on other bytes."""
    tag = data[0]
    if tag != _MIXED:
        return Column(None, {tag: _DECODERS[tag](data[1:], count)})
    kinds = data[2 : 2 + data[1]]
    bodies = []
    at = 2 + len(kinds)
    for _ in range(1 + len(kinds)):
        (size,) = struct.unpack_from("<I", data, at)
        bodies.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    tags = np.frombuffer(zlib.decompress(bodies[0]), dtype=np.uint8)
    parts = {
        kind: _DECODERS[kind](body, int((tags == kind).sum()))
        for kind, body in zip(kinds, bodies[1:], strict=True)
    }
    return Column(tags, parts)


def encode_ints(numbers: Ints) -> bytes:
    """Return 64-bit integers as bytes: differences where they are smaller, zigzag, byte planes, zlib."""
    if not len(numbers):
        return b""
    steps = np.diff(numbers)
    differ = bool(
        np.abs(steps, dtype=np.float64).sum() <= np.abs(numbers - numbers[0], dtype=np.float64).sum()
    )
    rest = steps if differ else numbers[1:] - numbers[0]
    zigzag = ((rest << 1) ^ (rest >> 63)).view(np.uint64)
    most = int(zigzag.max()) if len(zigzag) else 0
    width = (most.bit_length() + 7) // 8
    planes = zigzag.astype("<u8").view(np.uint8).reshape(-1, 8).T[:width]
    head = struct.pack("<BBq", differ, width, int(numbers[0]))
    return head + (zlib.compress(planes.tobytes(), LEVEL) if width else b"")


def decode_ints(data: bytes, count: int) -> Ints:
    """Undo `encode_ints`."""
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    differ, width, first = struct.unpack_from("<BBq", data)
    found = np.empty(count, dtype=np.int64)
    found[0] = first
    zigzag = np.zeros(count - 1, dtype=np.uint64)
    if width:
        planes = np.frombuffer(zlib.decompress(data[10:]), dtype=np.uint8).reshape(width, count - 1)
        zigzag[:] = planes[0]
        for place in range(1, width):
            zigzag |= planes[place].astype(np.uint64) << np.uint64(8 * place)
    found[1:] = (zigzag >> 1).view(np.int64) ^ -(zigzag & 1).view(np.int64)
    if differ:
        return np.cumsum(found, out=found)
    found[1:] += first
    return found


def scaled(numbers: Floats) -> tuple[int, Ints] | None:
    """Return (decimals, integers) that give exactly these floats again when divided; None where none do.

    -0.0 becomes 0.
    """
    probe = numbers[:16]
    for decimals in range(_MOST_DECIMALS + 1):
        if _at(probe, decimals) is None:
            continue
        found = _at(numbers, decimals)
        if found is not None:
            return decimals, found
    return None


def _at(numbers: Floats, decimals: int) -> Ints | None:
    scale = 10.0**decimals
    with np.errstate(over="ignore"):
        rounded = np.rint(numbers * scale)
    if not (np.abs(rounded) < _EXACT).all():
        return None
    found = rounded.astype(np.int64)
    # Both are exact (powers of ten to 10^22 are), so the quotient is the float nearest to the decimal.
    return found if (found / scale == numbers).all() else None


def encode_floats(numbers: Floats) -> bytes:
    """Return floats as bytes, by their decimals where they have few."""
    decimal = scaled(numbers)
    if decimal is None:
        return bytes((_RAW,)) + encode_ints(numbers.view(np.int64))
    negative_zeros = (decimal[1] == 0) & np.signbit(numbers)
    if not negative_zeros.any():
        return bytes((decimal[0],)) + encode_ints(decimal[1])
    packed = zlib.compress(np.packbits(negative_zeros).tobytes(), LEVEL)
    return struct.pack("<BI", decimal[0] | _SIGNED, len(packed)) + packed + encode_ints(decimal[1])


def decode_floats(data: bytes, count: int) -> Floats:
    """Undo `encode_floats`."""
    if data[0] == _RAW:
        return decode_ints(data[1:], count).view(np.float64)
    if not data[0] & _SIGNED:
        return decode_ints(data[1:], count) / 10.0 ** data[0]
    (size,) = struct.unpack_from("<I", data, 1)
    found = decode_ints(data[5 + size :], count) / 10.0 ** (data[0] & ~_SIGNED)
    found[_decode_booleans(data[5 : 5 + size], count)] = -0.0
    return found


def _encode_texts(texts: Sequence[str]) -> bytes:
    known: dict[str, int] = {}
    codes = [known.setdefault(text, len(known)) for text in texts]
    words = zlib.compress(msgspec.json.encode(list(known)), LEVEL)
    return struct.pack("<I", len(words)) + words + encode_ints(np.array(codes, dtype=np.int64))


def _decode_texts(data: bytes, count: int) -> list[str]:
    (size,) = struct.unpack_from("<I", data)
    words = _TEXTS.decode(zlib.decompress(data[4 : 4 + size]))
    return [words[code] for code in decode_ints(data[4 + size :], count).tolist()]


def _decode_booleans(data: bytes, count: int) -> npt.NDArray[np.bool_]:
    packed = np.frombuffer(zlib.decompress(data), dtype=np.uint8)
    return np.unpackbits(packed, count=count).astype(np.bool_)


_ENCODERS: dict[int, Callable[[Any], bytes]] = {
    _NULL: lambda _: b"",
    _INT: lambda part: encode_ints(np.array(part, dtype=np.int64)),
    _FLOAT: lambda part: encode_floats(np.array(part, dtype=np.float64)),
    _BOOL: lambda part: zlib.compress(np.packbits(np.array(part, dtype=np.bool_)).tobytes(), LEVEL),
    _TEXT: _encode_texts,
}
_DECODERS: dict[int, Callable[[bytes, int], Any]] = {
    _NULL: lambda _, count: [None] * count,
    _INT: decode_ints,
    _FLOAT: decode_floats,
    _BOOL: _decode_booleans,
    _TEXT: _decode_texts,
}
