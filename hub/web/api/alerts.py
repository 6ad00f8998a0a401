"""Alerts over HTTP: those that are active, those that were, and that somebody saw one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from hub.alerts import NoSuchAlert
from hub.model import Role
from hub.store.alerts import Alert, AlertFilter
from hub.web.gate.reach import alert_within, known_ids
from hub.web.live.filters import Name  # noqa: TC001 - msgspec resolves the fields' types
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, Answer, Reaches, Route, path_part, query

if TYPE_CHECKING:
    from aiohttp import web


class AlertsQuery(msgspec.Struct, kw_only=True):
    """Which alerts."""

    active: bool | None = None
    rule: Name | None = None
    device: Name | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None


class AlertList(msgspec.Struct):
    """A page of alerts, newest first."""

    items: list[Alert]
    next: str | None


async def list_alerts(request: web.Request) -> web.StreamResponse:
    """Answer with a page of alerts."""
    asked = query(request, AlertsQuery)
    wanted = AlertFilter(active=asked.active, rule=asked.rule, device=asked.device, within=known_ids(request))
    items, following = await parts_of(request).alerts.history(wanted, asked.limit, asked.cursor)
    return items_answer(items, following)


async def acknowledge_alert(request: web.Request) -> web.StreamResponse:
    """Note that the caller saw an alert."""
    alerts, wanted = parts_of(request).alerts, path_part(request, "alert")
    try:
        alert_within(request, wanted)
        alert = alerts.acknowledge(wanted, request[IDENTITY].name)
    except NoSuchAlert as error:
        raise Problem(404, str(error), parameter="alert") from error
    return json_answer(alert)


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/alerts",
        handler=list_alerts,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        query=AlertsQuery,
        summary="Alerts, active or not; each change of one is an `alert` event of the stream",
        answers={200: Answer(text="Alerts, newest first", kind=AlertList)},
    ),
    Route(
        method="POST",
        path=f"{API}/alerts/{{alert}}/acknowledge",
        handler=acknowledge_alert,
        role=Role.OPERATOR,
        reaches=Reaches.SOME,
        summary="Note that somebody saw an active alert; the first one counts",
        answers={200: Answer(text="The alert", kind=Alert)},
        problems=(404,),
    ),
)
