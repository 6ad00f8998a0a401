"""`stream`: server-sent events. What a resuming client missed comes first, then it joins the live fan-out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from hub.model import Role
from hub.web.gate.reach import reach_of
from hub.web.live.filters import Filter, Names
from hub.web.live.lag import reset
from hub.web.live.packing import ENCODING, HEADER, accepted, packed
from hub.web.live.sse import CHUNK, PACKED, PLAIN, frame_of, opening, parse_id
from hub.web.live.subscriber import bound_kernel_buffers
from hub.web.parts import IDENTITY, parts_of
from hub.web.route import API, Answer, Reaches, Route, query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.bus import Batch, Bus
    from hub.web.live.fanout import Fanout
    from hub.web.live.sse import Form

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
    form = _form(request)
    answer = web.StreamResponse(
        headers={
            "Cache-Control": "no-cache, no-transform",
            "X-Accel-Buffering": "no",
            "Vary": "Accept-Encoding",
        }
    )
    answer.content_type = "text/event-stream"
    if form is PLAIN:
        answer.force_close()
    else:
        answer.enable_chunked_encoding()
    if form is PACKED:
        answer.headers["Content-Encoding"] = ENCODING
    writer = _Writer(answer, packs=form is PACKED, patience_s=fanout.limits.stall_s)
    try:
        await answer.prepare(request)
        if request.transport is not None:
            bound_kernel_buffers(request.transport, fanout.limits)
        await _catch_up(writer, parts_of(request).bus, wanted, given)
    except (TimeoutError, ConnectionError):
        return _cut(request, answer)
    # No await between the last look into the ring and this: no batch can slip through.
    transport = request.transport
    if transport is None:
        return answer
    subscriber = fanout.attach(transport, wanted, form)
    try:
        await subscriber.ended
    finally:
        fanout.detach(subscriber)
    # What is compressed has no end of its own, and an end of the answer would look as if it were damaged.
    return _cut(request, answer) if form is PACKED else answer


def _form(request: web.Request) -> Form:
    if request.version < (1, 1):
        return PLAIN
    return PACKED if accepted(request) else CHUNK


class _Writer:
    """Writes to an answer before its stream is live, at the client's own pace."""

    def __init__(self, answer: web.StreamResponse, *, packs: bool, patience_s: float) -> None:
        self._answer = answer
        self._packs = packs
        self._patience_s = patience_s
        self._head = HEADER

    async def write(self, content: bytes) -> None:
        """Write plain bytes. Raises TimeoutError when the client takes nothing, ConnectionError."""
        if self._packs:
            content, self._head = self._head + packed(content), b""
        async with asyncio.timeout(self._patience_s):
            await self._answer.write(content)


async def _catch_up(writer: _Writer, bus: Bus, wanted: Filter, given: str) -> None:
    """Write the opening, and what the client missed, until it has all that the ring has.

    Raises as the writer does.
    """
    position = parse_id(given) if given else (bus.epoch, bus.last_n)
    if position is None or bus.replay(*position) is None:
        # No id before the reset: a client that is cut between the two must be told again.
        at = bus.last_n
        await writer.write(opening(None) + reset(bus, position))
    else:
        at = position[1]
        await writer.write(opening(position))
    # Batches go on coming while this writes: it is done when the ring holds none that the client lacks.
    while (missed := bus.replay(bus.epoch, at)) != []:
        if missed is None:
            text = reset(bus, (bus.epoch, at))
            at = bus.last_n
            await writer.write(text)
            continue
        for piece in _pieces(missed, wanted, bus.epoch, at):
            await writer.write(piece)
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
        summary="Live samples and events (SSE): samples, device, removed, command, alert, enrolment, log, "
        "gap, reset",
        problems=(429, 503),
        answers={200: Answer(text="The stream; it resumes after Last-Event-ID", media="text/event-stream")},
    ),
)
