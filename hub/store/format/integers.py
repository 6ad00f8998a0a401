"""A column of 64-bit integers as few bytes: what a simple guess leaves over, packed, deflated.

A column is coded by the guess that leaves least over: one value, the value before, the same step as before,
or a straight line. What is left over is small, and Huffman's codes alone come within a few percent of its
entropy; where they leave little, a search for repetitions is tried too. All of it is DEFLATE (RFC 1951).
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Signed: TypeAlias = npt.NDArray[np.signedinteger[Any]]
Unsigned: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]

LEVEL = 6
_FORMS = 16
"""Added to a form's number, so that it differs from the first byte of what format 8 and older wrote."""
_BASE, _BEFORE, _STEP, _LINE = range(4)
_FRACTION = 16
"""Bits after the point in a line's slope."""
_REPETITIVE = 0.25
"""Bytes of a byte: where Huffman's codes alone leave less, repetitions are looked for too."""
_MOST = 2**62
_EXACT = 2**53
_PACKED = (1, 2, 4)
_NOTHING: Ints = np.zeros(0, dtype=np.int64)


def encode(numbers: Ints) -> bytes:
    """Return integers as bytes, which `decode` turns back with their count."""
    count = len(numbers)
    if not count:
        return b""
    form, base, step, rest = _guess(numbers)
    zigzag = ((rest << 1) ^ (rest >> 63)).view(np.uint64)
    bits, body = _packed(zigzag)
    numbers_of_form = (base, step) if form in (_STEP, _LINE) else (base,)
    return bytes((_FORMS + form, bits)) + b"".join(map(_varint, numbers_of_form)) + body


def decode(data: bytes, count: int) -> Ints:
    """Undo `encode`, and what older formats wrote. Raises ValueError, zlib.error and the like on others."""
    if count == 0:
        return _NOTHING
    if data[0] < _FORMS:
        return _decode_8(data, count)
    form, bits = data[0] - _FORMS, data[1]
    base, at = _read_varint(data, 2)
    step = 0
    if form in (_STEP, _LINE):
        step, at = _read_varint(data, at)
    whole = form in (_BASE, _LINE)
    rest = _unpacked(data[at:], bits, count if whole else count - 1)
    if whole:
        found = np.add(rest, base, dtype=np.int64)
        return found if form == _BASE else found + _line(step, count)
    if form not in (_BEFORE, _STEP):
        raise ValueError(f"integers in a form that is not known here ({form})")
    found = np.empty(count, dtype=np.int64)
    found[0] = base
    found[1:] = rest
    if form == _STEP and count > 1:
        found[1] += step
        np.cumsum(found[1:], out=found[1:])
    return np.cumsum(found, out=found)


def _guess(numbers: Ints) -> tuple[int, int, int, Ints]:
    """Return (form, base, step, what is left over) of the guess that leaves least."""
    first, last, low, high = int(numbers[0]), int(numbers[-1]), int(numbers.min()), int(numbers.max())
    small = high - low < _EXACT
    base = low + round(float((numbers - low).mean())) if small else first
    best = _BASE, base, 0, numbers - base
    if low == high:
        return best
    least = _size_of(best[3])
    # Of noise about one value the other guesses leave more: a line where its ends are not far apart.
    slope = round(((last - first) << _FRACTION) / (len(numbers) - 1))
    if small and abs(last - first) * len(numbers) > least and abs(slope) * len(numbers) < _MOST:
        rest = numbers - low - _line(slope, len(numbers))
        base = round(float(rest.mean()))
        rest -= base
        size = _size_of(rest)
        if size < least:
            best, least = (_LINE, low + base, slope, rest), size
    steps = numbers[1:] - numbers[:-1]
    size = _size_of(steps)
    if size < least:
        best, least = (_BEFORE, first, 0, steps), size
    rest = np.zeros_like(steps)
    rest[1:] = steps[1:] - steps[:-1]
    if _size_of(rest) < least:
        best = _STEP, first, int(steps[0]), rest
    return best


def _line(slope: int, count: int) -> Ints:
    found = np.arange(count, dtype=np.int64)
    found *= slope
    found >>= _FRACTION
    return found


def _size_of(rest: Ints) -> float:
    return float(np.abs(rest).sum(dtype=np.float64))


def _packed(zigzag: npt.NDArray[np.uint64]) -> tuple[int, bytes]:
    """Return bits a number, and the numbers deflated: small ones alone or several in a byte."""
    most = int(zigzag.max()).bit_length() if len(zigzag) else 0
    if not most:
        return 0, b""
    width = (most + 7) // 8
    bits = 8 * width
    planes = [plane.tobytes() for plane in zigzag.astype("<u8").view(np.uint8).reshape(-1, 8).T[:width]]
    found = _deflated(planes, zlib.Z_HUFFMAN_ONLY)
    if most <= _PACKED[-1]:
        size = next(size for size in _PACKED if most <= size)
        joined = [_joined_in_bytes(zigzag, size)]
        shorter = _deflated(joined, zlib.Z_HUFFMAN_ONLY)
        if len(shorter) < len(found):
            bits, planes, found = size, joined, shorter
    # Where Huffman's codes leave much, there is too little repetition for a search to pay.
    if len(found) < _REPETITIVE * len(zigzag) * width:
        found = min(found, _deflated(planes, zlib.Z_DEFAULT_STRATEGY), _deflated(planes, zlib.Z_RLE), key=len)
    return bits, found


def _joined_in_bytes(zigzag: npt.NDArray[np.uint64], bits: int) -> bytes:
    each = 8 // bits
    small = np.zeros(-(-len(zigzag) // each) * each, dtype=np.uint8)
    small[: len(zigzag)] = zigzag
    found = small[::each].copy()
    for place in range(1, each):
        found |= small[place::each] << place * bits
    return found.tobytes()


def _unpacked(data: bytes, bits: int, count: int) -> Signed:
    """Return numbers as signed ones, as narrow as they were written."""
    if bits == 0:
        return np.zeros(count, dtype=np.int8)
    found = np.frombuffer(zlib.decompress(data, -zlib.MAX_WBITS), dtype=np.uint8)
    zigzag: Unsigned
    if bits in _PACKED:
        each = 8 // bits
        zigzag = np.empty(len(found) * each, dtype=np.uint8)
        for place in range(each):
            zigzag[place::each] = found >> place * bits & (1 << bits) - 1
        zigzag = zigzag[:count]
    else:
        zigzag = _joined(found.reshape(bits // 8, count))
    if len(zigzag) != count:
        raise ValueError("a column is shorter than its count")
    own = f"i{zigzag.itemsize}"
    signed: Signed = (zigzag >> 1).view(own) ^ -(zigzag & 1).view(own)
    return signed


def _joined(planes: npt.NDArray[np.uint8]) -> Unsigned:
    width = len(planes)
    if width == 1:
        first: Unsigned = planes[0]
        return first
    kind = np.dtype(f"u{next(size for size in (2, 4, 8) if width <= size)}")
    found: Unsigned = planes[0].astype(kind)
    for place in range(1, width):
        found |= planes[place].astype(kind) << kind.type(8 * place)
    return found


def _deflated(planes: list[bytes], strategy: int) -> bytes:
    # Without zlib's head and sum: who holds these bytes has a checksum over all of them.
    own = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)
    found = [own.compress(planes[0])]
    for plane in planes[1:]:
        found += own.flush(zlib.Z_BLOCK), own.compress(plane)  # each with codes of its own
    return b"".join(found) + own.flush()


def _varint(number: int) -> bytes:
    """Return a signed number, zigzag-coded, in LEB128."""
    rest = number << 1 if number >= 0 else (-number << 1) - 1
    found = bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    found.append(rest)
    return bytes(found)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and where the next begins."""
    found = shift = 0
    while data[at] & 0x80:
        found |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    found |= data[at] << shift
    return (found >> 1) ^ -(found & 1), at + 1


def _decode_8(data: bytes, count: int) -> Ints:
    """Return what formats 2 to 8 wrote: differences or distances from the first, in planes, in zlib."""
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
