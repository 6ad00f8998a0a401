"""`latest`: the last samples, for clients that poll; `?wait=` makes it a long poll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from hub.model import Role
from hub.web.api.views import LatestList
from hub.web.gate.reach import reach_of
from hub.web.live.filters import Filter, Names
from hub.web.parts import IDENTITY
from hub.web.route import API, JSON, Answer, Reaches, Route, query

if TYPE_CHECKING:
    from hub.web.live.polls import Polls

POLLS: web.AppKey[Polls] = web.AppKey("polls")

MAX_WAIT_S = 60


class LatestQuery(msgspec.Struct, kw_only=True):
    """Which samples, and for how long to wait for news."""

    device: Names = ()
    metric: Names = ()
    wait: Annotated[
        float,
        msgspec.Meta(
            ge=0, le=MAX_WAIT_S, description="Seconds to wait until something differs from If-None-Match"
        ),
    ] = 0


async def show_latest(request: web.Request) -> web.StreamResponse:
    """Answer with the last samples, or 304 where they are those that the caller has."""
    asked = query(request, LatestQuery)
    wanted = Filter.of(asked.device, asked.metric, reach=reach_of(request))
    polls = request.app[POLLS]
    told = polls.now(wanted)
    if asked.wait and _has(request, told.tag):
        with polls.places.hold(request[IDENTITY].name):
            told = await polls.news(wanted, told.tag, asked.wait, lambda: _there(request))
    headers = {"ETag": f'"{told.tag}"', "Cache-Control": "no-cache"}
    if _has(request, told.tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=told.body, content_type=JSON, headers=headers)


def _there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _has(request: web.Request, tag: str) -> bool:
    """Return whether If-None-Match names `tag` (weak comparison, RFC 9110, 13.1.2)."""
    given = request.if_none_match or ()
    return any(known.value in (tag, "*") for known in given)


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/latest",
        handler=show_latest,
        role=Role.DEVICE,
        reaches=Reaches.SOME,
        head=True,
        query=LatestQuery,
        summary="The last samples; with If-None-Match and wait, as soon as there are others",
        problems=(429, 503),
        answers={
            200: Answer(text="The samples, by device and metric", kind=LatestList),
            304: Answer(text="They are those of If-None-Match", media=None),
        },
    ),
)
