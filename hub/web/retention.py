"""`retention`: what the store holds of each metric, and what goes by rule and size, before it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model import Role
from hub.store.forecast import (  # noqa: TC001 - msgspec resolves the fields' types
    MetricForecast,
    TierForecast,
)
from hub.web.parts import parts_of
from hub.web.problem import json_answer
from hub.web.reach import reach_of
from hub.web.route import API, Answer, Reaches, Route

if TYPE_CHECKING:
    from aiohttp import web


class RetentionView(msgspec.Struct, kw_only=True):
    """What there is and what goes; amounts are estimates by whole days.

    `hold` says why nothing goes by age now, `grace_until` from when on rules that have changed act; null:
    they act. `over_budget`: all that may go has gone, and the file is larger than it may be all the same.
    """

    time: int
    hold: str | None
    grace_until: int | None
    over_budget: bool
    deleted_rows: int
    rewritten_bytes: int
    used_bytes: int
    free_bytes: int
    size_bytes: int | None
    over_bytes: int
    items: list[MetricForecast]
    tiers: list[TierForecast]
    next: str | None = None


async def show_retention(request: web.Request) -> web.StreamResponse:
    """Answer with what goes."""
    parts = parts_of(request)
    found = await parts.store.forecast()
    state = parts.store.retention()
    reached = reach_of(request)
    return json_answer(
        RetentionView(
            time=parts.now_ms(),
            hold=state.hold,
            grace_until=state.grace_until,
            over_budget=state.over_budget,
            deleted_rows=state.deleted_rows,
            rewritten_bytes=state.rewritten_bytes,
            used_bytes=found.used_bytes,
            free_bytes=found.free_bytes,
            size_bytes=found.size_bytes,
            over_bytes=found.over_bytes,
            items=[item for item in found.items if reached.includes(item.device)],
            tiers=found.tiers,
        )
    )


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/retention",
        handler=show_retention,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        summary="What the store holds of each metric, and what goes by rule and size, before it goes",
        answers={200: Answer(text="By device and metric", kind=RetentionView)},
    ),
)
