"""A store's file with the hands of its writer, without thread and clock: put, seal, roll up."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from hub.model import Reading
from hub.store.folder import prepare
from hub.store.format.tiers import JOBS
from hub.store.queries import history
from hub.store.queries.series import Series
from hub.store.schema import connect_reader, migrate
from hub.store.writing import rollup
from hub.store.writing.committer import Committer
from hub.store.writing.intake import Batch
from hub.store.writing.recent import Recent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from hub.model import Value
    from hub.store.format.tiers import Job
    from hub.store.queries.history import Bucket

HOUR, DAY = 3_600_000, 86_400_000
START = 20_000 * DAY
NOW = START + 5 * DAY // 2


class SampleFile:
    """A file, its writer's connection, and what is not sealed."""

    def __init__(self, folder: Path) -> None:
        self.file = prepare(folder)
        migrate(self.file)
        self.committer = Committer(self.file)
        self.recent = Recent()
        self.seconds = False

    def put(self, samples: Iterable[tuple[int, Value]], device: str = "d", metric: str = "m") -> None:
        readings = [
            Reading(device=device, metrics=(metric,), values=(value,), source_time_ms=time, hub_time_ms=time)
            for time, value in samples
        ]
        written = self.committer.commit(Batch(readings, []), self.recent)
        if written.hot is not None:
            self.recent.append(written.hot, written.shapes)

    def seal(self) -> None:
        sealed = self.committer.seal(self.recent)
        self.recent = Recent(self.recent.generation + 1, self.recent.newest | sealed.newest)

    def roll(self, now_ms: int = NOW) -> None:
        for job in JOBS:
            while self.committer.work(partial(self.roll_span, job, now_ms)) is not None:
                pass

    def roll_span(self, job: Job, now_ms: int, connection: sqlite3.Connection) -> tuple[int, int] | None:
        return rollup.step(connection, job, now_ms, lambda *_: self.seconds)

    def buckets(
        self, from_ms: int, to_ms: int, points: int, device: str = "d", metric: str = "m"
    ) -> list[Bucket]:
        with contextlib.closing(connect_reader(self.file)) as connection:
            held = self.recent.held(device, metric, [], surely=True)
            return history.buckets(Series(connection, device, metric, held), from_ms, to_ms, points)

    def drop_chunks(self) -> None:
        with self.committer._transaction() as connection:
            connection.execute("DELETE FROM chunk")
