"""A table on its way out: as JSON, CSV (RFC 4180) or an Arrow stream, whole or a part at a time."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from hub.store.queries.table import Table
from hub.web.api import table_text
from hub.web.problem import answer_of, encode, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiohttp import web

    from hub.store.queries.history import Bucket

Cells: TypeAlias = "Literal['time', 'number', 'count', 'boolean', 'text']"
"""What a column holds; JSON and CSV show every value as it is, Arrow has a type for each."""
Form: TypeAlias = Literal["json", "csv", "arrow"]
Layout: TypeAlias = Literal["rows", "columns"]
"""What an array of a JSON answer holds."""

MEDIA: dict[Form, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
}


class Column(msgspec.Struct, frozen=True):
    """A column's name and what it holds."""

    name: str
    cells: Cells


class Sheet(msgspec.Struct, frozen=True):
    """Rows in the order of `columns`; `head` is what JSON says beside them."""

    columns: tuple[Column, ...]
    rows: Table | Sequence[Bucket] | Sequence[Sequence[object]]
    head: Mapping[str, object]
    next: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]


def json_of(sheet: Sheet, headers: Mapping[str, str], layout: Layout = "rows") -> web.Response:
    """Answer with a sheet as JSON."""
    if layout == "columns":
        return _columns_of(sheet, headers)
    document = {**sheet.head, "columns": sheet.names, "next": sheet.next}
    if isinstance(sheet.rows, Table):
        rows = table_text.rows_of(sheet.rows)
        if rows is not None:
            return answer_of(b"".join((encode(document)[:-1], b',"rows":[', rows, b"]}")), headers=headers)
    return json_answer({**document, "rows": list(sheet.rows)}, headers=headers)


def _columns_of(sheet: Sheet, headers: Mapping[str, str]) -> web.Response:
    """Answer with an array a column; of samples, without the qualities that are all good."""
    if isinstance(sheet.rows, Table):
        pairs = zip(sheet.names, table_text.arrays_of(sheet.rows), strict=True)
        kept = [(name, text) for name, text in pairs if text is not None]
        document = {**sheet.head, "columns": [name for name, _ in kept], "next": sheet.next}
        pieces: list[bytes | memoryview] = [encode(document)[:-1], b',"arrays":']
        for place, (_, text) in enumerate(kept):
            pieces += [b"],[" if place else b"[[", text]
        return answer_of(b"".join((*pieces, b"]]}")), headers=headers)
    columns = list(zip(*map(cells_of, sheet.rows), strict=True)) or [()] * len(sheet.columns)
    document = {**sheet.head, "columns": sheet.names, "next": sheet.next, "arrays": columns}
    return json_answer(document, headers=headers)


class CsvWriter:
    """Writes the parts of a sheet as CSV."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._head: list[str] | None = [column.name for column in columns]

    def part(self, rows: Iterable[object]) -> bytes:
        """Return rows, the head before the first."""
        text = io.StringIO()
        writer = csv.writer(text)
        if self._head is not None:
            writer.writerow(self._head)
            self._head = None
        writer.writerows(map(cells_of, rows))
        return text.getvalue().encode("utf-8", "replace")

    def end(self) -> bytes:
        """Return what ends the text: nothing."""
        return b""


def cells_of(row: object) -> Sequence[object]:
    """Return a row's cells."""
    return msgspec.structs.astuple(row) if isinstance(row, msgspec.Struct) else row  # type: ignore[return-value] # a sequence otherwise


def negotiated(accept: str) -> Form:
    """Return the form that an Accept header likes best (RFC 9110, 12.5.1): JSON unless it names another.

    >>> negotiated("text/csv;q=0.5, application/vnd.apache.arrow.stream")
    'arrow'
    >>> negotiated("text/html, */*;q=0.8")
    'json'
    """
    best: tuple[float, Form] = (0.0, "json")
    for part in accept.lower().split(",")[:32]:
        media, _, parameters = part.partition(";")
        for form, known in MEDIA.items():
            quality = quality_of(parameters)
            if media.strip() == known and quality > best[0]:
                best = quality, form
    return best[1]


def quality_of(parameters: str) -> float:
    """Return the weight among a header's parameters (RFC 9110, 12.4.2): 1 without one, 0 for what is none."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
