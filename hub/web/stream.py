"""`stream`: server-sent events. What a resuming client missed comes first, then it joins the live fan-out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from hub.model import Role
from hub.web.fanout import reset
from hub.web.filters import Filter, Names
from hub.web.parts import IDENTITY, parts_of
from hub.web.reach import reach_of
from hub.web.route import API, Answer, Reaches, Route, query
from hub.web.sse import frame_of, opening, parse_id
from hub.web.subscriber import bound_kernel_buffers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.bus import Batch, Bus
    from hub.web.fanout import Fanout

FANOUT: web.AppKey[Fanout] = web.AppKey("fanout")

_PIECE = 16 << 10


class StreamQuery(msgspec.Struct, kw_only=True):
    """Which samples and events, how often, and from where."""

    device: Names = ()
    metric: Names = ()
    max_hz: (
        Annotated[
            float,
            msgspec.Meta(
                ge=0.1,
                le=40,
                description="Updates a second, at most: the latest sample of each metric, and every event",
            ),
        ]
        | None
    ) = None
    since: Annotated[
        str,
        msgspec.Meta(max_length=40, description="An id to resume after; Last-Event-ID goes before it"),
    ] = ""


async def live(request: web.Request) -> web.StreamResponse:
    """Stream samples and events until the client goes, stalls, or the hub stops."""
    asked = query(request, StreamQuery)
    wanted = Filter.of(asked.device, asked.metric, asked.max_hz, reach_of(request))
    with request.app[FANOUT].places.hold(request[IDENTITY].name):
        return await _serve(request, wanted, request.headers.get("Last-Event-ID") or asked.since)


async def _serve(request: web.Request, wanted: Filter, given: str) -> web.StreamResponse:
    fanout = request.app[FANOUT]
    answer = web.StreamResponse(
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
    )
    answer.content_type = "text/event-stream"
    chunked = request.version >= (1, 1)
    if chunked:
        answer.enable_chunked_encoding()
    else:
        answer.force_close()
    try:
        await answer.prepare(request)
        if request.transport is not None:
            bound_kernel_buffers(request.transport, fanout.limits)
        await _catch_up(answer, parts_of(request).bus, wanted, given, fanout.limits.stall_s)
    except (TimeoutError, ConnectionError):
        return _cut(request, answer)
    # No await between the last look into the ring and this: no batch can slip through.
    transport = request.transport
    if transport is None:
        return answer
    subscriber = fanout.attach(transport, wanted, chunked=chunked)
    try:
        await subscriber.ended
    finally:
        fanout.detach(subscriber)
    return answer


async def _catch_up(
    answer: web.StreamResponse, bus: Bus, wanted: Filter, given: str, patience_s: float
) -> None:
    """Write the opening, and what the client missed, until it has all that the ring has.

    It does so at the client's own pace. Raises TimeoutError when it takes nothing, ConnectionError when it
    went.
    """
    position = parse_id(given) if given else (bus.epoch, bus.last_n)
    if position is None or bus.replay(*position) is None:
        # No id before the reset: a client that is cut between the two must be told again.
        at = bus.last_n
        await _write(answer, opening(None) + reset(bus, position), patience_s)
    else:
        at = position[1]
        await _write(answer, opening(position), patience_s)
    # Batches go on coming while this writes: it is done when the ring holds none that the client lacks.
    while (missed := bus.replay(bus.epoch, at)) != []:
        if missed is None:
            text = reset(bus, (bus.epoch, at))
            at = bus.last_n
            await _write(answer, text, patience_s)
            continue
        for piece in _pieces(missed, wanted, bus.epoch, at):
            await _write(answer, piece, patience_s)
        at = missed[-1].n


def _pieces(batches: list[Batch], wanted: Filter, epoch: str, at: int) -> Iterator[bytes]:
    """Yield the batches as bytes, several to a write."""
    if wanted.max_hz is not None:
        frame = frame_of(batches, wanted, epoch, since=at)
        if frame is not None:
            yield frame.plain
        return
    piece = b""
    for batch in batches:
        frame = frame_of((batch,), wanted, epoch, since=batch.n - 1)
        piece += frame.plain if frame is not None else b""
        if len(piece) >= _PIECE:
            yield piece
            piece = b""
    if piece:
        yield piece


async def _write(answer: web.StreamResponse, content: bytes, patience_s: float) -> None:
    async with asyncio.timeout(patience_s):
        await answer.write(content)


def _cut(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return answer


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/stream",
        handler=live,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        query=StreamQuery,
        summary="Live samples and events (SSE): samples, device, command, alert, enrolment, log, gap, reset",
        problems=(429, 503),
        answers={200: Answer(text="The stream; it resumes after Last-Event-ID", media="text/event-stream")},
    ),
)
