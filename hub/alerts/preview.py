"""What a rule would have raised lately: the same engine over the history that the store has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.alerts.engine import replay
from hub.alerts.rule import Condition
from hub.model import Kind

if TYPE_CHECKING:
    from hub.alerts.rule import Ready
    from hub.devices import Registry
    from hub.model import Value
    from hub.store.store import Store

SPAN_MS = 86_400_000
MOST_METRICS = 20
_POINTS = 1440


class PreviewItem(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule would have raised an alert on one metric."""

    device: str
    metric: str
    raised: int


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The same of all metrics that the rule takes now; `left_out` are those that were not looked at.

    It looks at buckets of a minute or so (of a rule `above`, at their maxima), so short peaks count and short
    breaks in between do not.
    """

    from_ms: int
    to_ms: int
    raised: int
    items: list[PreviewItem]
    left_out: int


async def preview(store: Store, registry: Registry, ready: Ready, now_ms: int) -> Preview:
    """Replay the last day. Raises QueryRefused, StoreError."""
    taken = [
        (state.id, metric)
        for state in registry.all()
        for metric in state.birth.metrics
        if ready.takes(state.id, metric.name)
    ]
    can = [(device, metric.name) for device, metric in taken if metric.kind in (Kind.NUMBER, Kind.BOOLEAN)]
    items: list[PreviewItem] = []
    for device, name in can[:MOST_METRICS]:
        rows = await _rows(store, ready, device, name, now_ms)
        items.append(PreviewItem(device=device, metric=name, raised=replay(ready, rows, now_ms)))
    return Preview(
        from_ms=now_ms - SPAN_MS,
        to_ms=now_ms,
        raised=sum(item.raised for item in items),
        items=items,
        left_out=len(taken) - len(items),
    )


async def _rows(store: Store, ready: Ready, device: str, metric: str, now_ms: int) -> list[tuple[int, Value]]:
    buckets = await store.samples_buckets(device, metric, now_ms - SPAN_MS, now_ms, _POINTS)
    low = ready.rule.condition in (Condition.BELOW, Condition.FALLS) or ready.rule.value is False
    return [(bucket.time, bucket.min if low else bucket.max) for bucket in buckets]
