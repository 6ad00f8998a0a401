"""A chunk: what one device sent in a window of time, compressed, self-contained but for its shapes' names."""

from __future__ import annotations

import struct
import zlib
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from hub.model import OutpostError
from hub.store.format import columns, integers
from hub.store.format.integers import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from hub.store.format.columns import Column, Ints
    from hub.store.format.packing import Values

T = TypeVar("T")

WINDOW_MS = 900_000
"""The span of source time that a chunk covers."""
PARTS = 256
DAY_WINDOWS = 96
SOURCES = 1 << 20
_CELL = 8
_FORMAT = 1
_HEAD = struct.Struct("<BII")
"""Format, CRC-32 of all that follows this field, length of the header (MessagePack)."""


class ChunkDamaged(OutpostError):
    """A chunk's bytes are not those that were written."""


class Group(msgspec.Struct):
    """Samples of one shape: `times` ascending, a quality a row (None: all good), a column a metric."""

    shape: int
    times: Ints
    qualities: npt.NDArray[np.uint8] | None
    columns: list[Values]

    @property
    def samples(self) -> int:
        """How many samples these are."""
        return len(self.times) * len(self.columns)


class Piece(msgspec.Struct, frozen=True):
    """Samples of one metric, in order of time: `qualities` are those of the readings (None: all good)."""

    times: Ints
    qualities: npt.NDArray[np.uint8] | None
    column: Column


class _Header(msgspec.Struct, array_like=True):
    shape: int
    rows: int
    sizes: list[int]
    """Bytes of the times, of the qualities (0: all good) and of each column."""


_HEADERS = msgspec.msgpack.Decoder(list[_Header])


def chunk_id(window: int, source: int, part: int = 0) -> int:
    """Return the key of a chunk; keys grow with time, so that the oldest chunks lie together."""
    return window << 28 | source << 8 | part


def part_ids(window: int, source: int) -> tuple[int, int]:
    """Return the first and the last key that a window's parts can have."""
    low = chunk_id(window, source)
    return low, low + PARTS - 2


def day_id(window: int, source: int) -> int:
    """Return the key of the chunk that holds the day about a window: the last of the day's keys.

    So what goes by key and age goes when the whole day is old.
    """
    return chunk_id(window // DAY_WINDOWS * DAY_WINDOWS + DAY_WINDOWS - 1, source, PARTS - 1)


def windows_of(identity: int) -> range:
    """Return the windows that the chunk of a key covers: one, or a day's."""
    window = identity >> 28
    whole = identity & PARTS - 1 == PARTS - 1 and window % DAY_WINDOWS == DAY_WINDOWS - 1
    return range(window - DAY_WINDOWS + 1 if whole else window, window + 1)


def encode(groups: Sequence[Group]) -> bytes:
    """Return a chunk's bytes."""
    headers, bodies = [], []
    for group in groups:
        own = [integers.encode(group.times)]
        qualities = group.qualities
        own.append(b"" if qualities is None else zlib.compress(qualities.tobytes(), LEVEL))
        own += [columns.encode(column) for column in group.columns]
        headers.append(_Header(group.shape, len(group.times), [len(body) for body in own]))
        bodies += own
    return _sealed(headers, bodies)


def _sealed(headers: list[_Header], bodies: list[bytes]) -> bytes:
    header = msgspec.msgpack.encode(headers)
    rest = struct.pack("<I", len(header)) + header + b"".join(bodies)
    return struct.pack("<BI", _FORMAT, zlib.crc32(rest)) + rest


def decode(data: bytes) -> list[Group]:
    """Return all that a chunk holds. Raises ChunkDamaged."""
    return careful(lambda: [_group(data, header, at) for header, at in _headers(data)])


class Opened:
    """A chunk for several questions: checked once, each of its columns decoded once, when it is asked for.

    What it gives is shared and must not be written to.
    """

    def __init__(self, data: bytes) -> None:
        """Raise ChunkDamaged unless the bytes are those that were written."""
        self.data = data
        self._headers = careful(lambda: list(_headers(data)))
        self._starts: dict[int, tuple[Ints, npt.NDArray[np.uint8] | None]] = {}
        self._columns: dict[tuple[int, int], Column] = {}
        self.cost = len(data) + sum(_CELL * header.rows * len(header.sizes) for header, _ in self._headers)
        """Bytes of memory, about, when all of it is decoded."""

    def pieces(self, places: dict[int, int]) -> list[Piece]:
        """Return the samples of one metric; `places` says where each shape has it. Raises ChunkDamaged."""
        return careful(
            lambda: [
                self._piece(header, at, places[header.shape])
                for header, at in self._headers
                if header.shape in places
            ]
        )

    def _piece(self, header: _Header, at: int, place: int) -> Piece:
        if at not in self._starts:
            self._starts[at] = _start(self.data, header, at)
        if (at, place) not in self._columns:
            self._columns[at, place] = _column(self.data, header, at, place)
        return Piece(*self._starts[at], self._columns[at, place])


def shapes(data: bytes) -> list[tuple[int, Ints]]:
    """Return each group's shape and times. Raises ChunkDamaged."""
    return careful(
        lambda: [
            (header.shape, integers.decode(data[at : at + header.sizes[0]], header.rows))
            for header, at in _headers(data)
        ]
    )


def outline(data: bytes) -> list[tuple[int, int, list[int]]]:
    """Return each group's shape, rows and its columns' bytes, from a chunk's first KB or so, unchecked.

    Raises ChunkDamaged.
    """
    return careful(
        lambda: [
            (header.shape, header.rows, header.sizes[2:])
            for header in _HEADERS.decode(data[_HEAD.size : _HEAD.size + _HEAD.unpack_from(data)[2]])
        ]
    )


def narrowed(data: bytes, kept: Callable[[int], tuple[int, Sequence[int]]]) -> tuple[bytes, int]:
    """Return a chunk with fewer columns, which stand as they are, and how many samples are in it.

    `kept` gives for a shape which shape stays, and which of the columns' places. Raises ChunkDamaged.
    """
    return careful(lambda: _narrowed(data, kept))


def _narrowed(data: bytes, kept: Callable[[int], tuple[int, Sequence[int]]]) -> tuple[bytes, int]:
    headers, bodies, samples = [], [], 0
    for header, at in _headers(data):
        shape, places = kept(header.shape)
        if not places:
            continue
        ends = [at, *(at + end for end in accumulate(header.sizes))]
        parts = [0, 1, *(2 + place for place in places)]
        bodies += [data[ends[part] : ends[part + 1]] for part in parts]
        headers.append(_Header(shape, header.rows, [header.sizes[part] for part in parts]))
        samples += header.rows * len(places)
    return _sealed(headers, bodies), samples


def check(data: bytes) -> None:
    """Raise ChunkDamaged unless the bytes are those that were written."""
    if len(data) < _HEAD.size or data[0] != _FORMAT or zlib.crc32(data[5:]) != _HEAD.unpack_from(data)[1]:
        raise ChunkDamaged("a chunk's checksum does not fit; its samples are left out")


def careful(work: Callable[[], T]) -> T:
    """Do work on bytes of the file. Raises ChunkDamaged for whatever they do to a decoder."""
    try:
        return work()
    except (ValueError, IndexError, KeyError, struct.error, zlib.error, msgspec.DecodeError) as error:
        raise ChunkDamaged(f"a chunk cannot be decoded ({error}); its samples are left out") from error


def _headers(data: bytes) -> Iterator[tuple[_Header, int]]:
    check(data)
    at = _HEAD.size + _HEAD.unpack_from(data)[2]
    for header in _HEADERS.decode(data[_HEAD.size : at]):
        yield header, at
        at += sum(header.sizes)


def _start(data: bytes, header: _Header, at: int) -> tuple[Ints, npt.NDArray[np.uint8] | None]:
    times = integers.decode(data[at : at + header.sizes[0]], header.rows)
    at += header.sizes[0]
    if not header.sizes[1]:
        return times, None
    return times, np.frombuffer(zlib.decompress(data[at : at + header.sizes[1]]), dtype=np.uint8)


def _column(data: bytes, header: _Header, at: int, place: int) -> Column:
    at += sum(header.sizes[: 2 + place])
    return columns.decode(data[at : at + header.sizes[2 + place]], header.rows)


def _group(data: bytes, header: _Header, at: int) -> Group:
    found: list[Values] = [
        _column(data, header, at, place).values() for place in range(len(header.sizes) - 2)
    ]
    return Group(header.shape, *_start(data, header, at), found)
