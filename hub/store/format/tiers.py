"""The rollups' tiers, the keys of their rows, and which spans they do not hold yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.store.format import chunk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_HOUR, _DAY = 3_600_000, 86_400_000


class Job(msgspec.Struct, frozen=True):
    """A span of one device that is rolled up at once, when it has passed."""

    level: int
    span_ms: int
    """The longer, the seldomer a row is written again; and the more windows a query opens at the end."""


QUARTERLY = Job(1, 6 * _HOUR)
DAILY = Job(2, _DAY)
SECONDLY = Job(3, 6 * _HOUR)
JOBS = (SECONDLY, QUARTERLY, DAILY)
"""Those that make rollups."""
MERGING = Job(4, _DAY)
"""A device's small chunks of a day become one."""


class Tier(msgspec.Struct, frozen=True):
    """Buckets of one width; a row holds those of `row_ms` of all metrics of a device."""

    level: int
    width_ms: int
    row_ms: int
    job: Job
    keep: str
    """Whose age of a policy (`Keep.of`) its rows have."""
    partial: bool = False
    """Stored for the metrics of which a rule asks for it; of others the samples tell."""


MINUTES = Tier(1, 60_000, _DAY, DAILY, "minutes")
HOURS = Tier(2, _HOUR, 32 * _DAY, QUARTERLY, "hours")
DAYS = Tier(3, _DAY, 512 * _DAY, DAILY, "days")
SECONDS = Tier(4, 10_000, 6 * _HOUR, SECONDLY, "seconds", partial=True)
TIERS = (DAYS, HOURS, MINUTES, SECONDS)
"""From coarse to fine; a width is a multiple of those after it."""


def row_id(tier: Tier, time_ms: int, source: int) -> int:
    """Return the key of the row that holds a time; keys of a tier grow with time."""
    return tier.level << 58 | time_ms // tier.row_ms << 20 | source


def row_place(tier: Tier, identity: int) -> tuple[int, int]:
    """Return (source, time at which the row begins) of a row's key."""
    return identity & chunk.SOURCES - 1, (identity >> 20 & (1 << 38) - 1) * tier.row_ms


def of_job(job: Job) -> list[Tier]:
    """Return a job's tiers, from fine to coarse."""
    return [tier for tier in reversed(TIERS) if tier.job == job]


def mark(connection: sqlite3.Connection, window: int, source: int) -> None:
    """Note that a device's window has samples which the rollups do not hold."""
    mark_jobs(connection, JOBS, window * chunk.WINDOW_MS, source)


def mark_jobs(connection: sqlite3.Connection, jobs: Sequence[Job], start_ms: int, source: int) -> None:
    """Note that jobs have to be done for a device's spans about a time."""
    connection.executemany(
        "INSERT OR IGNORE INTO pending (id) VALUES (?)",
        [(_unit(job, start_ms) | source,) for job in jobs],
    )


def pending(connection: sqlite3.Connection, job: Job, source: int, from_ms: int, to_ms: int) -> list[int]:
    """Return the starts of a device's spans in `from_ms <= time < to_ms` that a job has to do, ascending."""
    rows = connection.execute(
        "SELECT id FROM pending WHERE id BETWEEN ? AND ? AND id & ? = ?",
        (_unit(job, from_ms), _unit(job, to_ms - 1) | chunk.SOURCES - 1, chunk.SOURCES - 1, source),
    )
    return [_start(job, identity) for (identity,) in rows]


def due(connection: sqlite3.Connection, job: Job, now_ms: int) -> tuple[int, int] | None:
    """Return (source, start) of the oldest span that a job has to do and that has passed."""
    row = connection.execute(
        "SELECT id FROM pending WHERE id >= ? AND id < ? ORDER BY id LIMIT 1",
        (_unit(job, 0), _unit(job, max(0, now_ms))),
    ).fetchone()
    return None if row is None else (row[0] & chunk.SOURCES - 1, _start(job, row[0]))


def done(connection: sqlite3.Connection, job: Job, source: int, start_ms: int) -> None:
    """Take a span off the list."""
    connection.execute("DELETE FROM pending WHERE id = ?", (_unit(job, start_ms) | source,))


def _unit(job: Job, time_ms: int) -> int:
    return job.level << 58 | time_ms // job.span_ms << 20


def _start(job: Job, identity: int) -> int:
    return (identity >> 20 & (1 << 38) - 1) * job.span_ms
