"""The hot log: each commit's readings in one row, for the quarter of an hour until they are sealed."""

from __future__ import annotations

import math
import zlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import msgspec

from hub.model import Quality, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

QUALITIES = tuple(Quality)
"""A quality's place is its number in the file."""
_FLOOD = 8_000
"""So many samples in one commit are a flood, in which time counts for more than bytes."""


class Block(msgspec.Struct, array_like=True):
    """Readings of one shape in one commit, turned to columns."""

    shape: int
    times: list[int]
    """Source times, UTC ms. In the file: the first, then differences."""
    delays: list[int]
    """Hub time less source time."""
    qualities: list[int]
    """One a row; empty: all good."""
    columns: list[list[Value]]


class BootSeq(msgspec.Struct, array_like=True, frozen=True):
    """How far a boot of a device had come with that commit."""

    device: str
    boot_id: str
    seq: int
    time: int


class Hot(msgspec.Struct, array_like=True):
    """What one commit stores."""

    blocks: list[Block]
    boots: list[BootSeq]


_JSON = msgspec.json.Decoder(Hot)
_MSGPACK = msgspec.msgpack.Decoder(Hot)


def encode(hot: Hot) -> bytes:
    """Return a row's bytes: JSON or MessagePack, deflated (zlib, RFC 1950, whose Adler-32 guards it).

    Of few samples JSON is the smaller by a fifth; of many both come to the same, and MessagePack is written
    in a tenth of the time.
    """
    blocks = [
        Block(
            block.shape,
            block.times[:1] + [after - before for before, after in pairwise(block.times)],
            block.delays,
            block.qualities,
            block.columns,
        )
        for block in hot.blocks
    ]
    whole = Hot(blocks, hot.boots)
    if sum(len(block.times) * len(block.columns) for block in blocks) < _FLOOD:
        return zlib.compress(msgspec.json.encode(whole), 9)
    return zlib.compress(msgspec.msgpack.encode(whole), 1)


def decode(data: bytes) -> Hot:
    """Undo `encode`. Raises ValueError or zlib.error on other bytes."""
    text = zlib.decompress(data)
    hot = (_JSON if text.startswith(b"[") else _MSGPACK).decode(text)
    for block in hot.blocks:
        block.times = list(accumulate(block.times))
        # JSON has one kind of number: 5.0 is written so and read as a float, an integer as an integer.
    return hot


def storable(column: Sequence[Value]) -> list[Value]:
    """Return values as the file can hold them. What it cannot hold is rare, so that is looked for first."""
    types = set(map(type, column))
    if types == {float}:
        total = sum(column)  # type: ignore[arg-type] # all are floats; NaN and infinity show in their sum
        plain = total - total == 0
    elif types == {int}:
        plain = min(column) >= -(2**63) and max(column) < 2**63  # type: ignore[type-var,operator] # all are integers
    else:
        plain = types <= {bool, type(None)}
    if plain:
        return list(column)
    return [_storable(value) for value in column]


def _storable(value: Value) -> Value:
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is str:
        return clean(value)
    if type(value) is int and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 2**1023 else None
    return value


def clean(text: str) -> str:
    """Text that has a UTF-8 form: a lone surrogate, which a device's JSON may carry, becomes `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
