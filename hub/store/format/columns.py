"""A column of values as few bytes: every value comes back bit for bit, with its type.

Numbers with a few decimals become integers (checked to be exact), which `integers` makes small.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from hub.store.format import integers
from hub.store.format.integers import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.model import Value
    from hub.store.format.packing import Values

Ints: TypeAlias = integers.Ints
Floats: TypeAlias = npt.NDArray[np.float64]

_NULL, _INT, _FLOAT, _BOOL, _TEXT, _MIXED = range(6)
_TAGS: dict[type, int] = {type(None): _NULL, int: _INT, float: _FLOAT, bool: _BOOL, str: _TEXT}
_TAGS_OF_ARRAYS = {"i": _INT, "f": _FLOAT, "b": _BOOL}
_MOST_DECIMALS = 9
_SCALES = 10.0 ** np.arange(_MOST_DECIMALS + 1)[:, None]
_RAW = 255
"""In place of the number of decimals: the floats' own bits."""
_SIGNS = 0x40
"""Added to the number of decimals: it is told which zeros are negative (rounding makes such). Before format 9
0x80 was added, and it was told of every value."""
_DECIMALS = 0x3F
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


def column_of(values: Values) -> Column:
    """Sort values by type, without coding them."""
    if isinstance(values, np.ndarray):
        return Column(None, {_TAGS_OF_ARRAYS[values.dtype.kind]: values})
    types = set(map(type, values))
    if len(types) == 1:
        return Column(None, {_TAGS[types.pop()]: values})
    tags = np.array([_TAGS[type(value)] for value in values], dtype=np.uint8)
    parts = {
        _TAGS[one]: [value for value in values if type(value) is one]
        for one in sorted(types, key=_TAGS.__getitem__)
    }
    return Column(tags, parts)


def encode(values: Values) -> bytes:
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


def scaled(numbers: Floats) -> tuple[int, Ints] | None:
    """Return (decimals, integers) that give exactly these floats again when divided; None where none do.

    -0.0 becomes 0.
    """
    # A few are tried with all decimals at once: most columns take those, or none.
    probe = numbers[:16]
    with np.errstate(over="ignore", invalid="ignore"):
        fits = (np.rint(probe * _SCALES) / _SCALES == probe).all(axis=1)
    for decimals in np.flatnonzero(fits).tolist():
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
        return bytes((_RAW,)) + integers.encode(numbers.view(np.int64))
    zeros = decimal[1] == 0
    negative = np.signbit(numbers[zeros])
    if not negative.any():
        return bytes((decimal[0],)) + integers.encode(decimal[1])
    signs = integers.encode(negative.astype(np.int64))
    return struct.pack("<BI", decimal[0] | _SIGNS, len(signs)) + signs + integers.encode(decimal[1])


def decode_floats(data: bytes, count: int) -> Floats:
    """Undo `encode_floats`, and what older formats wrote."""
    if data[0] == _RAW:
        return integers.decode(data[1:], count).view(np.float64)
    decimals = data[0] & _DECIMALS
    if data[0] == decimals:
        return integers.decode(data[1:], count) / 10.0**decimals
    (size,) = struct.unpack_from("<I", data, 1)
    found = integers.decode(data[5 + size :], count) / 10.0**decimals
    if data[0] & _SIGNS:
        zeros = np.flatnonzero(found == 0.0)
        found[zeros[integers.decode(data[5 : 5 + size], len(zeros)) != 0]] = -0.0
    else:
        found[_decode_booleans(data[5 : 5 + size], count)] = -0.0
    return found


def _encode_texts(texts: Sequence[str]) -> bytes:
    known: dict[str, int] = {}
    codes = [known.setdefault(text, len(known)) for text in texts]
    words = zlib.compress(msgspec.json.encode(list(known)), LEVEL)
    return struct.pack("<I", len(words)) + words + integers.encode(np.array(codes, dtype=np.int64))


def _decode_texts(data: bytes, count: int) -> list[str]:
    (size,) = struct.unpack_from("<I", data)
    words = _TEXTS.decode(zlib.decompress(data[4 : 4 + size]))
    return [words[code] for code in integers.decode(data[4 + size :], count).tolist()]


def _decode_booleans(data: bytes, count: int) -> npt.NDArray[np.bool_]:
    packed = np.frombuffer(zlib.decompress(data), dtype=np.uint8)
    return np.unpackbits(packed, count=count).astype(np.bool_)


_ENCODERS: dict[int, Callable[[Any], bytes]] = {
    _NULL: lambda _: b"",
    _INT: lambda part: integers.encode(np.asarray(part, dtype=np.int64)),
    _FLOAT: lambda part: encode_floats(np.asarray(part, dtype=np.float64)),
    _BOOL: lambda part: zlib.compress(np.packbits(np.array(part, dtype=np.bool_)).tobytes(), LEVEL),
    _TEXT: _encode_texts,
}
_DECODERS: dict[int, Callable[[bytes, int], Any]] = {
    _NULL: lambda _, count: [None] * count,
    _INT: integers.decode,
    _FLOAT: decode_floats,
    _BOOL: _decode_booleans,
    _TEXT: _decode_texts,
}
