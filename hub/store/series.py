"""Where the samples of one metric lie: its chunks, found by key, and what memory holds beside them."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.model import OutpostError
from hub.store import chunk
from hub.store.names import shapes_of_device, source_of
from hub.store.recent import Held, generation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from hub.store.chunk import Piece

log = logging.getLogger(__name__)


class Moved(OutpostError):
    """The hot log was sealed between the look at memory and the look at the file: look again."""


class Series:
    """The samples of one metric in one snapshot of the file, and `held`. Raises Moved."""

    def __init__(self, connection: sqlite3.Connection, device: str, metric: str, held: Held | None) -> None:
        if held is not None and generation(connection) != held.generation:
            raise Moved
        self.connection = connection
        self.metric = metric
        found = source_of(connection, device)
        self.source = -1 if found is None else found
        shapes = shapes_of_device(connection, device) if found is not None else []
        self._places = {shape.id: shape.places[metric] for shape in shapes if metric in shape.places}
        self._held = None if held is None else held.piece()

    def pieces(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, list[Piece]]]:
        """Yield windows in order of time, each with its pieces, cut to `from_ms <= time < to_ms`."""
        first, last = from_ms // chunk.WINDOW_MS, (to_ms - 1) // chunk.WINDOW_MS
        held = _by_window(_cut(self._held, from_ms, to_ms))
        waiting = sorted(held)
        for window, blobs in self._chunks(first, last):
            while waiting and waiting[0] < window:
                yield waiting[0], [held[waiting.pop(0)]]
            found = [piece for data in blobs for piece in self._decoded(window, data)]
            pieces = [cut for piece in found if (cut := _cut(piece, from_ms, to_ms)) is not None]
            if waiting and waiting[0] == window:
                pieces.append(held[waiting.pop(0)])
            if pieces:
                yield window, pieces
        for window in waiting:
            yield window, [held[window]]

    def held_spans(self, span_ms: int) -> list[int]:
        """Return the starts of the spans of which memory holds samples."""
        if self._held is None:
            return []
        return [int(start) for start in np.unique(self._held.times // span_ms * span_ms)]

    def _decoded(self, window: int, data: bytes) -> list[Piece]:
        try:
            return chunk.pieces(data, self._places)
        except chunk.ChunkDamaged as error:
            log.error("source %d, window %d: %s", self.source, window, error)
            return []

    def _chunks(self, first: int, last: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield each window that has chunks of the device, by key and without an index."""
        window = first
        while window <= last and self._places:
            low = chunk.chunk_id(window, self.source)
            rows = self.connection.execute(
                "SELECT data FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id", (low, low + chunk.PARTS - 1)
            ).fetchall()
            if rows:
                yield window, [data for (data,) in rows]
                window += 1
                continue
            # The next chunk of any device tells how far on the next of this one can be.
            following = self.connection.execute(
                "SELECT id FROM chunk WHERE id > ? ORDER BY id LIMIT 1", (low,)
            ).fetchone()
            if following is None:
                return
            there, source = following[0] >> 28, following[0] >> 8 & chunk.SOURCES - 1
            window = there if source <= self.source else there + 1


def _cut(piece: Piece | None, from_ms: int, to_ms: int) -> Piece | None:
    if piece is None:
        return None
    times = piece.times
    if times[0] >= from_ms and times[-1] < to_ms:
        return piece
    start, end = (int(place) for place in np.searchsorted(times, (from_ms, to_ms)))
    return _slice(piece, start, end) if start < end else None


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
