"""A table's rows, or its columns, as JSON, written column by column: no object is made for a cell.

Every column is text of one width, so that arrays can write it. What is padded is white space, which means
nothing in JSON (RFC 8259, section 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hub.store.format.columns import scaled
from hub.store.format.hotlog import QUALITIES
from hub.store.queries.table import spread
from hub.web.problem import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.store.format.columns import Column, Floats, Ints
    from hub.store.queries.table import Part, Table

Letters: TypeAlias = npt.NDArray[np.uint8]
"""A row of text for each row of the table, of one width."""
Texts: TypeAlias = "list[Letters | bytes]"
"""What stands one behind the other in each row; bytes are the same in all."""

_WIDEST = 40
"""Wider text (of devices that send sentences) would be padded too much: it is written row by row."""
_SPACE, _MINUS = b" -"
_NARROW = 9
"""Digits of which 32 bits hold all numbers."""
_NARROW_END = 10**_NARROW
_EXACT = 2.0**53
_GROUP = 10_000
_FOUR = np.frombuffer(b"".join(b"%04d" % number for number in range(_GROUP)), dtype="<u4")
"""Four digits at a time."""


def rows_of(table: Table) -> memoryview | None:
    """Return the rows as a JSON array's content; None where a column is not made for that."""
    count = len(table)
    if not count:
        return memoryview(b"")
    texts: Texts = [b"[", *_whole(table.times)]
    for part in table.parts:
        values = _values(part.column)
        if values is None:
            return None
        for own in (values, _qualities(part)):
            texts += [b",", *_placed(own, part.places, count)]
    return _written([*texts, b"],"], count)


def arrays_of(table: Table) -> list[memoryview | bytes | None]:
    """Return for each column the content of a JSON array; None for qualities that are all good."""
    arrays: list[memoryview | bytes | None] = [_array(_whole(table.times), len(table)) if len(table) else b""]
    for part in table.parts:
        arrays += [_array_of_values(part, len(table)), _array_of_qualities(part, len(table))]
    return arrays


def _array_of_values(part: Part, count: int) -> memoryview | bytes:
    values = _values(part.column)
    if values is None:
        cells = part.column.values()
        return encode(cells if part.places is None else spread(cells, part.places, count))[1:-1]
    return _array(_placed(values, part.places, count), count)


def _array_of_qualities(part: Part, count: int) -> memoryview | None:
    if part.qualities is None or not part.qualities.any():
        return None
    return _array(_placed(_qualities(part), part.places, count), count)


def _array(texts: Texts, count: int) -> memoryview:
    return _written([*texts, b","], count)


def _written(texts: Texts, count: int) -> memoryview:
    """Write as many rows; what follows the last is left out."""
    widths = [len(text) if isinstance(text, bytes) else text.shape[1] for text in texts]
    row = b"".join(
        text if isinstance(text, bytes) else bytes(width) for text, width in zip(texts, widths, strict=True)
    )
    out = np.frombuffer(bytearray(row) * count, dtype=np.uint8).reshape(count, len(row))
    at = 0
    for text, width in zip(texts, widths, strict=True):
        if not isinstance(text, bytes):
            # As one cell a row, which copies in half the time of one a letter.
            out[:, at : at + width].view(f"V{width}")[:] = text.view(f"V{width}")
        at += width
    return memoryview(out.reshape(-1)[:-1])  # type: ignore[arg-type] # an array is a buffer


def _placed(texts: Texts, places: Ints | None, count: int) -> Texts:
    """Spread a metric's cells over the rows, with null in the others."""
    if places is None:
        return texts
    own = np.concatenate(
        [
            np.tile(np.frombuffer(text, dtype=np.uint8), (len(places), 1))
            if isinstance(text, bytes)
            else text
            for text in texts
        ],
        axis=1,
    )
    out = np.full((count, max(4, own.shape[1])), _SPACE, dtype=np.uint8)
    out[:, :4] = np.frombuffer(b"null", dtype=np.uint8)
    out[places, :4] = _SPACE
    out[places, : own.shape[1]] = own
    return [out]


def _qualities(part: Part) -> Texts:
    known = [encode(quality) for quality in QUALITIES]
    return [known[0] if part.qualities is None else _padded(known)[part.qualities]]


def _values(column: Column) -> Texts | None:
    values = next(iter(column.parts.values()))
    if column.tags is None and not isinstance(values, list):
        written = _numbers(values)
        if written is not None:
            return written
    cells = column.values()
    texts = [encode(cell) for cell in cells] if str in set(map(type, cells)) else _split(cells)
    return [_padded(texts)] if max(map(len, texts)) <= _WIDEST else None


def _split(cells: list[Any]) -> list[bytes]:
    """Return numbers, booleans and nulls as JSON."""
    return encode(cells)[1:-1].split(b",")


def _padded(texts: Sequence[bytes]) -> Letters:
    found = np.array(texts, dtype=np.bytes_)
    letters = found.view(np.uint8).reshape(len(found), found.itemsize)
    return np.where(letters, letters, np.uint8(_SPACE))


def _numbers(values: npt.NDArray[Any]) -> Texts | None:
    """Write an array of a column's; None where its numbers have too many digits for it."""
    if values.dtype == np.bool_:
        return [_padded((b"false", b"true"))[values.astype(np.intp)]]
    if values.dtype == np.int64:
        return _whole(values) if values.min() > -(2**63) else None
    decimal = _likely(values) or scaled(values)
    if decimal is None or ((decimal[1] == 0) & np.signbit(values)).any():
        return None
    return _fractions(*decimal)


def _likely(values: Floats) -> tuple[int, Ints] | None:
    """Return decimals and integers as `scaled` does, where a few of the values tell how many decimals."""
    decimals = max(len(repr(value).partition(".")[2]) for value in values[:: len(values) // 8 + 1].tolist())
    if decimals > _NARROW:
        return None
    scale = 10.0**decimals
    with np.errstate(over="ignore"):
        rounded = np.rint(values * scale)
    if not (np.abs(rounded).max() < _EXACT and (rounded / scale == values).all()):
        return None
    return decimals, rounded.astype(np.int64)


def _whole(numbers: Ints) -> Texts:
    """Write integers, but for -2^63, which has no absolute."""
    high, low = int(numbers.max()) // _NARROW_END, int(numbers.min()) // _NARROW_END
    if high == low > 0:
        # As of times, which differ in their last digits alone.
        return [b"%d" % high, _digits(numbers - high * _NARROW_END, _NARROW)]
    return [_signed(_blanked(np.abs(numbers), 1), numbers)]


def _fractions(decimals: int, numbers: Ints) -> Texts:
    """Write integers / 10^decimals, with a point and as many digits after it (one at least)."""
    found = _blanked(np.abs(numbers), decimals + 1)
    if not decimals:
        return [_signed(found, numbers), b".0"]
    return [_signed(found[:, :-decimals], numbers), b".", found[:, -decimals:]]


def _blanked(sizes: Ints, least: int) -> Letters:
    """Write numbers >= 0 with as many digits each; of leading zeros those alone that `least` asks for."""
    digits = max(len(str(int(sizes.max()))), least)
    found = _digits(sizes, digits)
    for place in range(digits - max(len(str(int(sizes.min()))), least)):
        found[sizes < 10 ** (digits - 1 - place), place] = _SPACE
    return found


def _signed(before: Letters, numbers: Ints) -> Letters:
    rows = np.flatnonzero(numbers < 0)
    if not len(rows):
        return before
    out = np.full((before.shape[0], before.shape[1] + 1), _SPACE, dtype=np.uint8)
    out[:, 1:] = before
    out[rows, (before[rows] == _SPACE).sum(axis=1)] = _MINUS
    return out


def _digits(sizes: Ints, count: int) -> Letters:
    groups = (count + 3) // 4
    out = np.empty((len(sizes), groups), dtype="<u4")
    rest = sizes.astype(np.uint32) if count <= _NARROW else sizes
    for group in range(groups - 1, 0, -1):
        above = rest // _GROUP
        out[:, group] = _FOUR[rest - above * _GROUP]
        rest = above
    out[:, 0] = _FOUR[rest]
    return out.view(np.uint8)[:, groups * 4 - count :]
