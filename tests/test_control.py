"""The control socket: JSON-RPC 2.0, errors that leave it open, updates, rights, limits."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest

from hub.model import CommandResult, CommandState, Role
from hub.web.live import rpc
from hub.web.live.control import CLOSING_BYTES, IN_FLIGHT, MESSAGE_BYTES
from tests.fakes import until
from tests.web_hub import DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from aiohttp import ClientWebSocketResponse


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


@asynccontextmanager
async def control(
    hub: WebHub, role: Role = Role.OPERATOR, headers: Mapping[str, str] | None = None
) -> AsyncIterator[ClientWebSocketResponse]:
    async with hub.session.ws_connect(
        hub.url("control"),
        protocols=("outpost.v1",),
        headers=headers or hub.bearer(role),
        max_msg_size=0,
    ) as socket:
        assert socket.protocol == "outpost.v1"
        yield socket


async def answer(socket: ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next answer, past updates."""
    while True:
        message = await socket.receive_json(timeout=10)
        if "method" not in message:
            found: dict[str, Any] = message
            return found


def request(id_: Any = 1, **params: Any) -> dict[str, Any]:
    asked = {"device": DEVICE, "command": "led", "params": {"state": "on"}, **params}
    return {"jsonrpc": "2.0", "id": id_, "method": "command.send", "params": asked}


# --- commands -----------------------------------------------------------------------------------------


async def test_a_command_goes_to_the_device_and_its_result_comes_back(hub: WebHub) -> None:
    async with control(hub) as socket:
        await socket.send_json(request("a", ttl_ms=5000))
        got = await answer(socket)
    assert (got["jsonrpc"], got["id"]) == ("2.0", "a")
    assert (got["result"]["state"], got["result"]["result"]) == ("succeeded", {"state": "on"})
    (sent,) = hub.link.sent
    assert (sent.caller, sent.origin) == ("token:test-operator", "websocket")


async def test_updates_tell_how_a_command_fares_before_its_answer(hub: WebHub) -> None:
    async with control(hub) as socket, control(hub, Role.VIEWER) as watching:
        await socket.send_json(request())
        updates = [await watching.receive_json(timeout=10) for _ in range(3)]
    assert [update["method"] for update in updates] == ["command.update"] * 3
    assert [update["params"]["state"] for update in updates] == ["queued", "sent", "succeeded"]
    assert len({update["params"]["id"] for update in updates}) == 1
    assert "id" not in updates[0]


async def test_the_same_key_runs_once_on_two_sockets(hub: WebHub) -> None:
    async with control(hub) as one, control(hub) as two:
        await one.send_json(request(key="k"))
        await two.send_json(request(key="k"))
        assert (await answer(one))["result"] == (await answer(two))["result"]
    assert len(hub.link.sent) == 1


async def test_a_slow_device_holds_up_no_other_request(hub: WebHub) -> None:
    hub.link.gate = asyncio.Event()
    async with control(hub) as socket:
        await socket.send_json(request(1))
        await socket.send_json({"jsonrpc": "2.0", "id": 2, "method": "nope"})
        assert (await answer(socket))["id"] == 2
        hub.link.gate.set()
        assert (await answer(socket))["id"] == 1


async def test_a_notification_is_done_and_not_answered(hub: WebHub) -> None:
    async with control(hub) as socket:
        asked = request()
        del asked["id"]
        await socket.send_json(asked)
        await socket.send_json(request(2))
        assert (await answer(socket))["id"] == 2
    assert len(hub.link.sent) == 2


async def test_a_command_outlives_the_socket_that_sent_it(hub: WebHub) -> None:
    hub.link.gate = asyncio.Event()
    async with control(hub) as socket:
        await socket.send_json(request())
        await until(lambda: hub.link.sent)
    hub.link.gate.set()

    async def ended() -> bool:
        items = (await hub.get("commands")).json()["items"]
        return bool(items) and items[0]["state"] == "succeeded"

    async with asyncio.timeout(10):
        while not await ended():
            await asyncio.sleep(0.01)


# --- errors leave the socket open ---------------------------------------------------------------------

BAD = [
    ("{", rpc.PARSE_ERROR, None),
    ("", rpc.PARSE_ERROR, None),
    ('{"jsonrpc": "2.0"', rpc.PARSE_ERROR, None),
    ('"\\ud800"', rpc.PARSE_ERROR, None),
    ("[" * 50_000, rpc.PARSE_ERROR, None),
    ("[]", rpc.INVALID_REQUEST, None),
    ("[1]", rpc.INVALID_REQUEST, None),
    ("1", rpc.INVALID_REQUEST, None),
    ("null", rpc.INVALID_REQUEST, None),
    ('{"id": 5}', rpc.INVALID_REQUEST, 5),
    ('{"jsonrpc": "1.0", "id": 5, "method": "command.send"}', rpc.INVALID_REQUEST, 5),
    ('{"jsonrpc": "2.0", "id": 5, "method": 1}', rpc.INVALID_REQUEST, 5),
    ('{"jsonrpc": "2.0", "id": {}, "method": "command.send"}', rpc.INVALID_REQUEST, None),
    ('{"jsonrpc": "2.0", "id": true, "method": "command.send"}', rpc.INVALID_REQUEST, None),
    ('{"jsonrpc": "2.0", "id": 1.5, "method": "command.send"}', rpc.INVALID_REQUEST, None),
    ('{"jsonrpc": "2.0", "id": "a", "method": "reboot"}', rpc.METHOD_NOT_FOUND, "a"),
    ('{"jsonrpc": "2.0", "id": null, "method": ""}', rpc.METHOD_NOT_FOUND, None),
    ('{"jsonrpc": "2.0", "id": 5, "method": "command.send"}', rpc.INVALID_PARAMS, 5),
    ('{"jsonrpc": "2.0", "id": 5, "method": "command.send", "params": []}', rpc.INVALID_PARAMS, 5),
]


@pytest.mark.parametrize(("text", "code", "id_"), BAD, ids=lambda value: str(value)[:40])
async def test_a_bad_message_gets_its_error_and_the_socket_lives(
    hub: WebHub, text: str, code: int, id_: object
) -> None:
    async with control(hub) as socket:
        await socket.send_str(text)
        got = await answer(socket)
        assert (got["error"]["code"], got["id"]) == (code, id_)
        assert got["error"]["message"]
        assert got["error"]["data"]["title"] == rpc.TITLES[code]
        await socket.send_json(request("alive"))
        assert (await answer(socket))["id"] == "alive"


@pytest.mark.parametrize(
    ("params", "code", "parameter"),
    [
        ({"device": "nope"}, rpc.UNKNOWN_DEVICE, "device"),
        ({"command": "fly"}, rpc.UNKNOWN_COMMAND, "command"),
        ({"params": {"state": "blue"}}, rpc.INVALID_PARAMS, "params"),
        ({"params": {}}, rpc.INVALID_PARAMS, "params"),
        ({"params": {"state": "on", "other": 1}}, rpc.INVALID_PARAMS, "params"),
        ({"params": 1}, rpc.INVALID_PARAMS, "params"),
        ({"device": 1}, rpc.INVALID_PARAMS, "device"),
        ({"ttl_ms": "x"}, rpc.INVALID_PARAMS, "ttl_ms"),
        ({"ttl_ms": 0}, rpc.INVALID_PARAMS, "params"),
        ({"role": "admin"}, rpc.INVALID_PARAMS, "role"),
    ],
)
async def test_a_command_that_is_refused_says_what_is_wrong(
    hub: WebHub, params: dict[str, Any], code: int, parameter: str
) -> None:
    async with control(hub) as socket:
        await socket.send_json(request(**params))
        got = await answer(socket)
    assert got["error"]["code"] == code
    assert got["error"]["data"]["parameter"] == parameter
    assert hub.link.sent == []


async def test_a_binary_message_gets_an_error(hub: WebHub) -> None:
    async with control(hub) as socket:
        await socket.send_bytes(b"\x00\xff")
        assert (await answer(socket))["error"]["code"] == rpc.INVALID_REQUEST


async def test_a_long_message_gets_an_error_and_a_huge_one_closes_the_socket(hub: WebHub) -> None:
    async with control(hub) as socket:
        await socket.send_str('"' + "x" * MESSAGE_BYTES + '"')
        assert (await answer(socket))["error"]["code"] == rpc.INVALID_REQUEST
        await socket.send_str("x" * (CLOSING_BYTES + 1))
        message = await socket.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_too_many_requests_at_once_are_refused_not_queued(hub: WebHub) -> None:
    hub.link.gate = asyncio.Event()
    async with control(hub) as socket:
        for index in range(IN_FLIGHT + 1):
            await socket.send_json(request(index))
        got = await answer(socket)
        assert (got["error"]["code"], got["id"]) == (rpc.BUSY, IN_FLIGHT)
        hub.link.gate.set()
        answered = {(await answer(socket))["id"] for _ in range(IN_FLIGHT)}
        assert answered == set(range(IN_FLIGHT))


async def test_an_unforeseen_error_is_answered_and_logged(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(**_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(hub.parts.commands, "send", broken)
    async with control(hub) as socket:
        await socket.send_json(request())
        got = await answer(socket)
    assert got["error"]["code"] == rpc.INTERNAL_ERROR
    assert "secret" not in str(got)
    assert "RuntimeError" in caplog.text


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hundred_thousand_mutated_messages_leave_the_socket_and_the_hub_well(
    hub: WebHub, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(3)
    good = msgspec.json.encode(request())
    async with control(hub) as socket:

        async def read() -> None:
            while (await socket.receive_json()).get("id") != "last":
                pass

        reading = asyncio.create_task(read())
        for _ in range(100_000):
            text = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(text))
                text[at : at + chance.randrange(3)] = bytes(chance.choices(b'{}[]",:0aenr\\u.- ', k=2))
            await socket.send_str(text.decode("latin-1"))
        await socket.send_json({"jsonrpc": "2.0", "id": "last", "method": "x"})
        await asyncio.wait_for(reading, 200)
    assert "Traceback" not in caplog.text


# --- rights and the handshake -------------------------------------------------------------------------


async def test_a_viewer_may_watch_but_not_send(hub: WebHub) -> None:
    async with control(hub, Role.VIEWER) as socket:
        await socket.send_json(request())
        got = await answer(socket)
        assert got["error"]["code"] == rpc.NO_RIGHT
        assert "operator" in got["error"]["message"]
        assert not socket.closed
    assert hub.link.sent == []


async def test_a_session_that_has_ended_sends_nothing_and_is_closed(hub: WebHub) -> None:
    headers = {**hub.cookie(), "Origin": hub.origin}
    async with control(hub, headers=headers) as socket:
        await socket.send_json(request(1))
        assert "result" in await answer(socket)
        await hub.call("DELETE", "session", role=None, headers=headers)
        await socket.send_json(request(2))
        message = await socket.receive(timeout=10)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await socket.receive(timeout=10)
        assert message.data == aiohttp.WSCloseCode.POLICY_VIOLATION
    assert len(hub.link.sent) == 1


async def refused(hub: WebHub, headers: Mapping[str, str], **more: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await hub.session.ws_connect(
            hub.url("control"), headers=headers, **{"protocols": ("outpost.v1",), **more}
        )
    return caught.value.status


async def test_nobody_gets_in_without_a_session_or_token(hub: WebHub) -> None:
    assert await refused(hub, {}) == 401
    assert await refused(hub, {"Authorization": "Bearer wrong"}) == 401


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "https://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}@evil.example",
        "http://evil@127.0.0.1:{port}",
        "ws://127.0.0.1:{port}",
        "file://",
    ],
)
async def test_a_foreign_page_cannot_hijack_the_socket(hub: WebHub, origin: str) -> None:
    foreign = {"Origin": origin.format(port=hub.address[1])}
    assert await refused(hub, {**hub.cookie(), **foreign}) == 403
    assert await refused(hub, {**hub.bearer(Role.ADMIN), **foreign}) == 403


async def test_a_cookie_without_an_origin_opens_no_socket(hub: WebHub) -> None:
    assert await refused(hub, hub.cookie()) == 403


async def test_an_unknown_host_opens_no_socket(hub: WebHub) -> None:
    assert await refused(hub, {**hub.bearer(), "Host": "evil.example"}) == 421


@pytest.mark.parametrize("protocols", [(), ("outpost.v2",), ("mqtt",)])
async def test_a_client_must_speak_the_subprotocol(hub: WebHub, protocols: tuple[str, ...]) -> None:
    assert await refused(hub, hub.bearer(), protocols=protocols) == 400


async def test_a_plain_request_is_told_that_this_is_a_websocket(hub: WebHub) -> None:
    answered = await hub.get("control")
    assert answered.status == 426
    assert answered.headers["Upgrade"] == "websocket"
    answered.problem()


async def test_a_broken_handshake_is_a_bad_request(hub: WebHub) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "short"}
    answered = await hub.get("control", headers=headers)
    assert answered.status == 400
    answered.problem()


@pytest.mark.slow
async def test_a_reader_that_is_too_slow_is_closed_and_holds_nobody_up(hub: WebHub) -> None:
    from hub.bus import Event

    others = len(hub.parts.bus._subscribers)
    async with control(hub) as slow, control(hub) as good:
        sent = 0
        # The slow one's frames fill the kernel's buffers, then the hub's queue; then it is closed.
        for _ in range(400):
            for _ in range(100):
                data = CommandResult(
                    id=f"{sent}",
                    device=DEVICE,
                    command="led",
                    state=CommandState.SENT,
                    time=1,
                    error="x" * 2000,
                )
                hub.parts.bus.publish(Event(kind="command", device=DEVICE, data=data))
                sent += 1
            for _ in range(100):
                await good.receive(timeout=10)
            if len(hub.parts.bus._subscribers) == others + 1:
                break
        assert len(hub.parts.bus._subscribers) == others + 1
        assert not good.closed
        del slow
