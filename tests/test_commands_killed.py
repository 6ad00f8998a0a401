"""`kill -9` in the middle of 1,000 commands: none runs twice, and the trail accounts for each."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from hil.hub import HubProcess
from tests.pty_board import BIRTH, PtyBoard

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

COMMANDS = 1000
CALLERS = 8
KILLS = 4
NUMBERED = {
    "name": "count",
    "params": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
}


class Life:
    """A hub that is killed and started again, and callers that ask again, by the same key, until answered."""

    def __init__(self, hub: HubProcess, board: PtyBoard) -> None:
        self.hub, self.board = hub, board
        self.results: dict[int, dict[str, Any]] = {}
        self.todo = list(reversed(range(COMMANDS)))
        self.up = asyncio.Event()

    async def caller(self, session: aiohttp.ClientSession) -> None:
        while self.todo:
            number = self.todo.pop()
            while number not in self.results:
                await self.up.wait()
                try:
                    await self._ask(session, number)
                except (aiohttp.ClientError, ConnectionError, FileNotFoundError):
                    await asyncio.sleep(0.05)

    async def _ask(self, session: aiohttp.ClientSession, number: int) -> None:
        access = self.hub.access
        async with session.post(
            f"{access.url}/api/v1/devices/{self.board.uid}/commands",
            json={"command": "count", "params": {"n": number}, "key": f"n{number}", "ttl_ms": 20_000},
            headers={"Authorization": f"Bearer {access.token}"},
        ) as response:
            content = await response.json()
        if response.status == 200:
            self.results[number] = content
        else:
            # Too fast, a full queue, or a board that has not said hello yet: nothing was queued.
            assert response.status in (401, 404, 429, 503), content
            await asyncio.sleep(0.1)

    async def kill(self, session: aiohttp.ClientSession, chance: random.Random) -> None:
        for part in range(1, KILLS + 1):
            while len(self.results) < COMMANDS * part // (KILLS + 1):
                await asyncio.sleep(0.01)
            await asyncio.sleep(chance.random() * 0.05)
            self.up.clear()
            await asyncio.to_thread(self.hub.kill)
            await asyncio.to_thread(self.hub.start)
            await self.online(session)
            self.up.set()

    async def online(self, session: aiohttp.ClientSession) -> None:
        """Wait for the board: a command to one that is offline fails at once, and tells nothing here."""
        access = self.hub.access
        headers = {"Authorization": f"Bearer {access.token}"}
        while True:
            async with session.get(f"{access.url}/api/v1/devices/{self.board.uid}", headers=headers) as got:
                if got.status == 200 and (await got.json())["online"]:
                    return
            await asyncio.sleep(0.05)

    async def trail(self, session: aiohttp.ClientSession) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        query = {"limit": "1000"}
        while True:
            async with session.get(
                f"{self.hub.url}/api/v1/commands",
                params=query,
                headers={"Authorization": f"Bearer {self.hub.token}"},
            ) as response:
                page = await response.json()
            items += page["items"]
            if page["next"] is None:
                return items
            query["cursor"] = page["next"]


async def test_kill_9_amid_a_thousand_commands_runs_none_twice_and_accounts_for_each(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    board = PtyBoard(
        tmp_path / "tty", birth={**BIRTH, "commands": [NUMBERED]}, answer=lambda _, params: (True, params)
    )
    board.plug()
    config = f'[serial]\nports = ["{board.link}"]\nenrolment = "off"\n[mqtt]\nenabled = false\n'
    hub = HubProcess(tmp_path / "data", listen=listen, config=config)
    await asyncio.to_thread(hub.start)
    life = Life(hub, board)
    try:
        async with aiohttp.ClientSession() as session:
            await life.online(session)
            life.up.set()
            await asyncio.gather(
                life.kill(session, random.Random(7)), *(life.caller(session) for _ in range(CALLERS))
            )
            trail = await life.trail(session)
    finally:
        await asyncio.to_thread(hub.stop)
        await board.unplug()

    ran = [params["n"] for _, params in board.commands]
    assert len(ran) == len(set(ran)), "a command ran twice"
    told = {item["params"]["n"]: item for item in trail}
    assert len(trail) == len(told) == COMMANDS, "a command is missing in the trail, or twice there"
    for number, item in told.items():
        result = life.results[number]
        assert (item["id"], item["state"]) == (result["id"], result["state"])
        if item["state"] == "succeeded":
            assert number in ran
        else:
            assert item["state"] == "failed", json.dumps(item)
            assert item["error"].startswith(("unknown", "not sent")), item["error"]
            assert number not in ran or not item["error"].startswith("not sent"), "it was sent after all"
    assert sum(item["state"] == "succeeded" for item in trail) > COMMANDS // 2
    # What was in flight at a kill was at most one for each caller.
    assert sum(item["state"] == "failed" for item in trail) <= KILLS * CALLERS * 4
