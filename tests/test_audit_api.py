"""The audit trail over HTTP: filters, pages, CSV; commands taken back and refused for their pace."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING

import pytest

from hub.commands.pace import PaceLimit
from hub.model import Role
from tests.fakes import until
from tests.web_hub import DEVICE, NOW_MS, Answered, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


async def led(hub: WebHub, role: Role = Role.OPERATOR, state: str = "on") -> Answered:
    body = {"command": "led", "params": {"state": state}}
    return await hub.call("POST", f"devices/{DEVICE}/commands", role=role, json=body)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        (f"device={DEVICE}", 3),
        ("device=other", 0),
        ("state=succeeded", 2),
        ("state=failed", 1),
        ("caller=token:test-admin", 1),
        (f"from={NOW_MS}&to={NOW_MS + 1}", 3),
        (f"to={NOW_MS}", 0),
    ],
)
async def test_the_trail_is_filtered(hub: WebHub, query: str, count: int) -> None:
    await led(hub)
    await led(hub, Role.ADMIN)
    hub.link.answer = lambda _: 1 / 0
    await led(hub)
    assert len((await hub.get(f"commands?{query}")).json()["items"]) == count
    rows = list(csv.reader(io.StringIO((await hub.get(f"commands?format=csv&{query}")).body.decode())))
    assert len(rows) == count + 1


async def test_csv_holds_the_whole_trail_over_all_pages(hub: WebHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.api.commands.EXPORT_PAGE", 2)
    for number in range(7):
        await led(hub, state=("on", "off")[number % 2])
    answered = await hub.get("commands?format=csv")
    assert answered.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answered.body.decode())))
    assert len({row["id"] for row in rows}) == 7
    assert rows[0]["params"] == '{"state":"on"}'
    assert (rows[0]["caller"], rows[0]["origin"]) == ("token:test-operator", "http")


async def test_a_filter_that_is_none_is_refused_naming_the_parameter(hub: WebHub) -> None:
    for query, parameter in (("state=done", "state"), ("from=yesterday", "from")):
        answered = await hub.get(f"commands?{query}")
        assert (answered.status, answered.problem()["parameter"]) == (400, parameter)


async def test_a_waiting_command_is_taken_back_over_http(hub: WebHub) -> None:
    hub.link.gate = asyncio.Event()
    both = [asyncio.create_task(led(hub)) for _ in range(2)]
    await until(lambda: hub.link.sent)
    (waits,) = (await hub.get("commands?state=queued")).json()["items"]
    (sent,) = (await hub.get("commands?state=sent")).json()["items"]

    async def cancel(identity: str, role: Role = Role.OPERATOR) -> int:
        return (await hub.call("POST", f"commands/{identity}/cancel", role=role)).status

    assert await cancel(waits["id"], Role.VIEWER) == 403
    assert await cancel(waits["id"]) == 204
    assert await cancel(sent["id"]) == 202
    assert hub.link.cancelled == [sent["id"]]
    assert await cancel("nobody") == 404
    hub.link.gate.set()
    states = sorted([(await task).json()["state"] for task in both])
    assert states == ["cancelled", "succeeded"]
    assert len(hub.link.sent) == 1


async def test_a_caller_that_is_too_fast_gets_429_and_when_to_come_back(tmp_path: Path) -> None:
    async with web_hub(tmp_path, pace=PaceLimit(per_s=0.01, burst=2)) as hub:
        assert [(await led(hub)).status for _ in range(2)] == [200, 200]
        answered = await led(hub)
        assert answered.status == 429
        assert 1 <= int(answered.headers["Retry-After"]) <= 100
        assert (await led(hub, Role.ADMIN)).status == 200
