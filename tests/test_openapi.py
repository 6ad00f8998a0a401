"""The OpenAPI document: every route is in it, and what the hub answers is what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from hub.model import LogLine, Role
from hub.update import package
from hub.update.updates import Packages, Updates
from hub.web.server import ROUTES
from tests.route_rights import ROLE_OF_ROUTE
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        running.parts.updates = Updates(
            registry=running.parts.registry,
            commands=running.parts.commands,
            packages=Packages(),
            load=package.installed,
        )
        yield running


@pytest.fixture
async def document(hub: WebHub) -> dict[str, Any]:
    found: dict[str, Any] = (await hub.get("openapi.json")).json()
    return found


def validator(document: dict[str, Any], schema: Any) -> Draft202012Validator:
    return Draft202012Validator({**document, "$schema": Draft202012Validator.META_SCHEMA["$id"], **schema})


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


async def test_every_route_is_in_the_document_with_its_role(document: dict[str, Any]) -> None:
    shown = {(method, path): operation["x-role"] for method, path, operation in operations(document)}
    assert shown == {
        (method, re.sub(r":[^{}]*\}", "}", path)): role for (method, path), role in ROLE_OF_ROUTE.items()
    }


async def test_every_operation_has_its_own_name_and_says_what_it_does(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for method, path, operation in operations(document) if path != "/"]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in operations(document))


async def test_every_path_parameter_is_declared(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        declared = [item["name"] for item in operation.get("parameters", []) if item["in"] == "path"]
        assert declared == re.findall(r"\{(\w+)\}", path)


async def test_every_query_parameter_of_a_route_is_declared_with_its_limits(document: dict[str, Any]) -> None:
    samples = document["paths"]["/api/v1/samples"]["get"]["parameters"]
    by_name = {item["name"]: item for item in samples}
    assert set(by_name) == {
        *("device", "metric", "from", "to", "at", "lookback_days", "points", "agg", "format", "limit"),
        *("layout", "cursor"),
    }
    assert [name for name, item in by_name.items() if item["required"]] == []
    assert {"type": "integer", "minimum": 1, "maximum": 10000} in by_name["points"]["schema"]["anyOf"]
    assert {"enum": ["arrow", "csv", "json"]} in by_name["format"]["schema"]["anyOf"]


async def test_every_reference_leads_somewhere_and_every_schema_is_valid(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    references = re.findall(r"#/components/schemas/(\w+)", str(document))
    assert set(references) == set(schemas)


ANSWERS = [
    ("/api/v1/devices", "devices"),
    ("/api/v1/devices/{id}", f"devices/{DEVICE}"),
    ("/api/v1/devices/{id}/console", f"devices/{DEVICE}/console"),
    ("/api/v1/devices/{id}/link", f"devices/{DEVICE}/link"),
    ("/api/v1/devices/{id}/firmware", f"devices/{DEVICE}/firmware"),
    ("/api/v1/latest", "latest"),
    ("/api/v1/retention", "retention"),
    ("/api/v1/retention/rules", "retention/rules"),
    ("/api/v1/samples", f"samples?device={DEVICE}&metric=temperature"),
    ("/api/v1/samples", f"samples?device={DEVICE}&metric=temperature&points=2"),
    ("/api/v1/samples", f"samples?device={DEVICE}&metric=temperature&metric=door&points=2"),
    ("/api/v1/samples", f"samples?device={DEVICE}&metric=temperature&metric=note"),
    ("/api/v1/samples", "samples?at=1781950000000"),
    ("/api/v1/commands", "commands"),
    ("/api/v1/alerts", "alerts"),
    ("/api/v1/rules", "rules"),
    ("/api/v1/rules/{rule}", "rules/hot"),
    ("/api/v1/devices/{id}/desired", f"devices/{DEVICE}/desired"),
    ("/api/v1/cameras", "cameras"),
    ("/api/v1/cameras/{id}/recordings", "cameras/front/recordings"),
    ("/api/v1/cameras/{id}/timelapses", "cameras/front/timelapses"),
    ("/api/v1/hub", "hub"),
    ("/api/v1/session", "session"),
    ("/api/v1/enrolments", "enrolments"),
    ("/api/v1/sessions", "sessions"),
    ("/api/v1/tokens", "tokens"),
    ("/api/v1/users", "users"),
    ("/api/v1/security/events", "security/events"),
]


def test_every_route_that_answers_in_json_is_held_against_the_document() -> None:
    answering = {
        route.path
        for route in ROUTES
        if route.method == "GET" and any(answer.kind is not None for answer in route.answers.values())
    }
    assert answering == {path for path, _ in ANSWERS}


@pytest.mark.parametrize(("path", "asked"), ANSWERS)
async def test_an_answer_is_what_the_document_says(
    hub: WebHub, document: dict[str, Any], path: str, asked: str
) -> None:
    rule = {"id": "hot", "source": "*/temperature", "condition": "above", "threshold": 20.0}
    await hub.call("PUT", "rules/hot", role=Role.ADMIN, json=rule)
    hub.take(21.5)
    hub.take(None, metric="note")
    hub.sink(LogLine(DEVICE, NOW_MS, "hello"))
    await hub.call("POST", f"enrolments/{DEVICE}/accept", role=Role.ADMIN)
    body = {"command": "led", "params": {"state": "on"}}
    await hub.call("POST", f"devices/{DEVICE}/commands", role=Role.OPERATOR, json=body)
    await hub.call("POST", "cameras/front/recordings", role=Role.OPERATOR, json={})
    answer = (await hub.get(asked, role=Role.ADMIN)).json()
    content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    validator(document, content["schema"]).validate(answer)
    name = content["schema"]["$ref"].rpartition("/")[2]
    strict(document, name, answer)


def strict(document: dict[str, Any], name: str, answer: Any) -> None:
    """Check that an object has no field that the document does not know, all the way down."""
    properties = document["components"]["schemas"][name]["properties"]
    assert set(answer) <= set(properties)
    for field, schema in properties.items():
        inner = schema.get("items", schema)
        if "$ref" in inner and field in answer:
            found = answer[field] if isinstance(answer[field], list) else [answer[field]]
            for item in found:
                if isinstance(item, dict):
                    strict(document, inner["$ref"].rpartition("/")[2], item)


async def test_a_command_result_is_what_the_document_says(hub: WebHub, document: dict[str, Any]) -> None:
    answered = await hub.call(
        "POST", f"devices/{DEVICE}/commands", role=Role.OPERATOR, json={"command": "read"}
    )
    operation = document["paths"]["/api/v1/devices/{id}/commands"]["post"]
    content = operation["responses"]["200"]["content"]["application/json"]
    validator(document, content["schema"]).validate(answered.json())
    accepted = operation["requestBody"]["content"]["application/json"]
    assert accepted["schema"] == {"$ref": "#/components/schemas/CommandBody"}


async def test_a_problem_is_what_the_document_says(hub: WebHub, document: dict[str, Any]) -> None:
    answered = await hub.get("samples?device=nope&metric=x")
    content = document["paths"]["/api/v1/samples"]["get"]["responses"]["404"]["content"]
    validator(document, content["application/problem+json"]["schema"]).validate(answered.json())


async def test_what_everybody_may_call_asks_for_no_login(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        assert (operation["security"] == []) == (operation["x-role"] is None), path
        assert ("401" in operation["responses"]) == (operation["x-role"] is not None), path
