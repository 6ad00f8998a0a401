"""What is older than its metric may be leaves the file: whole rows where all of it goes, else columns."""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from hub.store.format import chunk, rollrow, tiers
from hub.store.format.names import Names, shape_of_id, shapes_of_device

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from hub.store.format.tiers import Tier
    from hub.store.lifetime.policy import Policy

log = logging.getLogger(__name__)

_PART_ROWS = 64
"""The most rows that are written again in one transaction."""


class Shelf(msgspec.Struct, frozen=True):
    """A part of the file whose rows lie by time: the samples (`tier` None), or a tier of the rollups."""

    keep: str
    tier: Tier | None = None

    @property
    def table(self) -> str:
        """The table."""
        return "chunk" if self.tier is None else "roll"

    @property
    def step(self) -> int:
        """How far the keys of one time lie from those of the next."""
        return 1 << 28 if self.tier is None else 1 << 20

    def first_id(self, time_ms: int) -> int:
        """Return the least key of rows that hold a time or later ones."""
        if self.tier is None:
            return chunk.chunk_id(max(0, time_ms) // chunk.WINDOW_MS, 0)
        return tiers.row_id(self.tier, max(0, time_ms), 0)

    def place(self, identity: int) -> tuple[int, int, int]:
        """Return (source, begin, end) of a row, times in ms."""
        if self.tier is None:
            windows = chunk.windows_of(identity)
            source = identity >> 8 & chunk.SOURCES - 1
            return source, windows.start * chunk.WINDOW_MS, windows.stop * chunk.WINDOW_MS
        source, begin_ms = tiers.row_place(self.tier, identity)
        return source, begin_ms, begin_ms + self.tier.row_ms


RAW = Shelf("raw")
SHELVES = (RAW, *(Shelf(tier.keep, tier) for tier in reversed(tiers.TIERS)))
"""Finest first."""


class Gone(msgspec.Struct):
    """What one transaction came to."""

    rows: int = 0
    """Deleted."""
    parts: int = 0
    """Written again with less in them."""
    bytes: int = 0
    """Left the file."""
    rewritten_bytes: int = 0
    more: bool = False


class Expiry:
    """The rules against the file. Every method runs inside the caller's transaction."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def step(self, connection: sqlite3.Connection, now_ms: int, limit: int) -> Gone:
        """Let up to `limit` rows go, or some parts of rows; `more` when there may be others.

        A row goes when all in it is older than it may be, and its rollups are made. How far rows have been
        looked at stands in `state`: a metric that goes earlier than others costs no look at old rows.
        """
        gone = Gone()
        for shelf in SHELVES:
            ages = self._ages(connection, shelf)
            for age_ms in sorted({age for own in ages.values() for age in own.values() if age is not None}):
                self._walk(connection, shelf, age_ms, ages, now_ms, limit, gone)
                if gone.more:
                    return gone
        return gone

    def revisit(
        self, connection: sqlite3.Connection, source: int, begin_ms: int, end_ms: int, now_ms: int
    ) -> None:
        """Look again at what of a device lies in a span, since late samples came into it."""
        row = connection.execute("SELECT device FROM source WHERE id = ?", (source,)).fetchone()
        if row is None:
            return
        for shelf in SHELVES:
            own = self._ages_of(connection, shelf, row[0])
            ages = [age for age in own.values() if age is not None]
            if not ages or end_ms > now_ms - min(ages):
                continue
            ids = connection.execute(
                f"SELECT id FROM {shelf.table} WHERE id >= ? AND id < ?",  # noqa: S608 - one of two names
                (shelf.first_id(begin_ms), shelf.first_id(end_ms - 1) + shelf.step),
            ).fetchall()
            for (identity,) in ids:
                owner, _, row_end_ms = shelf.place(identity)
                if owner == source:
                    self._drop(connection, shelf, identity, _kept(own, now_ms - row_end_ms), Gone())

    def _walk(
        self,
        connection: sqlite3.Connection,
        shelf: Shelf,
        age_ms: int,
        ages: dict[int, dict[str, int | None]],
        now_ms: int,
        limit: int,
        gone: Gone,
    ) -> None:
        whole = {
            source
            for source, own in ages.items()
            if all(age is not None and age <= age_ms for age in own.values())
        }
        partly = {source for source, own in ages.items() if age_ms in own.values()} - whole
        key = f"expired {shelf.keep} {age_ms}"
        # Where all that old goes, nothing is left behind, and rows that came late are found too.
        all_go = len(whole) == len(ages)
        at = shelf.first_id(0) if all_go else _looked_at(connection, key, shelf)
        before_ms = self._before(connection, shelf, now_ms - age_ms)
        end = shelf.first_id(before_ms)
        rows = connection.execute(
            f"SELECT id FROM {shelf.table} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",  # noqa: S608 - see above
            (at, end, limit),
        ).fetchall()
        for (identity,) in rows:
            source, begin_ms, row_end_ms = shelf.place(identity)
            if row_end_ms > before_ms and (source in whole or source in partly):
                end = at = identity  # a day's chunk, of which some is young
                break
            if shelf.tier is None and self._lacks_seconds(connection, source, begin_ms, row_end_ms):
                end = at = identity  # till they are made
                break
            if source in whole or source not in ages:
                self._drop(connection, shelf, identity, frozenset(), gone)
            elif source in partly:
                self._drop(connection, shelf, identity, _kept(ages[source], now_ms - row_end_ms), gone)
            at = identity + 1
            if gone.parts >= _PART_ROWS:
                gone.more = True
                break
        else:
            gone.more = len(rows) == limit
        if not all_go:
            _note_looked_at(connection, key, at if gone.more else max(at, end))

    def _lacks_seconds(self, connection: sqlite3.Connection, source: int, begin_ms: int, end_ms: int) -> bool:
        """Tell that a rule came to ask for buckets of 10 s of samples that were there; have them made."""
        if not self._policy.stores_seconds:
            return False
        (device,) = connection.execute("SELECT device FROM source WHERE id = ?", (source,)).fetchone() or (
            "",
        )
        keeps = [self._policy.keep(device, name) for name in _metrics(connection, device)]
        if not any(keep.seconds != 0 for keep in keeps):
            return False
        # A chunk of a day spans four rows.
        spans = range(begin_ms, end_ms, tiers.SECONDS.row_ms)
        for start_ms in spans:
            row_id = tiers.row_id(tiers.SECONDS, start_ms, source)
            if connection.execute("SELECT 1 FROM roll WHERE id = ?", (row_id,)).fetchone() is not None:
                return False
        for start_ms in spans:
            tiers.mark_jobs(connection, (tiers.SECONDLY,), start_ms, source)
        return True

    def _before(self, connection: sqlite3.Connection, shelf: Shelf, before_ms: int) -> int:
        """Return until when what is older than a time is in the rollups too."""
        if shelf.tier is None:
            jobs = tiers.JOBS if self._policy.stores_seconds else tiers.JOBS[1:]
            for job in jobs:
                waits = tiers.due(connection, job, before_ms + job.span_ms)
                if waits is not None:
                    before_ms = min(before_ms, waits[1])
        return before_ms

    def _drop(
        self, connection: sqlite3.Connection, shelf: Shelf, identity: int, kept: frozenset[str], gone: Gone
    ) -> None:
        """Let a row go, or all in it but the metrics that are kept."""
        if not kept:
            self._delete(connection, shelf, identity, gone)
            return
        (data,) = connection.execute(f"SELECT data FROM {shelf.table} WHERE id = ?", (identity,)).fetchone()  # noqa: S608 - see above
        try:
            left, samples = self._narrowed(connection, shelf, data, kept)
        except chunk.ChunkDamaged as error:
            log.error("%s %d: %s; it goes with the last of its metrics", shelf.table, identity, error)
            return
        if not left:
            self._delete(connection, shelf, identity, gone)
            return
        if len(left) == len(data):
            return
        gone.bytes += len(data) - len(left)
        gone.parts += 1
        gone.rewritten_bytes += len(left)
        if shelf.tier is None:
            connection.execute("UPDATE chunk SET n = ?, data = ? WHERE id = ?", (samples, left, identity))
        else:
            connection.execute("UPDATE roll SET data = ? WHERE id = ?", (left, identity))

    def _delete(self, connection: sqlite3.Connection, shelf: Shelf, identity: int, gone: Gone) -> None:
        (size,) = connection.execute(
            f"DELETE FROM {shelf.table} WHERE id = ? RETURNING length(data)",  # noqa: S608 - see above
            (identity,),
        ).fetchone()
        gone.rows += 1
        gone.bytes += size

    def _narrowed(
        self, connection: sqlite3.Connection, shelf: Shelf, data: bytes, kept: frozenset[str]
    ) -> tuple[bytes, int]:
        if shelf.tier is not None:
            return rollrow.narrowed(data, kept.__contains__), 0

        def narrower(identity: int) -> tuple[int, Sequence[int]]:
            shape = shape_of_id(connection, identity)
            places = [place for place, name in zip(count(), shape.metrics) if name in kept]
            if len(places) in (0, len(shape.metrics)):
                return identity, places
            names = tuple(shape.metrics[place] for place in places)
            return Names().shape(connection, shape.device, names).id, places

        left, samples = chunk.narrowed(data, narrower)
        return (left, samples) if samples else (b"", 0)

    def _ages(self, connection: sqlite3.Connection, shelf: Shelf) -> dict[int, dict[str, int | None]]:
        """Return of each source how long its metrics stay."""
        sources = connection.execute("SELECT id, device FROM source").fetchall()
        return {source: self._ages_of(connection, shelf, device) for source, device in sources}

    def _ages_of(self, connection: sqlite3.Connection, shelf: Shelf, device: str) -> dict[str, int | None]:
        names = _metrics(connection, device)
        return {name: self._policy.keep(device, name).of(shelf.keep) for name in names}


def _metrics(connection: sqlite3.Connection, device: str) -> set[str]:
    return {name for shape in shapes_of_device(connection, device) for name in shape.metrics}


def _kept(own: dict[str, int | None], old_ms: int) -> frozenset[str]:
    """Return the metrics that stay in a row whose end is so old."""
    return frozenset(name for name, age in own.items() if age is None or age > old_ms)


def _looked_at(connection: sqlite3.Connection, key: str, shelf: Shelf) -> int:
    row = connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
    return shelf.first_id(0) if row is None else int(row[0])


def _note_looked_at(connection: sqlite3.Connection, key: str, identity: int) -> None:
    connection.execute(
        "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (key, identity),
    )
