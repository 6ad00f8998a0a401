"""`retention`: what the store holds of each metric, and what goes by rule and size, before it goes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from hub.config import ConfigError, RetentionConfig
from hub.model import Role
from hub.store.lifetime.forecast import (  # noqa: TC001 - msgspec resolves the fields' types
    MetricForecast,
    TierForecast,
)
from hub.store.lifetime.keeping import KeepingChanged
from hub.web.api.medium import on_medium
from hub.web.api.versions import etag, expected
from hub.web.gate.reach import reach_of
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, json_answer
from hub.web.route import API, JSON, Answer, Reaches, Route, body

if TYPE_CHECKING:
    from aiohttp import web

    from hub.store.lifetime.keeping import Kept

log = logging.getLogger(__name__)


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


class RetentionRules(msgspec.Struct, kw_only=True):
    """The rules as in `[retention]` of the configuration; `configured`: they are its own.

    `version` is the ETag; it counts changes.
    """

    version: int
    configured: bool
    rules: RetentionConfig


class RetentionPreview(msgspec.Struct, kw_only=True):
    """What rules would delete; amounts are estimates by whole days."""

    used_bytes: int
    free_bytes: int
    size_bytes: int | None
    over_bytes: int
    items: list[MetricForecast]
    tiers: list[TierForecast]


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


async def show_rules(request: web.Request) -> web.StreamResponse:
    """Answer with the rules that act."""
    return _rules(parts_of(request).store.keeping.now())


async def preview_rules(request: web.Request) -> web.StreamResponse:
    """Answer with what other rules would delete; nothing changes."""
    asked = await body(request, RetentionConfig)
    try:
        return json_answer(await parts_of(request).store.keeping.preview(asked))
    except ConfigError as error:
        raise Problem(400, str(error)) from error


async def put_rules(request: web.Request) -> web.StreamResponse:
    """Put rules in place of those that act."""
    return await _change(request, await body(request, RetentionConfig))


async def drop_rules(request: web.Request) -> web.StreamResponse:
    """Let the configuration's rules act again."""
    return await _change(request, None)


async def _change(request: web.Request, rules: RetentionConfig | None) -> web.StreamResponse:
    try:
        async with on_medium(request):
            kept = parts_of(request).store.keeping.put(rules, expected(request))
    except ConfigError as error:
        raise Problem(400, str(error)) from error
    except KeepingChanged as error:
        raise Problem(412, str(error)) from error
    log.warning("the rules of retention were changed by %s", request[IDENTITY].name)
    return _rules(kept)


def _rules(kept: Kept) -> web.Response:
    answer = RetentionRules(version=kept.version, configured=kept.configured, rules=kept.rules)
    return json_answer(answer, headers=etag(kept.version))


_RULES = f"{API}/retention/rules"

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
    Route(
        method="GET",
        path=_RULES,
        handler=show_rules,
        role=Role.ADMIN,
        head=True,
        summary="How long what stays; ETag is the version",
        answers={200: Answer(text="The rules", kind=RetentionRules)},
    ),
    Route(
        method="PUT",
        path=_RULES,
        handler=put_rules,
        role=Role.ADMIN,
        body=RetentionConfig,
        body_media=JSON,
        summary="Put rules in place of the configuration's; they act in an hour (If-Match: the ETag seen)",
        answers={200: Answer(text="The rules", kind=RetentionRules)},
        problems=(400, 412, 503),
    ),
    Route(
        method="DELETE",
        path=_RULES,
        handler=drop_rules,
        role=Role.ADMIN,
        summary="Let the configuration's rules act again, in an hour",
        answers={200: Answer(text="The rules", kind=RetentionRules)},
        problems=(400, 412, 503),
    ),
    Route(
        method="POST",
        path=f"{API}/retention/preview",
        handler=preview_rules,
        role=Role.ADMIN,
        body=RetentionConfig,
        body_media=JSON,
        summary="What rules would delete, now and within seven days; nothing changes",
        answers={200: Answer(text="By device and metric", kind=RetentionPreview)},
    ),
)
