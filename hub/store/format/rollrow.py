"""A row of rollups as bytes: the buckets of one tier and one device, a part a metric."""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from hub.store.format import chunk, columns, integers, summary
from hub.store.format.columns import Floats, Ints
from hub.store.format.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hub.store.format.tiers import Tier

Buckets: TypeAlias = tuple[Ints, Summary]
"""Starts (UTC ms), ascending, and what their samples come to."""

NOTHING: Buckets = (np.zeros(0, dtype=np.int64), summary.joined([]))

_HEAD = struct.Struct("<BII")
_FORMAT = 1
_DIGITS = 9
"""Of the largest value in a row, to which means by time are right."""
_BEFORE_6 = 9
"""Parts of a metric's starts and fields in format 5 and before, at most: without `uncovered`."""


class _Header(msgspec.Struct, array_like=True):
    metric: str
    rows: int
    sizes: list[int]
    """Bytes of the starts (in widths of the tier) and of the fields."""


_HEADERS = msgspec.msgpack.Decoder(list[_Header])


def encode(found: Mapping[str, Buckets], tier: Tier) -> bytes:
    """Return a row's bytes."""
    headers, bodies = [], []
    for metric, (starts, spans) in found.items():
        own = _fields(starts, spans, tier)
        headers.append(_Header(metric, len(starts), [len(body) for body in own]))
        bodies += own
    return _sealed(headers, bodies)


def read(data: bytes, metric: str, tier: Tier) -> Buckets | None:
    """Return what a row says of a metric; None where it says nothing. Raises ChunkDamaged."""
    return chunk.careful(lambda: _read(data, metric, tier))


def read_all(data: bytes, tier: Tier) -> dict[str, Buckets]:
    """Return what a row says of each metric. Raises ChunkDamaged."""
    return chunk.careful(
        lambda: {header.metric: _decoded(data, header, at, tier) for header, at in _headers(data)}
    )


def outline(data: bytes) -> list[tuple[str, int, int]]:
    """Return each metric with its buckets and their bytes. Raises ChunkDamaged."""
    return chunk.careful(
        lambda: [(header.metric, header.rows, sum(header.sizes)) for header, _ in _headers(data)]
    )


def narrowed(data: bytes, kept: Callable[[str], bool]) -> bytes:
    """Return a row with some of its metrics, as they stand; empty where none is kept. Raises ChunkDamaged."""
    parts = chunk.careful(lambda: [(header, at) for header, at in _headers(data) if kept(header.metric)])
    if not parts:
        return b""
    bodies = [data[at : at + sum(header.sizes)] for header, at in parts]
    return _sealed([header for header, _ in parts], bodies)


def _sealed(headers: list[_Header], bodies: list[bytes]) -> bytes:
    header = msgspec.msgpack.encode(headers)
    rest = struct.pack("<I", len(header)) + header + b"".join(bodies)
    return struct.pack("<BI", _FORMAT, zlib.crc32(rest)) + rest


def _fields(starts: Ints, spans: Summary, tier: Tier) -> list[bytes]:
    # Times as distances from the bucket's edges, and what is seldom there by itself: regular sampling
    # makes them all alike, which costs a few bytes a row.
    whole = spans.last_ms - spans.first_ms
    return [
        integers.encode(starts // tier.width_ms),
        integers.encode(spans.count),
        columns.encode_floats(spans.low),
        columns.encode_floats(spans.high),
        columns.encode_floats(spans.total),
        columns.encode_floats(spans.last),
        integers.encode(spans.first_ms - starts),
        integers.encode(starts + tier.width_ms - spans.last_ms),
        _encode_weights(spans),
        integers.encode(whole - spans.covered_ms),
    ]


def _encode_weights(spans: Summary) -> bytes:
    """Return by how much means by time differ from what even times give.

    Rounded to a billionth of the largest value: two bytes, the decimals (signed), then integers.
    """
    largest = float(np.maximum(np.abs(spans.low), np.abs(spans.high)).max(initial=0.0))
    if largest == 0.0:
        return b""
    decimals = min(_DIGITS - math.ceil(math.log10(largest)), 300)  # 10.0 ** 309 is no float
    with np.errstate(all="ignore"):
        apart = (spans.held / np.maximum(spans.covered_ms, 1) - _even(spans)) * 10.0**decimals
    whole = np.rint(np.where((spans.covered_ms > 0) & np.isfinite(apart), apart, 0.0)).astype(np.int64)
    return struct.pack("<h", decimals) + integers.encode(whole)


def _decode_weights(data: bytes, spans: Summary) -> Floats:
    if not data:
        return np.zeros(len(spans))
    (decimals,) = struct.unpack_from("<h", data)
    apart = integers.decode(data[2:], len(spans)) / 10.0**decimals
    with np.errstate(all="ignore"):
        held: Floats = np.where(spans.covered_ms > 0, (_even(spans) + apart) * spans.covered_ms, 0.0)
    return held


def _even(spans: Summary) -> Floats:
    """Return the mean by time as it is when all samples but the last hold equally long."""
    found: Floats = (spans.total - spans.last) / np.maximum(spans.count - 1, 1)
    return found


def _headers(data: bytes) -> Iterator[tuple[_Header, int]]:
    chunk.check(data)
    at = _HEAD.size + _HEAD.unpack_from(data)[2]
    for header in _HEADERS.decode(data[_HEAD.size : at]):
        yield header, at
        at += sum(header.sizes)


def _read(data: bytes, metric: str, tier: Tier) -> Buckets | None:
    for header, at in _headers(data):
        if header.metric == metric:
            return _decoded(data, header, at, tier)
    return None


def _decoded(data: bytes, header: _Header, at: int, tier: Tier) -> Buckets:
    parts = []
    for size in header.sizes:
        parts.append(data[at : at + size])
        at += size
    rows = header.rows

    def ints(place: int) -> Ints:
        return integers.decode(parts[place], rows)

    def floats(place: int) -> Floats:
        return columns.decode_floats(parts[place], rows)

    starts = ints(0) * tier.width_ms
    first_ms = last_ms = starts
    covered_ms, held = np.zeros(rows, dtype=np.int64), np.zeros(rows)
    weighed = len(parts) > _BEFORE_6
    if weighed:
        first_ms, last_ms = starts + ints(6), starts + tier.width_ms - ints(7)
        covered_ms = last_ms - first_ms - ints(9)
    elif len(parts) == _BEFORE_6:  # booleans alone, whose value held from each to the next, however long
        first_ms, last_ms, held = ints(6), ints(7), floats(8)
        covered_ms = last_ms - first_ms
    spans = Summary(
        low=floats(2),
        high=floats(3),
        total=floats(4),
        count=ints(1),
        last=floats(5),
        first_ms=first_ms,
        last_ms=last_ms,
        held=held,
        covered_ms=covered_ms,
    )
    if weighed:
        spans = msgspec.structs.replace(spans, held=_decode_weights(parts[8], spans))
    return starts, spans
