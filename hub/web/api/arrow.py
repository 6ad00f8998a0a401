"""Rows as an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html), written by nanoarrow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from hub.web.api.sheet import cells_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hub.web.api.sheet import Cells, Column


class ArrowWriter:
    """Writes the parts of a sheet as record batches, the schema before the first.

    Times are timestamps in ms, UTC; numbers are float64, counts int64, booleans bool, text utf8. A cell that
    is not of its column's type is null (text: written out), so that a stream has one schema to its end.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        import nanoarrow  # noqa: PLC0415 - 0.1 s and 3 MB, for those who ask for it
        from nanoarrow.ipc import StreamWriter  # noqa: PLC0415 - see above

        self._arrow = nanoarrow
        self._kinds = [column.cells for column in columns]
        self._types = [self._type(kind) for kind in self._kinds]
        self._schema = nanoarrow.struct(
            {column.name: kind for column, kind in zip(columns, self._types, strict=True)}
        )
        self._bytes = io.BytesIO()
        self._writer = StreamWriter.from_writable(self._bytes)

    def part(self, rows: Iterable[object]) -> bytes:
        """Return rows as a record batch."""
        table = [cells_of(row) for row in rows]
        count = len(table)
        columns = list(zip(*table, strict=True)) if table else [()] * len(self._kinds)
        children = [
            self._arrow.c_array_from_buffers(kind, count, _BUFFERS[cells](column))
            for kind, cells, column in zip(self._types, self._kinds, columns, strict=True)
        ]
        self._writer.write_array(
            self._arrow.c_array_from_buffers(self._schema, count, [None], children=children)
        )
        return self._taken()

    def end(self) -> bytes:
        """Return what ends the stream."""
        self._writer.close()
        return self._taken() if not self._bytes.closed else b""

    def _taken(self) -> bytes:
        found = self._bytes.getvalue()
        self._bytes.seek(0)
        self._bytes.truncate()
        return found

    def _type(self, cells: Cells) -> Any:
        arrow = self._arrow
        types: dict[Cells, Callable[[], Any]] = {
            "time": lambda: arrow.timestamp("ms", timezone="UTC"),
            "number": arrow.float64,
            "count": arrow.int64,
            "boolean": arrow.bool_,
            "text": arrow.string,
        }
        return types[cells]()


def _valid(present: Sequence[bool]) -> Any:
    return None if all(present) else np.packbits(np.array(present, dtype=np.bool_), bitorder="little")


def _integers(column: Sequence[Any]) -> list[Any]:
    present = [type(cell) is int and -(2**63) <= cell < 2**63 for cell in column]
    numbers = [cell if there else 0 for cell, there in zip(column, present, strict=True)]
    return [_valid(present), np.array(numbers, dtype=np.int64)]


def _numbers(column: Sequence[Any]) -> list[Any]:
    present = [isinstance(cell, int | float) for cell in column]
    numbers = [float(cell) if there else 0.0 for cell, there in zip(column, present, strict=True)]
    return [_valid(present), np.array(numbers, dtype=np.float64)]


def _booleans(column: Sequence[Any]) -> list[Any]:
    present = [isinstance(cell, bool) for cell in column]
    return [
        _valid(present),
        np.packbits(np.array([cell is True for cell in column], dtype=np.bool_), bitorder="little"),
    ]


def _texts(column: Sequence[Any]) -> list[Any]:
    texts = [b"" if cell is None else str(cell).encode("utf-8", "replace") for cell in column]
    ends = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in texts], out=ends[1:])
    return [_valid([cell is not None for cell in column]), ends, b"".join(texts)]


_BUFFERS: dict[Cells, Callable[[Sequence[Any]], list[Any]]] = {
    "time": _integers,
    "number": _numbers,
    "count": _integers,
    "boolean": _booleans,
    "text": _texts,
}
