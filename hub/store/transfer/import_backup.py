"""History out of another store: a backup, or the data folder of a hub that is stopped."""

from __future__ import annotations

import contextlib
import sqlite3
from hashlib import blake2b
from typing import TYPE_CHECKING

from hub.store import births
from hub.store.folder import Folder
from hub.store.format import chunk, rollrow, tiers
from hub.store.format.names import shape_of_id
from hub.store.format.packing import listed
from hub.store.schema import connect, connect_reader, is_at_rest
from hub.store.transfer.archive import existing
from hub.store.transfer.import_values import ImportFailed, Skipped
from hub.store.writing import seal
from hub.store.writing.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from hub.model import Value
    from hub.store.format.names import Shape
    from hub.store.transfer.bulk import Bulk

_ROWS = 200


def name_of(folder: Path) -> str:
    """Return a name for this import, the same when it goes on."""
    return "backup " + blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()


def bring(folder: Path, bulk: Bulk, progress: Callable[[int, int], None], *, twins: bool = True) -> Skipped:
    """Import samples, births and rollups whose samples have expired; `progress` is told rows.

    Without `twins`, of one time of a metric the first sample alone. Tokens, users, commands and what boards
    were acked stay where they are. Raises ImportFailed, StoreError.
    """
    database = existing(folder)
    if is_at_rest(database):
        try:
            with contextlib.closing(connect_reader(database)) as connection:
                return _Bringer(connection, bulk, progress, twins=twins).bring()
        except sqlite3.Error as error:
            raise ImportFailed(f"{folder}: cannot be read: {error}") from error
    held = Folder(folder)
    try:
        with contextlib.closing(connect(held.database)) as connection:
            # As a hub does when it stops: what is in the hot log lies with its window then.
            connection.execute("BEGIN IMMEDIATE")
            seal.seal(connection, Recent.load(connection))
            connection.execute("COMMIT")
            connection.execute("BEGIN")
            return _Bringer(connection, bulk, progress, twins=twins).bring()
    except sqlite3.Error as error:
        raise ImportFailed(f"{folder}: cannot be read: {error}") from error
    finally:
        held.release()


class _Bringer:
    def __init__(
        self,
        connection: sqlite3.Connection,
        bulk: Bulk,
        progress: Callable[[int, int], None],
        *,
        twins: bool,
    ) -> None:
        self._connection = connection
        self._twins = twins
        self._bulk = bulk
        self._progress = progress
        self._skipped = Skipped()
        self._shapes: dict[int, Shape] = {}
        self._devices = dict(connection.execute("SELECT id, device FROM source"))
        (self._total,) = connection.execute(
            "SELECT (SELECT count(*) FROM chunk) + (SELECT count(*) FROM roll)"
        ).fetchone()
        self._done = 0

    def bring(self) -> Skipped:
        for birth, link, seen in births.births(self._connection):
            self._bulk.adopt(birth, link, seen)
        last = self._bulk.position("chunks")
        for identity, data in self._rows("chunk", last):
            # All chunks of a window of a device go together, so that of one millisecond all samples come.
            if self._bulk.full and identity >> 8 != last >> 8:
                self._bulk.flush({"chunks": last})
            last = identity
            self._chunk(identity, data)
        self._bulk.flush({"chunks": last})
        for rows in Recent.load(self._connection).rows.values():
            for metric, place in rows.shape.places.items():
                self._extend(rows.shape.device, metric, rows.times, rows.columns[place], rows.qualities)
        self._bulk.flush({"chunks": last})
        for identity, data in self._rows("roll", 0):
            self._roll(identity, data)
        self._bulk.finish()
        self._progress(self._total, self._total)
        return self._skipped

    def _rows(self, table: str, after: int) -> Iterator[tuple[int, bytes]]:
        while True:
            rows = self._connection.execute(
                f"SELECT id, data FROM {table} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - one of two names
                (after, _ROWS),
            ).fetchall()
            if not rows:
                return
            yield from rows
            after = rows[-1][0]
            self._done += len(rows)
            self._progress(self._done, self._total)

    def _chunk(self, identity: int, data: bytes) -> None:
        try:
            for group in chunk.decode(data):
                shape = self._shape(group.shape)
                qualities = [0] * len(group.times) if group.qualities is None else group.qualities.tolist()
                times = group.times.tolist()
                for metric, place in shape.places.items():
                    self._extend(shape.device, metric, times, listed(group.columns[place]), qualities)
        except (chunk.ChunkDamaged, ValueError) as error:
            self._skipped.add(f"chunk {identity}", str(error))

    def _extend(
        self,
        device: str,
        metric: str,
        times: Sequence[int],
        values: Sequence[Value],
        qualities: Sequence[int],
    ) -> None:
        self._bulk.extend(device, metric, times, values, qualities, twins=self._twins)

    def _roll(self, identity: int, data: bytes) -> None:
        tier = next((one for one in tiers.TIERS if one.level == identity >> 58), None)
        if tier is None:
            return
        source, start_ms = tiers.row_place(tier, identity)
        try:
            found = rollrow.read_all(data, tier)
        except chunk.ChunkDamaged as error:
            self._skipped.add(f"rollup {identity}", str(error))
            return
        if source in self._devices:
            self._bulk.lay_over(tier, self._devices[source], start_ms, found)

    def _shape(self, identity: int) -> Shape:
        if identity not in self._shapes:
            self._shapes[identity] = shape_of_id(self._connection, identity)
        return self._shapes[identity]
