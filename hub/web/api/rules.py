"""Rules over HTTP, for admins: they reach other programs, so they are as much as configuration."""

from __future__ import annotations

import logging
from typing import Literal

import msgspec
from aiohttp import web

from hub.alerts import BadRule, Rule, check
from hub.alerts.preview import Preview
from hub.alerts.rules import NoSuchRule, RuleChanged
from hub.model import Role
from hub.web.api.medium import on_medium
from hub.web.api.versions import etag, expected
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, JSON, Answer, Route, body, path_part, query

log = logging.getLogger(__name__)

TOML = "application/toml"


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its version, which is its ETag too."""

    id: str
    version: int
    updated_time: int
    body: Rule


class RuleList(msgspec.Struct):
    """All rules, by id."""

    items: list[RuleView]
    next: str | None


class RulesQuery(msgspec.Struct, kw_only=True):
    """In which form."""

    format: Literal["json", "toml"] = "json"


async def list_rules(request: web.Request) -> web.StreamResponse:
    """Answer with all rules, as JSON or as a TOML file."""
    rules = parts_of(request).alerts.rules
    if query(request, RulesQuery).format == "json":
        return items_answer(rules.all())
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="outpost-rules.toml"',
    }
    return web.Response(body=rules.to_toml().encode("utf-8", "replace"), content_type=TOML, headers=headers)


async def import_rules(request: web.Request) -> web.StreamResponse:
    """Put the rules of a TOML file in place of all."""
    try:
        text = (await request.read()).decode()
        async with on_medium(request):
            documents = parts_of(request).alerts.rules.replace_all(text)
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8 text: {error}") from error
    except BadRule as error:
        raise _bad(error) from error
    _note(request, "rules imported")
    return items_answer(documents)


async def show_rule(request: web.Request) -> web.StreamResponse:
    """Answer with one rule."""
    try:
        document = parts_of(request).alerts.rules.find(path_part(request, "rule"))
    except NoSuchRule as error:
        raise Problem(404, str(error), parameter="rule") from error
    return json_answer(document, headers=etag(document.version))


async def put_rule(request: web.Request) -> web.StreamResponse:
    """Make a rule or change it."""
    asked = await body(request, Rule)
    if asked.id != path_part(request, "rule"):
        raise Problem(400, "`id` is not the one of the path; a rule keeps its id", parameter="id")
    version = expected(request)
    try:
        async with on_medium(request):
            document = parts_of(request).alerts.rules.put(asked, version)
    except BadRule as error:
        raise _bad(error) from error
    except RuleChanged as error:
        raise Problem(412, str(error)) from error
    _note(request, f"rule {asked.id} version {document.version}")
    return json_answer(document, headers=etag(document.version))


async def delete_rule(request: web.Request) -> web.StreamResponse:
    """Remove a rule, and clear what it raised."""
    rule = path_part(request, "rule")
    try:
        async with on_medium(request):
            parts_of(request).alerts.rules.delete(rule, expected(request))
    except NoSuchRule as error:
        raise Problem(404, str(error), parameter="rule") from error
    except RuleChanged as error:
        raise Problem(412, str(error)) from error
    _note(request, f"rule {rule} removed")
    return web.Response(status=204)


async def preview_rule(request: web.Request) -> web.StreamResponse:
    """Answer with what a rule would have raised in the last day."""
    asked = await body(request, Rule)
    try:
        ready = check(asked)
    except BadRule as error:
        raise _bad(error) from error
    return json_answer(await parts_of(request).alerts.preview(ready))


def _note(request: web.Request, what: str) -> None:
    log.info("%s by %s", what, request[IDENTITY].name)


def _bad(error: BadRule) -> Problem:
    return Problem(400, str(error), parameter=error.field)


_ALL = f"{API}/rules"
_ONE = f"{_ALL}/{{rule}}"

ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_rules,
        role=Role.ADMIN,
        head=True,
        query=RulesQuery,
        summary="The rules that raise alerts, as JSON or as a TOML file",
        answers={200: Answer(text="Rules, by id", kind=RuleList, also=(TOML,))},
    ),
    Route(
        method="PUT",
        path=_ALL,
        handler=import_rules,
        role=Role.ADMIN,
        body_media=TOML,
        summary="Put the rules of a TOML file in place of all; one bad rule, and nothing changes",
        answers={200: Answer(text="Rules, by id", kind=RuleList)},
        problems=(503,),
    ),
    Route(
        method="POST",
        path=f"{_ALL}/preview",
        handler=preview_rule,
        role=Role.ADMIN,
        body=Rule,
        body_media=JSON,
        summary="How often a rule would have raised an alert in the last 24 hours",
        answers={200: Answer(text="The count of each metric", kind=Preview)},
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=show_rule,
        role=Role.ADMIN,
        head=True,
        summary="A rule; ETag is its version",
        answers={200: Answer(text="The rule", kind=RuleView)},
        problems=(404,),
    ),
    Route(
        method="PUT",
        path=_ONE,
        handler=put_rule,
        role=Role.ADMIN,
        body=Rule,
        body_media=JSON,
        summary="Make a rule (If-None-Match: *) or change it (If-Match: its ETag)",
        answers={200: Answer(text="The rule", kind=RuleView)},
        problems=(412, 503),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=delete_rule,
        role=Role.ADMIN,
        summary="Remove a rule, and clear what it raised",
        answers={204: Answer(text="Removed", media=None)},
        problems=(400, 404, 412, 503),
    ),
)
