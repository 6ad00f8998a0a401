"""History out of a CSV file: `outpost export`'s, or another whose columns are named."""

from __future__ import annotations

import csv
import re
from datetime import UTC, tzinfo
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from hub.model import Kind
from hub.store.transfer.import_values import (
    IMPORTED_TIMES,
    ImportFailed,
    Skipped,
    TimeForm,
    quality_of,
    value_of,
)
from hub.store.writing.samples import MAX_TIME_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from hub.model import Value
    from hub.store.transfer.bulk import Bulk

OWN = ["device", "metric", "time", "value", "quality"]
"""The columns of `outpost export`, whose times are UTC ms."""

_HEAD_BYTES = 65536
_WITH_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?\s*")


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns hold what; `for_device` and `for_metric` are the same for all rows instead.

    Without a metric each of several value columns is one, by its name.
    """

    time: str = "time"
    values: tuple[str, ...] = ("value",)
    device: str = "device"
    metric: str = "metric"
    quality: str = "quality"
    unit: str = "unit"
    for_device: str | None = None
    for_metric: str | None = None
    time_form: TimeForm = "auto"
    zone: tzinfo = UTC
    """Of times without an offset."""
    delimiter: str | None = None
    decimal: str = "."
    """What is before a number's fraction: a point or a comma."""


def name_of(file: Path, columns: Columns) -> str:
    """Return a name for this import, the same when it goes on. Raises ImportFailed."""
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD_BYTES)
    except OSError as error:
        raise ImportFailed(f"{file}: cannot be read: {error.strerror}") from error
    return "csv " + blake2b(head + repr(columns).encode(), digest_size=8).hexdigest()


def bring(file: Path, columns: Columns, bulk: Bulk, progress: Callable[[int, int], None]) -> Skipped:
    """Import a file; `progress` is told bytes done and bytes in all. Raises ImportFailed, StoreError."""
    skipped = Skipped()
    try:
        with file.open("rb") as opened:
            size = file.stat().st_size
            lines = _Lines(opened)
            head, delimiter = _head(file, lines, columns)
            reader = _Reader(file, head, columns, bulk)
            lines.seek(max(lines.done, bulk.position("bytes")))
            for row in _rows(lines, delimiter, skipped):
                try:
                    reader.take(row)
                except ValueError as error:
                    skipped.add(f"byte {lines.done}", str(error))
                if bulk.full:
                    bulk.flush({"bytes": lines.done})
                    progress(lines.done, size)
            bulk.finish()
            progress(size, size)
    except OSError as error:
        raise ImportFailed(f"{file}: cannot be read: {error.strerror}") from error
    return skipped


class _Lines:
    """Lines as text, and how many bytes were handed out."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self.done = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._opened.readline(csv.field_size_limit())
        if not line:
            raise StopIteration
        first = self.done == 0
        self.done += len(line)
        return line.decode("utf-8-sig" if first else "utf-8", "replace")

    def seek(self, place: int) -> None:
        """Go on at a byte."""
        self._opened.seek(place)
        self.done = place


def _head(file: Path, lines: _Lines, columns: Columns) -> tuple[list[str], str]:
    line = next(lines, "")
    delimiter = columns.delimiter or max(",;\t", key=line.count)
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])], delimiter
    except csv.Error as error:
        raise ImportFailed(f"{file}: the first line is no head of a CSV file: {error}") from error


def _rows(lines: _Lines, delimiter: str, skipped: Skipped) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            skipped.add(f"byte {lines.done}", str(error))
            reader = csv.reader(lines, delimiter=delimiter)
            continue
        if row:
            yield row


class _Reader:
    """Makes samples of rows. Raises ImportFailed where a column is missing."""

    def __init__(self, file: Path, head: Sequence[str], columns: Columns, bulk: Bulk) -> None:
        self._file = file
        self._head = head
        self._bulk = bulk
        self._columns = columns
        self._texts: dict[tuple[str, str], bool] = {}
        own = columns.time_form == "auto" and list(head) == OWN
        self._time_ms = IMPORTED_TIMES["ms" if own else columns.time_form]
        self._time = self._place(columns.time, "--time")
        self._values = [(name, self._place(name, "--value")) for name in columns.values]
        self._device = (
            None if columns.for_device else self._place(columns.device, "--device or --device-column")
        )
        named = len(columns.values) > 1 or columns.for_metric is not None
        self._metric = None if named else self._place(columns.metric, "--metric or --metric-column")
        self._quality = head.index(columns.quality) if columns.quality in head else None
        self._unit = head.index(columns.unit) if columns.unit in head else None

    def _place(self, name: str, option: str) -> int:
        if name not in self._head:
            shown = ", ".join(self._head[:20]) or "nothing"
            raise ImportFailed(
                f"{self._file}: there is no column {name!r}, only {shown}; say with {option} which it is"
            )
        return self._head.index(name)

    def take(self, row: list[str]) -> None:
        """Take one row. Raises ValueError where it is none, saying why."""
        if len(row) != len(self._head):
            raise ValueError(f"not the {len(self._head)} columns of the head")
        device = self._columns.for_device if self._device is None else row[self._device]
        time = self._time_ms(row[self._time].strip(), self._columns.zone)
        if not 0 <= time <= MAX_TIME_MS:
            raise ValueError("a time before 1970 or past all calendars")
        quality = 0 if self._quality is None else quality_of(row[self._quality])
        unit = "" if self._unit is None else row[self._unit]
        for name, place in self._values:
            metric = row[self._metric] if self._metric is not None else self._columns.for_metric or name
            if not device or not metric:
                raise ValueError("no device or no metric")
            self._bulk.put(device, metric, time, self._value(device, metric, row[place]), quality, unit)

    def _value(self, device: str, metric: str, text: str) -> Value:
        key = device, metric
        plain = self._texts.get(key)
        if plain is None:
            plain = self._texts[key] = self._is_text(device, metric)
        if plain:
            return text or None
        if self._columns.decimal == "," and _WITH_COMMA.fullmatch(text):
            text = text.replace(",", ".")
        return value_of(text)

    def _is_text(self, device: str, metric: str) -> bool:
        """Tell that the store knows a metric as text, which may look like a number."""
        known = self._bulk.births.get(device)
        kinds = [] if known is None else [one.kind for one in known[0].metrics if one.name == metric]
        return bool(kinds) and kinds[0] in (Kind.TEXT, Kind.ENUM)
