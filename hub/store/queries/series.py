"""Where the samples of one metric lie: its chunks, found by key, and what memory holds beside them."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.model import OutpostError
from hub.store.format import chunk
from hub.store.format.names import shapes_of_device, source_of
from hub.store.queries.budget import MAX_AT_ONCE, QueryRefused
from hub.store.queries.chunks import Chunks
from hub.store.writing.recent import Held, generation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from hub.store.format.chunk import Opened, Piece
    from hub.store.queries.budget import Budget

log = logging.getLogger(__name__)


class Moved(OutpostError):
    """The hot log was sealed between the look at memory and the look at the file: look again."""


class Series:
    """The samples of one metric in one snapshot of the file, and `held`. Raises Moved.

    What is opened is told to `budget`, and shared with the series that are given the same `chunks`.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        device: str,
        metric: str,
        held: Held | None,
        budget: Budget | None = None,
        chunks: Chunks | None = None,
    ) -> None:
        if held is not None and generation(connection) != held.generation:
            raise Moved
        self.connection = connection
        self.device = device
        self._budget = budget
        self.metric = metric
        found = source_of(connection, device)
        self.source = -1 if found is None else found
        shapes = shapes_of_device(connection, device) if found is not None else []
        self._places = {shape.id: shape.places[metric] for shape in shapes if metric in shape.places}
        self._held = None if held is None else held.piece()
        self._chunks = Chunks(connection) if chunks is None else chunks
        self._day: tuple[int, dict[int, list[Piece]]] = (-1, {})

    def pieces(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, list[Piece]]]:
        """Yield windows in order of time, each with its pieces, cut to `from_ms <= time < to_ms`.

        Raises QueryRefused where the budget has no more.
        """
        first, last = from_ms // chunk.WINDOW_MS, (to_ms - 1) // chunk.WINDOW_MS
        held = _by_window(_cut(self._held, from_ms, to_ms))
        waiting = sorted(held)
        for window, found in self._found(first, last):
            while waiting and waiting[0] < window:
                yield waiting[0], [held[waiting.pop(0)]]
            pieces = [cut for piece in found if (cut := _cut(piece, from_ms, to_ms)) is not None]
            if waiting and waiting[0] == window:
                pieces.append(held[waiting.pop(0)])
            if pieces:
                yield window, pieces
        for window in waiting:
            yield window, [held[window]]

    def pieces_back(self, from_ms: int, to_ms: int) -> Iterator[list[Piece]]:
        """Yield the same as `pieces`, the last window first."""
        first, last = from_ms // chunk.WINDOW_MS, (to_ms - 1) // chunk.WINDOW_MS
        held = _by_window(_cut(self._held, from_ms, to_ms))
        waiting = sorted(held)
        for window in self._windows_back(first, last):
            while waiting and waiting[-1] > window:
                yield [held[waiting.pop()]]
            if waiting and waiting[-1] == window:
                waiting.pop()
            start_ms = window * chunk.WINDOW_MS
            found = self.pieces(max(from_ms, start_ms), min(to_ms, start_ms + chunk.WINDOW_MS))
            yield from (pieces for _, pieces in found)
        while waiting:
            yield [held[waiting.pop()]]

    def held_spans(self, span_ms: int) -> list[int]:
        """Return the starts of the spans of which memory holds samples."""
        if self._held is None:
            return []
        return [int(start) for start in np.unique(self._held.times // span_ms * span_ms)]

    def _spend(self, opened: list[Piece], before: int) -> int:
        """Tell the budget; return how many samples of one window are open now."""
        count = sum(len(piece.times) for piece in opened)
        if self._budget is not None:
            self._budget.spend(count)
            if before + count > MAX_AT_ONCE:
                raise QueryRefused(
                    f"{self.metric} has more than {MAX_AT_ONCE:,} samples in a quarter of an hour, the most"
                    " that a query holds at a time; ask for a shorter span",
                    "from",
                )
        return before + count

    def _decoded(self, window: int, opened: Opened) -> list[Piece]:
        try:
            return opened.pieces(self._places)
        except chunk.ChunkDamaged as error:
            log.error("source %d, window %d: %s", self.source, window, error)
            return []

    def _found(self, first: int, last: int) -> Iterator[tuple[int, list[Piece]]]:
        """Yield each window that has samples of the metric in the file, by key and without an index."""
        window = first
        while window <= last and self._places:
            pieces = list(self._whole(window).get(window, ()))
            count = sum(len(piece.times) for piece in pieces)
            for part in self._chunks.between(*chunk.part_ids(window, self.source)):
                opened = self._decoded(window, part)
                count = self._spend(opened, count)
                pieces += opened
            if pieces:
                yield window, pieces
                window += 1
                continue
            following = self._following(window)
            if following is None:
                return
            window = following

    def _whole(self, window: int) -> dict[int, list[Piece]]:
        """Return what the chunk of the day about a window holds, by window; empty where there is none."""
        identity = chunk.day_id(window, self.source)
        if self._day[0] != identity:
            parts = self._chunks.between(identity, identity)
            opened = [piece for part in parts for piece in self._decoded(window, part)]
            self._spend(opened, 0)
            found: dict[int, list[Piece]] = {}
            for piece in opened:
                for at, part in _by_window(piece).items():
                    found.setdefault(at, []).append(part)
            self._day = identity, found
        return self._day[1]

    def _following(self, window: int) -> int | None:
        """Return the next window that may have samples after one that has none; None: there is none."""
        row = self.connection.execute(
            "SELECT id FROM chunk WHERE id > ? ORDER BY id LIMIT 1", (chunk.chunk_id(window, self.source),)
        ).fetchone()
        if row is None:
            return None
        # The next chunk of any device tells how far on the next of this one can be.
        there, source = int(row[0]) >> 28, row[0] >> 8 & chunk.SOURCES - 1
        day_start = there // chunk.DAY_WINDOWS * chunk.DAY_WINDOWS
        if day_start > window:
            return day_start  # where that day's chunk, whose key is its last, may begin
        in_day = [at for at in self._whole(window) if at > window]
        return max(window + 1, min([there if source <= self.source else there + 1, *in_day]))

    def _windows_back(self, first: int, last: int) -> Iterator[int]:
        """Yield each window that may have samples of the device in the file, the last first."""
        window = last
        while window >= first and self._places:
            if self._budget is not None:
                self._budget.spend()
            in_day = max((at for at in self._whole(window) if at <= window), default=-1)
            parts, there = self._preceding(window)
            if in_day >= there and in_day >= first:
                yield in_day
                window = in_day - 1
            elif parts and first <= there:
                yield there
                window = there - 1
            elif there < 0:
                return
            else:
                window = there

    def _preceding(self, window: int) -> tuple[bool, int]:
        """Return whether parts are there, and the last window up to this one that may have any; or -1."""
        _, high = chunk.part_ids(window, self.source)
        row = self.connection.execute(
            "SELECT id FROM chunk WHERE id <= ? ORDER BY id DESC LIMIT 1", (high,)
        ).fetchone()
        if row is None:
            return False, -1
        there, source = row[0] >> 28, row[0] >> 8 & chunk.SOURCES - 1
        if source == self.source:
            return row[0] & chunk.PARTS - 1 != chunk.PARTS - 1, there
        return False, there if source > self.source else there - 1


def _cut(piece: Piece | None, from_ms: int, to_ms: int) -> Piece | None:
    if piece is None:
        return None
    times = piece.times
    if times[0] >= from_ms and times[-1] < to_ms:
        return piece
    start, end = (int(place) for place in np.searchsorted(times, (from_ms, to_ms)))
    return _slice(piece, start, end) if start < end else None


def piece_from(piece: Piece, from_ms: int) -> Piece | None:
    """Return what of a piece is not before a time; None where nothing is."""
    return _cut(piece, from_ms, int(piece.times[-1]) + 1) if piece.times[-1] >= from_ms else None


def piece_until(piece: Piece, to_ms: int) -> Piece | None:
    """Return what of a piece is before a time; None where nothing is."""
    return _cut(piece, int(piece.times[0]), to_ms) if piece.times[0] < to_ms else None


def _slice(piece: Piece, start: int, end: int) -> Piece:
    qualities = None if piece.qualities is None else piece.qualities[start:end]
    return msgspec.structs.replace(
        piece, times=piece.times[start:end], qualities=qualities, column=piece.column.slice(start, end)
    )


def _by_window(piece: Piece | None) -> dict[int, Piece]:
    if piece is None:
        return {}
    windows = piece.times // chunk.WINDOW_MS
    cuts = [0, *(np.flatnonzero(np.diff(windows)) + 1).tolist(), len(windows)]
    return {int(windows[start]): _slice(piece, start, end) for start, end in pairwise(cuts)}
