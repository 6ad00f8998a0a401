"""Progress and cancel as callers see them: SSE, WebSocket, HTTP and `outpost send`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from hub.cli.sending import _send
from hub.links.link import Cancelled
from hub.model import Command, CommandProgress, Role
from tests.fakes import until
from tests.web_hub import DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LED = {"command": "led", "params": {"state": "on"}, "key": "k1"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        running.ingest.on_progress(running.parts.commands.progress)
        running.link.gate = asyncio.Event()
        yield running


async def under_way(hub: WebHub) -> tuple[asyncio.Task[Any], str]:
    """Send a command that the device keeps, by HTTP."""
    asked = asyncio.ensure_future(
        hub.call("POST", f"devices/{DEVICE}/commands", role=Role.OPERATOR, json=LED)
    )
    await until(lambda: hub.link.sent)
    return asked, hub.link.sent[0].id


def tell(hub: WebHub, identity: str, percent: int | None, text: str) -> None:
    hub.sink(CommandProgress(DEVICE, identity, percent, text))


def release(hub: WebHub, error: Exception | None = None) -> None:
    def answer(_: Command) -> str:
        if error is not None:
            raise error
        return "done"

    hub.link.answer = answer
    assert hub.link.gate is not None
    hub.link.gate.set()


async def test_a_control_socket_hears_of_progress(hub: WebHub) -> None:
    headers = hub.bearer(Role.VIEWER)
    async with hub.session.ws_connect(
        hub.url("control"), protocols=("outpost.v1",), headers=headers
    ) as socket:
        asked, identity = await under_way(hub)
        tell(hub, identity, 40, "axis x")
        told = [await socket.receive_json(timeout=10) for _ in range(3)][-1]
        release(hub)
        await asked
    assert told["method"] == "command.progress"
    expected = {
        "id": identity,
        "device": DEVICE,
        "command": "led",
        "key": "k1",
        "percent": 40,
        "text": "axis x",
    }
    assert told["params"] == expected


async def test_a_page_that_comes_later_sees_how_far_a_command_is(hub: WebHub) -> None:
    asked, identity = await under_way(hub)
    tell(hub, identity, None, "waiting for the pump")
    (item,) = (await hub.get("commands")).json()["items"]
    assert (item["state"], item["progress"]) == ("sent", {"percent": None, "text": "waiting for the pump"})
    release(hub)
    await asked
    (item,) = (await hub.get("commands")).json()["items"]
    assert item["progress"] is None


async def test_cancelling_what_the_device_has_is_accepted_and_ends_as_the_device_says(hub: WebHub) -> None:
    asked, identity = await under_way(hub)
    cancel = await hub.call("POST", f"commands/{identity}/cancel", role=Role.OPERATOR)
    assert (cancel.status, hub.link.cancelled) == (202, [identity])
    release(hub, Cancelled("stopped"))
    assert (await asked).json()["state"] == "cancelled"


async def test_cancelling_over_the_socket_tells_whether_it_is_cancelled_already(hub: WebHub) -> None:
    asked, identity = await under_way(hub)
    headers = hub.bearer(Role.OPERATOR)
    async with hub.session.ws_connect(
        hub.url("control"), protocols=("outpost.v1",), headers=headers
    ) as socket:
        wanted = {"jsonrpc": "2.0", "id": 1, "method": "command.cancel", "params": {"id": identity}}
        await socket.send_json(wanted)
        got = await socket.receive_json(timeout=10)
    assert got["result"] == {"id": identity, "cancelled": False}
    release(hub)
    await asked


async def test_outpost_send_shows_progress_on_stderr_and_is_known_in_the_trail(
    hub: WebHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUTPOST_URL", hub.origin)
    monkeypatch.setenv("OUTPOST_TOKEN", hub.tokens[Role.OPERATOR])
    body = {"command": "led", "params": {"state": "on"}}
    sending = asyncio.ensure_future(_send(tmp_path, DEVICE, body))
    await until(lambda: hub.link.sent)
    tell(hub, hub.link.sent[0].id, 70, "axis y")
    shown = ""

    def told() -> bool:
        nonlocal shown
        shown += capsys.readouterr().err
        return bool(shown)

    await until(told)
    release(hub)
    assert (await sending)["state"] == "succeeded"
    assert shown == " 70 %  axis y\n"
    assert hub.link.sent[0].origin == "cli"
