"""`latest`: the last samples, for clients that poll; `?wait=` makes it a long poll."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from hub.model import Role
from hub.web.closing import CLOSING
from hub.web.filters import Filter, Names
from hub.web.parts import parts_of
from hub.web.problem import encode
from hub.web.reach import reach_of
from hub.web.route import API, JSON, Answer, Reaches, Route, query
from hub.web.views import LatestItem, LatestList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.bus import Batch
    from hub.devices import Registry

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
    wanted = query(request, LatestQuery)
    wanted_of = Filter.of(wanted.device, wanted.metric, reach=reach_of(request))
    registry = parts_of(request).registry
    body = _encoded(registry, wanted_of)
    if wanted.wait and _has(request, _tag(body)):
        body = await _news(request, wanted_of, wanted.wait, _tag(body))
    tag = _tag(body)
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if _has(request, tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=JSON, headers=headers)


async def _news(request: web.Request, wanted: Filter, wait_s: float, tag: str) -> bytes:
    """Return the samples as soon as they differ from `tag`, or as they are after `wait_s`."""
    parts = parts_of(request)
    came = asyncio.Event()

    def deliver(batch: Batch) -> None:
        if any(wanted.takes(reading.device, reading.metrics) for reading in batch.readings):
            came.set()

    end = parts.bus.subscribe(deliver)
    stop = request.app[CLOSING].call(came.set)
    try:
        async with asyncio.timeout(wait_s):
            while not request.app[CLOSING].closed and request.transport is not None:
                # Looked at before the wait as well: nothing may slip in between the two.
                body = _encoded(parts.registry, wanted)
                if _tag(body) != tag:
                    return body
                came.clear()
                await came.wait()
    except TimeoutError:
        pass
    finally:
        end()
        stop()
    return _encoded(parts.registry, wanted)


def _encoded(registry: Registry, wanted: Filter) -> bytes:
    return encode({"items": list(_items(registry, wanted)), "next": None})


def _items(registry: Registry, wanted: Filter) -> Iterator[LatestItem]:
    for state in registry.all():
        for metric, sample in sorted(state.latest.items()):
            if wanted.takes(state.id, (metric,)):
                yield LatestItem(
                    device=state.id,
                    metric=metric,
                    value=sample.value,
                    quality=sample.quality,
                    source_time=sample.source_time,
                    hub_time=sample.hub_time,
                )


def _tag(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()


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
        answers={
            200: Answer(text="The samples, by device and metric", kind=LatestList),
            304: Answer(text="They are those of If-None-Match", media=None),
        },
    ),
)
