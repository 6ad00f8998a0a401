"""The OpenAPI 3.1 document, made from the declared routes and the types that they use."""

from __future__ import annotations

import re
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from hub import __version__
from hub.model import Role
from hub.web.problem import PROBLEM_TYPE, ProblemDocument, json_answer
from hub.web.route import API, Answer, Reaches, Route

if TYPE_CHECKING:
    from collections.abc import Iterable


class Document:
    """The document of some routes, made when it is first asked for: few ever ask."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document."""
        return describe(self._routes)


DOCUMENT: web.AppKey[Document] = web.AppKey("openapi")

_REF = "#/components/schemas/{name}"
_INFO = (
    "Telemetry in, commands out. Times are UTC milliseconds. Errors are problem documents (RFC 9457). "
    "Roles: viewer < operator < admin; each operation names the least that may call it in x-role."
)


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`."""
    routes = tuple(routes)
    kinds = _kinds(routes)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = re.sub(r":[^{}]*(?=\})", "", route.path)
        operation = _operation(route, schema_of, components)
        paths.setdefault(path, {})[route.method.lower()] = operation
    queries = {route.query.__name__ for route in routes if route.query is not None}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Outpost", "version": __version__, "description": _INFO},
        "paths": paths,
        "components": {
            # Queries stand as parameters, not as objects.
            "schemas": {name: schema for name, schema in components.items() if name not in queries},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "outpost_session"},
            },
        },
    }


def _kinds(routes: tuple[Route, ...]) -> tuple[Any, ...]:
    found: dict[Any, None] = {ProblemDocument: None}
    for route in routes:
        found.update(dict.fromkeys(kind for kind in (route.query, route.body) if kind is not None))
        found.update({answer.kind: None for answer in route.answers.values() if answer.kind is not None})
    return tuple(found)


def _operation(route: Route, schema_of: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "x-role": route.role,
        "security": [] if route.role is None else [{"bearer": []}, {"session": []}],
        "responses": {
            **{str(status): _answer(answer, schema_of) for status, answer in route.answers.items()},
            **{str(status): _problem(status, schema_of) for status in _problems(route)},
        },
    }
    parameters = _path_parameters(route) + _query_parameters(route, components)
    if parameters:
        operation["parameters"] = parameters
    if route.body_media is not None:
        schema = {"type": "string"} if route.body is None else schema_of[route.body]
        operation["requestBody"] = {"required": True, "content": {route.body_media: {"schema": schema}}}
    return operation


def _problems(route: Route) -> list[int]:
    statuses = {421, *route.problems}
    if route.role is not None:
        statuses |= {401, 403}
    if route.query is not None or route.body_media is not None:
        statuses.add(400)
    if route.body_media is not None:
        statuses |= {413, 415}
    return sorted(statuses - route.answers.keys())


def _answer(answer: Answer, schema_of: dict[Any, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": answer.text}
    if answer.media is not None:
        schema = {"type": "string"} if answer.kind is None else schema_of[answer.kind]
        shown["content"] = {
            answer.media: {"schema": schema},
            **{media: {"schema": {"type": "string"}} for media in answer.also},
        }
    return shown


def _problem(status: int, schema_of: dict[Any, Any]) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_TYPE: {"schema": schema_of[ProblemDocument]}},
    }


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)", route.path)
    ]


def _query_parameters(route: Route, components: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = components[route.query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": {key: value for key, value in property_.items() if key != "description"},
            **({"description": property_["description"]} if "description" in property_ else {}),
        }
        for name, property_ in schema["properties"].items()
    ]


async def show_openapi(request: web.Request) -> web.StreamResponse:
    """Answer with the OpenAPI document."""
    return json_answer(request.app[DOCUMENT].content)


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/openapi.json",
        handler=show_openapi,
        role=Role.VIEWER,
        reaches=Reaches.NONE,
        head=True,
        summary="This document",
        answers={200: Answer(text="The OpenAPI document")},
    ),
)
