"""Samples as Parquet (https://parquet.apache.org), by pyarrow, which `outpost-hub[parquet]` brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from typing import IO, Self

    from hub.model import Value
    from hub.store.queries.history import Row

GROUP_ROWS = 200_000
"""Rows of a row group: what is in memory at a time, some 50 MB."""

_NAME = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("device", _NAME),
        ("metric", _NAME),
        ("time", pa.timestamp("ms", tz="UTC")),
        ("value", pa.float64()),
        ("state", pa.bool_()),
        ("text", pa.string()),
        ("quality", _NAME),
    ]
)
"""A value is in the column of its kind; all three are null where the device could not read it."""


class ParquetWriter:
    """Writes rows, a row group at a time; the file is whole when the writer is closed."""

    def __init__(self, file: IO[Any]) -> None:
        self._writer = parquet.ParquetWriter(file, SCHEMA, compression="zstd")
        self._parts: list[tuple[str, str, list[Row]]] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def write(self, device: str, metric: str, rows: list[Row]) -> None:
        """Take rows of one metric."""
        self._parts.append((device, metric, rows))
        self._rows += len(rows)
        if self._rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        columns: list[list[Any]] = [[] for _ in SCHEMA]
        devices, metrics, times, values, states, texts, qualities = columns
        for device, metric, rows in self._parts:
            devices += [device] * len(rows)
            metrics += [metric] * len(rows)
            times += [row.time for row in rows]
            states += [row.value if isinstance(row.value, bool) else None for row in rows]
            texts += [row.value if isinstance(row.value, str) else None for row in rows]
            values += [_number(row.value) for row in rows]
            qualities += [str(row.quality) for row in rows]
        self._parts.clear()
        self._rows = 0
        if times:
            self._writer.write_table(pa.table(columns, schema=SCHEMA))


def _number(value: Value) -> float | None:
    return None if isinstance(value, bool | str) or value is None else float(value)
