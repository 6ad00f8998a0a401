"""Long polls: one text for all who wait for the same, and so many places."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from hub.model import Role
from hub.web import problem
from hub.web.live import polls
from hub.web.parts import StreamLimits
from tests.web_hub import NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LIMITS = StreamLimits(per_caller=2, total=3, check_s=0.02)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


def waiting(hub: WebHub) -> int:
    return int(hub.parts.health.registry.get_sample_value("outpost_long_polls") or 0)


async def polled(
    hub: WebHub, count: int, *, role: Role = Role.VIEWER, query: str = ""
) -> list[asyncio.Task[Any]]:
    """Begin long polls of a client that has what there is, and return when all of them wait."""
    before = waiting(hub)
    known = {"If-None-Match": (await hub.get(f"latest?{query}")).headers["ETag"]}
    found = [
        asyncio.create_task(hub.get(f"latest?wait=60&{query}", role=role, headers=known))
        for _ in range(count)
    ]
    async with asyncio.timeout(20):
        while waiting(hub) < before + count:
            await asyncio.sleep(0.005)
    return found


async def test_news_is_written_once_for_all_who_wait_for_the_same(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.take(21.5)
    same, other = await polled(hub, 20), await polled(hub, 1, query="metric=temperature")
    written: list[object] = []

    def counted(value: object) -> bytes:
        written.append(value)
        return problem.encode(value)

    monkeypatch.setattr(polls, "encode", counted)
    hub.take(22.0, time_ms=NOW_MS + 1)
    answers = await asyncio.gather(*same, *other)
    assert {(answer.status, answer.json()["items"][0]["value"]) for answer in answers} == {(200, 22.0)}
    assert len(written) == 2


async def test_who_asks_again_for_what_has_not_changed_costs_no_writing(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.take(21.5)
    first = await hub.get("latest")
    monkeypatch.setattr(polls, "encode", None)
    assert (await hub.get("latest")).body == first.body


async def test_a_caller_has_so_many_places_and_all_together_have(tmp_path: Path) -> None:
    async with web_hub(tmp_path, limits=LIMITS) as hub:
        held = await polled(hub, 2)
        tag = {"If-None-Match": (await hub.get("latest")).headers["ETag"]}
        refused = await hub.get("latest?wait=60", headers=tag)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
        assert "2 long polls" in refused.problem()["detail"]
        held += await polled(hub, 1, role=Role.OPERATOR)
        refused = await hub.get("latest?wait=60", role=Role.ADMIN, headers=tag)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        # Streams have places of their own, and plain polls need none.
        assert (await hub.get("latest")).status == 200
        hub.take(22.0, time_ms=NOW_MS + 1)
        assert {answer.status for answer in await asyncio.gather(*held)} == {200}
        again = await polled(hub, 2)
        hub.take(23.0, time_ms=NOW_MS + 2)
        assert {answer.status for answer in await asyncio.gather(*again)} == {200}


async def test_a_client_that_goes_gives_its_place_back(tmp_path: Path) -> None:
    async with web_hub(tmp_path, limits=LIMITS) as hub:
        for task in await polled(hub, 2):
            task.cancel()
        async with asyncio.timeout(20):
            while waiting(hub):
                await asyncio.sleep(0.005)
        for task in await polled(hub, 2):
            task.cancel()


async def test_of_a_filter_without_news_nobody_is_woken(hub: WebHub) -> None:
    hub.take(21.5)
    (poll,) = await polled(hub, 1, query="metric=temperature")
    hub.take(True, metric="door", time_ms=NOW_MS + 1)
    (other,) = await polled(hub, 1, query="metric=door")
    hub.take(False, metric="door", time_ms=NOW_MS + 2)
    assert (await other).json()["items"][0]["value"] is False
    assert not poll.done()
    poll.cancel()
