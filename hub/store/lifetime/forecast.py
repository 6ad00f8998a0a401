"""What would go, before it goes: by rules and size, now and within a week. An estimate, by whole days.

A day of a device is split among its metrics as its first chunk is; what is not sealed yet is left out.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from hub.store.format import chunk, tiers
from hub.store.format.names import shape_of_id
from hub.store.lifetime import shedding
from hub.store.lifetime.shedding import YOUNGEST_MS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from hub.store.format.names import Shape
    from hub.store.lifetime.policy import Keep, Policy
    from hub.store.queries.reader import Readers

_DAY_MS = 86_400_000
WEEK_MS = 7 * _DAY_MS
_WINDOWS_A_DAY = _DAY_MS // chunk.WINDOW_MS
_FRESH_S = 60.0
_HEAD_BYTES = 16_384
"""A chunk's header is in them, but for devices of thousands of metrics, whose days then count as one part."""


class Amount(msgspec.Struct, kw_only=True):
    """Samples and their bytes in the file."""

    samples: int = 0
    bytes: int = 0

    def add(self, samples: float, size: float) -> None:
        """Add to it."""
        self.samples += round(samples)
        self.bytes += round(size)


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """How long what stays, in seconds; null: for ever, 0: not stored."""

    raw: int | None
    seconds: int | None = msgspec.field(name="10s")
    minutes: int | None = msgspec.field(name="1m")
    hours: int | None = msgspec.field(name="1h")
    days: int | None = msgspec.field(name="1d")


class MetricForecast(msgspec.Struct, kw_only=True):
    """What there is of a metric's samples, and what of it goes."""

    device: str
    metric: str
    tags: list[str]
    samples: int = 0
    bytes: int = 0
    oldest: int | None = None
    """The day of the first sample, UTC ms."""
    keep: Ages
    now: Amount
    """Goes with the next pass."""
    week: Amount
    """Goes within seven days, that included."""


class TierForecast(msgspec.Struct, kw_only=True):
    """What the rollups of one width take."""

    tier: str
    bytes: int
    oldest: int | None


class Forecast(msgspec.Struct, kw_only=True):
    """What the store holds and what goes."""

    used_bytes: int
    free_bytes: int
    """In the file, for what comes next."""
    size_bytes: int | None
    """What the file may take; null: as much as there is."""
    over_bytes: int
    """So much more than that there is now, after what the rules delete."""
    items: list[MetricForecast]
    tiers: list[TierForecast]


class Forecasts:
    """Forecasts for whoever asks, at most one a minute: each looks at every chunk's key."""

    def __init__(self, readers: Readers, policy: Policy, now_ms: Callable[[], int], wal_bytes: int) -> None:
        self._readers = readers
        self._policy = policy
        self._now_ms = now_ms
        self._wal_bytes = wal_bytes
        self._made: tuple[float, Forecast] | None = None
        self._turn = asyncio.Lock()

    def adopt(self, policy: Policy) -> None:
        """Tell from now on what other rules would delete."""
        self._policy = policy
        self._made = None

    async def ask(self, tried: Policy | None = None) -> Forecast:
        """Return what goes, by the rules that act or by others. Raises QueryRefused, StoreError."""
        async with self._turn:
            if tried is not None:
                at_ms, wal_bytes = self._now_ms(), self._wal_bytes
                return await self._readers.run(
                    lambda connection: forecast(connection, tried, at_ms, wal_bytes)
                )
            if self._made is not None and time.monotonic() < self._made[0] + _FRESH_S:
                return self._made[1]
            now_ms, policy = self._now_ms(), self._policy
            found = await self._readers.run(
                lambda connection: forecast(connection, policy, now_ms, self._wal_bytes)
            )
            if policy is self._policy:
                self._made = time.monotonic(), found
            return found


class _Day(msgspec.Struct):
    source: int
    device: str
    start_ms: int
    samples: int
    size: int
    parts: dict[str, tuple[float, float]]
    """Each metric's share of the samples and of the bytes."""


def forecast(
    connection: sqlite3.Connection, policy: Policy, now_ms: int, wal_bytes: int = 4 << 20
) -> Forecast:
    """Look through the chunks' keys and a chunk a day. Raises sqlite3.Error."""
    days = _days(connection)
    found: dict[tuple[str, str], MetricForecast] = {}
    for day in days:
        for metric, (samples, size) in day.parts.items():
            keep = policy.keep(day.device, metric)
            one = found.get((day.device, metric))
            if one is None:
                one = found[day.device, metric] = MetricForecast(
                    device=day.device, metric=metric, tags=list(policy.tags.get(day.device, ())),
                    keep=_ages(keep), now=Amount(), week=Amount(), oldest=day.start_ms,
                )  # fmt: skip
            one.samples += round(day.samples * samples)
            one.bytes += round(day.size * size)
            for amount, at_ms in ((one.now, now_ms), (one.week, now_ms + WEEK_MS)):
                if _past(day, keep, at_ms):
                    amount.add(day.samples * samples, day.size * size)
    room = shedding.room(connection)
    over = _shed(days, found, policy, room.used_bytes + wal_bytes, now_ms)
    return Forecast(
        used_bytes=room.used_bytes,
        free_bytes=room.free_bytes,
        size_bytes=policy.size_bytes,
        over_bytes=over,
        items=sorted(found.values(), key=lambda one: (one.device, one.metric)),
        tiers=_tiers(connection),
    )


def _past(day: _Day, keep: Keep, at_ms: int) -> bool:
    return keep.raw is not None and day.start_ms + _DAY_MS <= at_ms - keep.raw


def _days(connection: sqlite3.Connection) -> list[_Day]:
    """Return each day of each device, oldest first."""
    devices: dict[int, str] = dict(connection.execute("SELECT id, device FROM source"))
    rows = connection.execute(
        "SELECT (id >> 28) / ? AS day, id >> 8 & ? AS source, sum(n), sum(length(data)), min(id) FROM chunk"
        " GROUP BY day, source ORDER BY day",
        (_WINDOWS_A_DAY, chunk.SOURCES - 1),
    ).fetchall()
    shapes: dict[int, Shape] = {}
    return [
        _Day(
            source,
            devices.get(source, ""),
            day * _DAY_MS,
            samples,
            size,
            _parts(connection, first, shapes),
        )
        for day, source, samples, size, first in rows
    ]


def _parts(
    connection: sqlite3.Connection, identity: int, shapes: dict[int, Shape]
) -> dict[str, tuple[float, float]]:
    (head,) = connection.execute(
        "SELECT substr(data, 1, ?) FROM chunk WHERE id = ?", (_HEAD_BYTES, identity)
    ).fetchone()
    counts: dict[str, list[int]] = {}
    try:
        for shape, rows, sizes in chunk.outline(head):
            if shape not in shapes:
                shapes[shape] = shape_of_id(connection, shape)
            for metric, size in zip(shapes[shape].metrics, sizes, strict=False):
                count = counts.setdefault(metric, [0, 0])
                count[0] += rows
                count[1] += size
    except (chunk.ChunkDamaged, ValueError):
        counts = {}
    rows = sum(count[0] for count in counts.values()) or 1
    size = sum(count[1] for count in counts.values()) or 1
    return {name: (count[0] / rows, count[1] / size) for name, count in counts.items()}


def _shed(
    days: list[_Day],
    found: dict[tuple[str, str], MetricForecast],
    policy: Policy,
    used_bytes: int,
    now_ms: int,
) -> int:
    """Add what goes for the size; return by how much the file is over it when the rules have acted."""
    if policy.size_bytes is None:
        return 0
    by_rule = sum(one.now.bytes for one in found.values())
    recent = sum(day.size for day in days if day.start_ms >= now_ms - WEEK_MS)
    over_now = used_bytes - by_rule - policy.size_bytes
    over_week = used_bytes + recent - sum(one.week.bytes for one in found.values()) - policy.size_bytes
    for over, at_ms, name in (
        (over_now, now_ms, "now"),
        (max(over_now, over_week), now_ms + WEEK_MS, "week"),
    ):
        left = float(over)
        for day in days:
            if left <= 0 or day.start_ms + _DAY_MS > now_ms - YOUNGEST_MS:
                break
            for metric, (samples, size) in day.parts.items():
                if not _past(day, policy.keep(day.device, metric), at_ms):
                    share = min(1.0, left / max(1.0, day.size * size))
                    amount: Amount = getattr(found[day.device, metric], name)
                    amount.add(day.samples * samples * share, day.size * size * share)
                    left -= day.size * size * share
                if left <= 0:
                    break
    return max(0, over_now)


def _tiers(connection: sqlite3.Connection) -> list[TierForecast]:
    names = {"seconds": "10s", "minutes": "1m", "hours": "1h", "days": "1d"}
    found = []
    for tier in reversed(tiers.TIERS):
        size, first = connection.execute(
            "SELECT coalesce(sum(length(data)), 0), min(id) FROM roll WHERE id >= ? AND id < ?",
            (tier.level << 58, (tier.level + 1) << 58),
        ).fetchone()
        oldest = None if first is None else tiers.row_place(tier, first)[1]
        found.append(TierForecast(tier=names[tier.keep], bytes=size, oldest=oldest))
    return sorted(found, key=lambda one: list(names.values()).index(one.tier))


def _ages(keep: Keep) -> Ages:
    return Ages(
        **{name: None if (age := keep.of(name)) is None else age // 1000 for name in Ages.__struct_fields__}
    )
