"""`samples`: a metric's history, raw and paged or in buckets, as JSON or CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from aiohttp import web

from hub import link_history
from hub.model import Kind, Role
from hub.store.budget import QueryRefused
from hub.web.devices import known_device
from hub.web.filters import Name  # noqa: TC001 - msgspec resolves the fields' types
from hub.web.moments import Moment, moment_ms
from hub.web.parts import parts_of
from hub.web.problem import Problem, json_answer
from hub.web.route import API, Answer, Route, query
from hub.web.views import SamplesView

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hub.store.history import Bucket, Page, Row

RAW = ("time", "value", "quality")
BUCKETS = ("time", "min", "max", "mean", "count")
DEFAULT_SPAN_MS = 3_600_000
PAGE = 1000
EXPORT_PAGE = 5000

_NO_STORE = {"Cache-Control": "no-store"}


class SamplesQuery(msgspec.Struct, kw_only=True):
    """Which samples, and how they are wanted."""

    device: Name
    metric: Name
    from_: Annotated[Moment | None, msgspec.Meta(description="Default: an hour before `to`")] = msgspec.field(
        name="from", default=None
    )
    to: Annotated[Moment | None, msgspec.Meta(description="Default: now")] = None
    points: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None,
        msgspec.Meta(description="At most so many buckets of time, min, max, mean and count"),
    ] = None
    format: Literal["json", "csv"] = "json"
    limit: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None,
        msgspec.Meta(description="Rows of a page of raw samples; default 1000, CSV: all in one answer"),
    ] = None
    cursor: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None


class _Wanted(msgspec.Struct, frozen=True):
    device: str
    metric: str
    unit: str
    from_ms: int
    to_ms: int


async def show_samples(request: web.Request) -> web.StreamResponse:
    """Answer with history."""
    asked = query(request, SamplesQuery)
    wanted = _wanted(request, asked)
    if asked.points is not None:
        return await _show_buckets(request, wanted, asked, asked.points)
    if asked.format == "csv" and asked.limit is None:
        return await _export(request, wanted, asked.cursor)
    page = await _page(request, wanted, asked.limit or PAGE, asked.cursor)
    if asked.format == "csv":
        link = (
            {}
            if page.next is None
            else {"Link": f'<{request.rel_url.update_query(cursor=page.next)}>; rel="next"'}
        )
        return web.Response(
            text=_csv((RAW, *map(_raw, page.rows))), content_type="text/csv", headers={**_NO_STORE, **link}
        )
    return _json(wanted, RAW, page.rows, page.next)


def _wanted(request: web.Request, asked: SamplesQuery) -> _Wanted:
    state = known_device(request, asked.device, "device")
    metric = link_history.metric(state.birth, asked.metric)
    if metric is None:
        names = ", ".join(metric.name for metric in state.birth.metrics[:50]) or "none"
        raise Problem(404, f"{state.id} has no metric {asked.metric!r}; it has: {names}", parameter="metric")
    if asked.points is not None and metric.kind not in (Kind.NUMBER, Kind.BOOLEAN):
        raise Problem(
            400,
            f"`points`: {metric.name} is {metric.kind}, which has no mean; ask without points",
            parameter="points",
        )
    # The end is not part of the span: up to now means through this millisecond.
    to_ms = parts_of(request).now_ms() + 1 if asked.to is None else moment_ms(asked.to, "to")
    from_ms = max(0, to_ms - DEFAULT_SPAN_MS) if asked.from_ is None else moment_ms(asked.from_, "from")
    if from_ms >= to_ms:
        raise Problem(400, "`from` is not before `to`", parameter="from")
    return _Wanted(state.id, metric.name, metric.unit, from_ms, to_ms)


async def _show_buckets(
    request: web.Request, wanted: _Wanted, asked: SamplesQuery, points: int
) -> web.StreamResponse:
    for name in ("limit", "cursor"):
        if getattr(asked, name) is not None:
            raise Problem(400, f"`{name}` is for raw samples: leave it or `points` out", parameter=name)
    rows = await parts_of(request).store.samples_buckets(
        wanted.device, wanted.metric, wanted.from_ms, wanted.to_ms, points
    )
    if asked.format == "csv":
        return web.Response(
            text=_csv((BUCKETS, *map(_bucket, rows))), content_type="text/csv", headers=_NO_STORE
        )
    return _json(wanted, BUCKETS, rows, None)


async def _page(request: web.Request, wanted: _Wanted, limit: int, cursor: str | None) -> Page:
    try:
        return await parts_of(request).store.samples_raw(
            wanted.device, wanted.metric, wanted.from_ms, wanted.to_ms, limit, cursor
        )
    except QueryRefused as error:
        # All else was checked: what the store can refuse is the cursor.
        raise Problem(400, str(error), parameter="cursor") from error


async def _export(request: web.Request, wanted: _Wanted, cursor: str | None) -> web.StreamResponse:
    """Stream the whole range as CSV, a page in memory at a time."""
    # The first page before the headers: what fails then can still be a problem document.
    page = await _page(request, wanted, EXPORT_PAGE, cursor)
    answer = web.StreamResponse(headers=_NO_STORE)
    answer.content_type = "text/csv"
    answer.charset = "utf-8"
    await answer.prepare(request)
    await answer.write(_csv((RAW, *map(_raw, page.rows))).encode())
    while page.next is not None:
        page = await _page(request, wanted, EXPORT_PAGE, page.next)
        await answer.write(_csv(map(_raw, page.rows)).encode())
    await answer.write_eof()
    return answer


def _raw(row: Row) -> tuple[object, ...]:
    return row.time, row.value, row.quality


def _bucket(row: Bucket) -> tuple[object, ...]:
    return row.time, row.min, row.max, row.mean, row.count


def _json(
    wanted: _Wanted, columns: Sequence[str], rows: Sequence[Row] | Sequence[Bucket], following: str | None
) -> web.Response:
    return json_answer(
        {
            "device": wanted.device,
            "metric": wanted.metric,
            "unit": wanted.unit,
            "columns": columns,
            "rows": rows,
            "next": following,
        }
    )


def _csv(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/samples",
        handler=show_samples,
        role=Role.VIEWER,
        head=True,
        query=SamplesQuery,
        summary="A metric's history: raw and paged, or in at most `points` buckets; as JSON or CSV",
        answers={200: Answer(text="The rows, oldest first", kind=SamplesView)},
        problems=(404,),
    ),
)
