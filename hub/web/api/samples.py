"""`samples`: the history of metrics, raw and paged, in buckets, or at a time; as JSON, CSV or Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from aiohttp import web

from hub.model import Role
from hub.web.api import sample_sheets
from hub.web.api.devices import known_device
from hub.web.api.moments import Moment, moment_ms
from hub.web.api.sample_names import asked_for
from hub.web.api.sheet import MEDIA, CsvWriter, Form, Layout, json_of, negotiated
from hub.web.api.views import SamplesView
from hub.web.gate.reach import reach_of
from hub.web.live.filters import Name  # noqa: TC001 - msgspec resolves the fields' types
from hub.web.parts import parts_of
from hub.web.problem import Problem
from hub.web.route import API, Answer, Reaches, Route, query
from hub.web.serving.patience import while_there

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.web.api.arrow import ArrowWriter
    from hub.web.api.sheet import Sheet

DEFAULT_SPAN_MS = 3_600_000
PAGE = 1000
EXPORT_PAGE = 5000
OTHER_FORMS = tuple(media for form, media in MEDIA.items() if form != "json")
_DAY_MS = 86_400_000


class SamplesQuery(msgspec.Struct, kw_only=True):
    """Which samples, and how they are wanted."""

    device: Annotated[
        Name | None, msgspec.Meta(description="Whose metrics; without it metrics are DEVICE/METRIC")
    ] = None
    metric: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=257)], ...],
        msgspec.Meta(
            max_length=64,
            description="A metric; may be given several times, which answers with all of them on one grid "
            "of time. With `at`, none means all",
        ),
    ] = ()
    from_: Annotated[Moment | None, msgspec.Meta(description="Default: an hour before `to`")] = msgspec.field(
        name="from", default=None
    )
    to: Annotated[Moment | None, msgspec.Meta(description="Default: now")] = None
    at: Annotated[
        Moment | None, msgspec.Meta(description="The last sample at this time, in place of a span")
    ] = None
    lookback_days: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=3660)] | None,
        msgspec.Meta(description="How old the last sample at a time may be; default 32"),
    ] = None
    points: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None,
        msgspec.Meta(
            description="At most so many buckets of time, min, max, mean and count; "
            "times metrics at most 50000"
        ),
    ] = None
    agg: Annotated[
        Literal["raw", "full", "quality"] | None,
        msgspec.Meta(
            description="`raw`: samples as they are, as without `points`; `full`: buckets with `last` and "
            "`mean_by_time` too, which weighs each value by how long it held; `quality`: of the buckets in "
            "which samples are not good, the worst quality (raw samples tell it, rollups do not)"
        ),
    ] = None
    format: Annotated[Form | None, msgspec.Meta(description="Default: what Accept likes best, else JSON")] = (
        None
    )
    layout: Annotated[
        Layout | None,
        msgspec.Meta(
            description="Of JSON. `rows` (default): an array a row; `columns`: `arrays` in place of `rows`, "
            "one a column, and of raw samples no column of qualities that are all good: half as much to read"
        ),
    ] = None
    limit: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None,
        msgspec.Meta(
            description="Rows of a page of raw samples; default 1000, CSV and Arrow: all in one answer; "
            "times metrics at most 50000"
        ),
    ] = None
    cursor: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None


async def show_samples(request: web.Request) -> web.StreamResponse:
    """Answer with history."""
    wanted = query(request, SamplesQuery)
    form: Form = wanted.format or negotiated(request.headers.get("Accept", ""))
    if form != "json":
        _only(wanted, "layout", "JSON: leave it out, or ask for `format=json`")
    if wanted.at is not None:
        return _whole(
            request, await while_there(request, _at(request, wanted, wanted.at)), form, wanted.layout
        )
    if not wanted.metric:
        raise Problem(400, "`metric` is missing", parameter="metric")
    _only(wanted, "lookback_days", "`at`")
    question = sample_sheets.Question(
        parts_of(request).store,
        await asked_for(request, wanted.device, wanted.metric),
        *_span(request, wanted),
    )
    if wanted.points is not None:
        return _whole(
            request,
            await while_there(request, _buckets(question, wanted, wanted.points)),
            form,
            wanted.layout,
        )
    if wanted.agg in ("full", "quality"):
        raise Problem(400, f"`agg` is {wanted.agg}, which is of buckets: give `points`", parameter="agg")
    if form != "json" and wanted.limit is None:
        return await _stream(request, question, form, wanted.cursor)
    limit = wanted.limit or question.rows_at_most(PAGE)
    return _whole(
        request, await while_there(request, question.page(limit, wanted.cursor)), form, wanted.layout
    )


async def _buckets(question: sample_sheets.Question, wanted: SamplesQuery, points: int) -> Sheet:
    for name in ("limit", "cursor", "agg") if wanted.agg == "raw" else ("limit", "cursor"):
        _only(wanted, name, "raw samples: leave it or `points` out")
    if wanted.agg == "quality":
        return await question.doubts(points)
    return await question.buckets(points, full=wanted.agg == "full")


def _only(wanted: SamplesQuery, name: str, what: str) -> None:
    if getattr(wanted, name) is not None:
        raise Problem(400, f"`{name}` is for {what}", parameter=name)


def _span(request: web.Request, wanted: SamplesQuery) -> tuple[int, int]:
    # The end is not part of the span: up to now means through this millisecond.
    to_ms = parts_of(request).now_ms() + 1 if wanted.to is None else moment_ms(wanted.to, "to")
    from_ms = max(0, to_ms - DEFAULT_SPAN_MS) if wanted.from_ is None else moment_ms(wanted.from_, "from")
    if from_ms >= to_ms and wanted.to is None:
        raise Problem(400, "`from` is not in the past; without `to` the span ends now", parameter="from")
    if from_ms >= to_ms:
        raise Problem(400, "`from` is not before `to`", parameter="from")
    return from_ms, to_ms


async def _at(request: web.Request, wanted: SamplesQuery, text: str) -> Sheet:
    for name, given in (("from", wanted.from_), ("to", wanted.to), ("points", wanted.points)):
        if given is not None:
            raise Problem(400, f"`{name}` is for a span, `at` is one time: leave one out", parameter=name)
    for name in ("limit", "cursor", "agg"):
        _only(wanted, name, "a span, `at` is one time")
    if wanted.device is not None:
        known_device(request, wanted.device, "device")
    asked = await asked_for(request, wanted.device, wanted.metric)
    back_ms = (wanted.lookback_days or 32) * _DAY_MS
    return await sample_sheets.known_at(
        parts_of(request), reach_of(request), asked, wanted.device, moment_ms(text, "at"), back_ms
    )


def _headers(form: Form) -> Mapping[str, str]:
    return {"Cache-Control": "no-store", "Vary": "Accept", "Content-Type": _media(form)}


def _media(form: Form) -> str:
    return f"{MEDIA[form]}; charset=utf-8" if form == "csv" else MEDIA[form]


def _whole(request: web.Request, sheet: Sheet, form: Form, layout: Layout | None) -> web.Response:
    """Answer with a sheet; in CSV and Arrow, which have no room for it, a Link names the next page."""
    if form == "json":
        return json_of(sheet, {"Vary": "Accept"}, layout or "rows")
    writer = _writer(form, sheet)
    link = {}
    if sheet.next is not None:
        link = {"Link": f'<{request.rel_url.update_query(cursor=sheet.next)}>; rel="next"'}
    return web.Response(body=writer.part(sheet.rows) + writer.end(), headers={**_headers(form), **link})


def _writer(form: Form, sheet: Sheet) -> CsvWriter | ArrowWriter:
    if form == "csv":
        return CsvWriter(sheet.columns)
    from hub.web.api.arrow import ArrowWriter  # noqa: PLC0415 - a library that few need

    return ArrowWriter(sheet.columns)


async def _stream(
    request: web.Request, question: sample_sheets.Question, form: Form, cursor: str | None
) -> web.StreamResponse:
    """Stream the whole span, a page in memory at a time; a client that goes ends it."""
    limit = question.rows_at_most(EXPORT_PAGE)
    # The first page before the headers: what fails then can still be a problem document.
    sheet = await while_there(request, question.page(limit, cursor))
    answer = web.StreamResponse(headers=_headers(form))
    await answer.prepare(request)
    writer = _writer(form, sheet)
    await answer.write(writer.part(sheet.rows))
    while sheet.next is not None:
        sheet = await while_there(request, question.page(limit, sheet.next))
        await answer.write(writer.part(sheet.rows))
    await answer.write(writer.end())
    await answer.write_eof()
    return answer


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/samples",
        handler=show_samples,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        query=SamplesQuery,
        summary="The history of one or more metrics: raw and paged, in at most `points` buckets, or at a "
        "time; as JSON, CSV or Arrow",
        answers={200: Answer(text="The rows, oldest first", kind=SamplesView, also=OTHER_FORMS)},
        problems=(404,),
    ),
)
