"""Sealing: what the hot log gathered becomes compressed chunks, a device and a quarter of an hour each."""

from __future__ import annotations

import json
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hub.store.format import chunk, tiers
from hub.store.format.chunk import Group
from hub.store.format.packing import listed, settled
from hub.store.format.tiers import MERGING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from hub.store.format.hotlog import BootSeq
    from hub.store.format.packing import Values
    from hub.store.writing.intake import Boot
    from hub.store.writing.recent import Recent, Rows

BOOTS_PER_DEVICE = 256
"""Boots whose last seq is kept; a board that comes with an older one would be stored twice."""
MERGED_SAMPLES = 200_000
"""Parts of a window are merged into a chunk of at most so many samples."""


class Sealed(msgspec.Struct):
    """What a sealing came to."""

    samples: int = 0
    chunk_bytes: int = 0
    newest: dict[str, int] = {}
    boots_forgotten: list[Boot] = []


def seal(connection: sqlite3.Connection, recent: Recent) -> Sealed:
    """Move all of `recent` from the hot log to chunks, inside the caller's transaction."""
    sealed = Sealed(samples=recent.samples)
    sources: dict[str, int] = dict(connection.execute("SELECT device, id FROM source"))
    devices = {rows.shape.device for rows in recent.rows.values()}
    touched: list[tuple[int, int, list[Group]]] = []
    for device in devices:
        windows = _windows(recent.rows_of(device))
        touched += [(window, sources[device], groups) for window, groups in windows.items()]
        newest = max(max(rows.times) for rows in recent.rows_of(device))
        sealed.newest[device] = max(newest, recent.newest.get(device, -1))
        connection.execute(
            "UPDATE source SET newest = ? WHERE id = ?", (sealed.newest[device], sources[device])
        )
    for window, source, groups in sorted(touched, key=lambda one: one[:2]):
        sealed.chunk_bytes += add(connection, window, source, groups)
    for rows in recent.rows.values():
        note_last(connection, sources[rows.shape.device], rows)
    for boot in recent.boots.values():
        sealed.boots_forgotten += _advance(connection, boot)
    connection.execute("DELETE FROM hot")
    connection.execute("UPDATE state SET value = ? WHERE key = 'generation'", (recent.generation + 1,))
    return sealed


def add(connection: sqlite3.Connection, window: int, source: int, groups: list[Group]) -> int:
    """Store groups of one window; return the bytes written.

    A window that has chunks already (late samples, a restart) gets another part. A part takes in those
    before it that are no larger, so that there are few and each sample is written again few times.
    """
    low, high = chunk.part_ids(window, source)
    parts: list[tuple[int, int]] = connection.execute(
        "SELECT id, n FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id", (low, high)
    ).fetchall()
    total = sum(group.samples for group in groups)
    full = bool(parts) and parts[-1][0] == high
    identity = parts[-1][0] + 1 if parts else low
    for part, count in reversed(parts):
        if not full and (count > total or count + total > MERGED_SAMPLES):
            break
        (data,) = connection.execute("SELECT data FROM chunk WHERE id = ?", (part,)).fetchone()
        try:
            groups = merged([*chunk.decode(data), *groups])
        except chunk.ChunkDamaged:
            break  # it stays as it is, for who may salvage it
        connection.execute("DELETE FROM chunk WHERE id = ?", (part,))
        total += count
        identity = part
    data = chunk.encode(groups)
    connection.execute("INSERT INTO chunk (id, n, data) VALUES (?, ?, ?)", (identity, total, data))
    tiers.mark(connection, window, source)
    tiers.mark_jobs(connection, (MERGING,), window * chunk.WINDOW_MS, source)
    return len(data)


def merged(groups: Iterable[Group]) -> list[Group]:
    """Join groups of one shape, in order of time; of one time those that came first stay first."""
    found: dict[int, list[Group]] = {}
    for group in groups:
        found.setdefault(group.shape, []).append(group)
    return [same[0] if len(same) == 1 else _joined(same) for same in found.values()]


def _joined(groups: list[Group]) -> Group:
    times = np.concatenate([group.times for group in groups])
    qualities = None
    if any(group.qualities is not None for group in groups):
        qualities = np.concatenate([_full(group) for group in groups])
    columns: list[Values] = [
        list(chain.from_iterable(map(listed, parts)))
        for parts in zip(*(group.columns for group in groups), strict=True)
    ]
    return _ordered(Group(groups[0].shape, times, qualities, columns))


def _full(group: Group) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.zeros(len(group.times), np.uint8) if group.qualities is None else group.qualities


def _ordered(group: Group) -> Group:
    times = group.times
    if not (times[1:] < times[:-1]).any():
        return group
    order = np.argsort(times, kind="stable")
    places = order.tolist()
    return Group(
        group.shape,
        times[order],
        None if group.qualities is None else group.qualities[order],
        [
            column[order] if isinstance(column, np.ndarray) else [column[place] for place in places]
            for column in group.columns
        ],
    )


def _windows(shapes: Iterable[Rows]) -> dict[int, list[Group]]:
    found: dict[int, list[Group]] = {}
    for rows in shapes:
        for window, group in split(_group(rows)):
            found.setdefault(window, []).append(group)
    return found


def groups_of(shapes: Iterable[Rows]) -> list[Group]:
    """Return rows of one window as groups."""
    return [_group(rows) for rows in shapes]


def _group(rows: Rows) -> Group:
    qualities = np.array(rows.qualities, dtype=np.uint8) if any(rows.qualities) else None
    columns = [settled(column) for column in rows.columns]
    return _ordered(Group(rows.shape.id, np.array(rows.times, dtype=np.int64), qualities, columns))


def split(group: Group) -> Iterator[tuple[int, Group]]:
    """Cut a group, which is in order of time, into windows."""
    windows = group.times // chunk.WINDOW_MS
    cuts = [0, *(np.flatnonzero(np.diff(windows)) + 1).tolist(), len(windows)]
    for start, end in pairwise(cuts):
        if start == end:
            continue
        qualities = None if group.qualities is None else group.qualities[start:end]
        if qualities is not None and not qualities.any():
            qualities = None
        columns = [column[start:end] for column in group.columns]
        yield int(windows[start]), Group(group.shape, group.times[start:end], qualities, columns)


def note_last(connection: sqlite3.Connection, source: int, rows: Rows) -> None:
    """Keep each metric's last sample, so that a start need not look for it."""
    place = len(rows.times) - 1 - rows.times[::-1].index(max(rows.times))
    connection.executemany(
        "INSERT INTO last (source, metric, time, delay, quality, value) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET time = excluded.time, delay = excluded.delay,"
        " quality = excluded.quality, value = excluded.value WHERE excluded.time >= time",
        [
            (
                source,
                metric,
                rows.times[place],
                rows.delays[place],
                rows.qualities[place],
                json.dumps(rows.columns[column][place]),
            )
            for metric, column in rows.shape.places.items()
        ],
    )


def _advance(connection: sqlite3.Connection, boot: BootSeq) -> list[Boot]:
    known = connection.execute(
        "UPDATE boot SET seq = ?, time = ? WHERE device = ? AND boot_id = ?",
        (boot.seq, boot.time, boot.device, boot.boot_id),
    ).rowcount
    if known:
        return []
    connection.execute(
        "INSERT INTO boot (device, boot_id, seq, time) VALUES (?, ?, ?, ?)",
        (boot.device, boot.boot_id, boot.seq, boot.time),
    )
    return connection.execute(
        "DELETE FROM boot WHERE (device, boot_id) IN (SELECT device, boot_id FROM boot WHERE device = ?"
        " AND boot_id != ? ORDER BY time DESC, rowid DESC LIMIT -1 OFFSET ?) RETURNING device, boot_id",
        (boot.device, boot.boot_id, BOOTS_PER_DEVICE - 1),
    ).fetchall()
