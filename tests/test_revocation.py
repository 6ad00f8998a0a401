"""Revocation: what is open by a token or a session ends with it, whoever revokes it.

The promise is a second (docs/security.md has figures); ten are waited for, since test machines are busy.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from hub.model import Role
from hub.store.folder import StoreError
from hub.store.identity.rights import fingerprint
from hub.store.identity.sessions import session_id
from hub.web.gate.auth import COOKIE
from hub.web.gate.revocation import Revocation
from tests.fakes import until
from tests.web_hub import NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from pathlib import Path

SOON_S = 10
SDP = {"Content-Type": "application/sdp"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


class Opened:
    """A stream, pictures, a socket, a long poll and a WebRTC viewer, all by one credential."""

    def __init__(
        self,
        stream: aiohttp.ClientResponse,
        pictures: aiohttp.ClientResponse,
        socket: aiohttp.ClientWebSocketResponse,
        poll: asyncio.Task[None],
    ) -> None:
        self.stream, self.pictures, self.socket, self.poll = stream, pictures, socket, poll

    async def ended(self) -> None:
        """Read until all have ended."""
        await asyncio.gather(_drain(self.stream), _drain(self.pictures), self._close(), self.poll)

    async def _close(self) -> None:
        message = await self.socket.receive()
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await self.socket.receive()
        assert message.data == aiohttp.WSCloseCode.POLICY_VIOLATION


async def _drain(response: aiohttp.ClientResponse) -> None:
    try:
        while await response.content.readany():
            pass
    except aiohttp.ClientError:
        return


def _polls(hub: WebHub) -> float:
    return hub.parts.health.registry.get_sample_value("outpost_long_polls") or 0


async def _polled(hub: WebHub, headers: Mapping[str, str]) -> None:
    """Ask for news that do not come, until the hub ends it without an answer."""
    # By hand: aiohttp's client asks again by itself when it is cut.
    reader, writer = await asyncio.open_connection(*hub.address)
    lines = ["GET /api/v1/latest?wait=60 HTTP/1.1", f"Host: {hub.origin.removeprefix('http://')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    try:
        assert await reader.read() == b""
    except ConnectionError:
        return
    finally:
        writer.close()


@asynccontextmanager
async def opened(hub: WebHub, headers: Mapping[str, str]) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as stack:
        stream = await stack.enter_async_context(hub.session.get(hub.url("stream"), headers=headers))
        pictures = await stack.enter_async_context(
            hub.session.get(hub.url("cameras/front/stream.mjpg"), headers=headers)
        )
        socket = await stack.enter_async_context(
            hub.session.ws_connect(hub.url("control"), headers=headers, protocols=("outpost.v1",))
        )
        offered = await hub.call(
            "POST", "cameras/front/whep", role=None, headers={**headers, **SDP}, data="v=0\r\n"
        )
        assert (stream.status, pictures.status, offered.status) == (200, 200, 201)
        tag = (await hub.call("GET", "latest", role=None, headers=headers)).headers["ETag"]
        before = _polls(hub)
        poll = asyncio.create_task(_polled(hub, {**headers, "If-None-Match": tag}))
        await until(lambda: _polls(hub) > before)
        yield Opened(stream, pictures, socket, poll)
        poll.cancel()
        await asyncio.wait([poll])


async def test_ending_a_session_closes_stream_pictures_socket_and_video(hub: WebHub) -> None:
    headers = {**hub.cookie(), "Origin": hub.origin}
    async with opened(hub, headers) as open_:
        assert hub.camera.viewers == 1
        assert (await hub.call("DELETE", "session", role=None, headers=headers)).status == 204
        async with asyncio.timeout(SOON_S):
            await open_.ended()
        await until(lambda: hub.camera.viewers == 0)


async def test_a_token_revoked_in_the_file_closes_all_without_a_request(hub: WebHub) -> None:
    async with opened(hub, hub.bearer(Role.OPERATOR)) as open_:
        hub.parts.store.accounts.tokens.revoke("test-operator", NOW_MS)
        async with asyncio.timeout(SOON_S):
            await open_.ended()
        await until(lambda: hub.camera.viewers == 0)


async def test_what_is_open_by_another_credential_goes_on(hub: WebHub) -> None:
    async with opened(hub, hub.bearer(Role.VIEWER)), opened(hub, hub.bearer(Role.OPERATOR)) as open_:
        await hub.call("DELETE", "tokens/test-operator", role=Role.ADMIN)
        async with asyncio.timeout(SOON_S):
            await open_.ended()
        await until(lambda: hub.camera.viewers == 1)
        async with hub.session.ws_connect(
            hub.url("control"), headers=hub.bearer(Role.VIEWER), protocols=("outpost.v1",)
        ) as socket:
            await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "x"})
            assert (await socket.receive_json(timeout=10))["id"] == 1


async def test_who_revokes_itself_is_answered_first(hub: WebHub) -> None:
    assert (await hub.call("DELETE", "tokens/test-admin", role=Role.ADMIN)).status == 204
    assert (await hub.get("devices", role=Role.ADMIN)).status == 401


CHANGES: dict[str, tuple[str, str, Any]] = {
    "a session ended in the list": ("DELETE", "sessions/{id}", None),
    "a user removed": ("DELETE", "users/eva", None),
    "a lower role": ("PATCH", "users/eva", {"role": "viewer"}),
    "a higher role": ("PATCH", "users/eva", {"role": "admin"}),
    "another password": ("PATCH", "users/eva", {"password": "another password of eva"}),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_by_an_admin_closes_what_a_user_has_open(hub: WebHub, change: str) -> None:
    accounts = hub.parts.store.accounts
    accounts.users.create("eva", Role.OPERATOR, "a password of eva", NOW_MS)
    secret = accounts.sessions.begin("eva", Role.OPERATOR, NOW_MS)
    method, path, body = CHANGES[change]
    path = path.replace("{id}", session_id(fingerprint(secret)))
    async with opened(hub, {"Cookie": f"{COOKIE}={secret}", "Origin": hub.origin}) as open_:
        more = {} if body is None else {"json": body}
        assert (await hub.call(method, path, role=Role.ADMIN, **more)).status == 204
        async with asyncio.timeout(SOON_S):
            await open_.ended()
        await until(lambda: hub.camera.viewers == 0)


async def test_who_changes_its_own_role_is_answered_first(hub: WebHub) -> None:
    accounts = hub.parts.store.accounts
    accounts.users.create("eva", Role.ADMIN, "a password of eva", NOW_MS)
    headers = {
        "Cookie": f"{COOKIE}={accounts.sessions.begin('eva', Role.ADMIN, NOW_MS)}",
        "Origin": hub.origin,
    }
    for role, status in (("operator", 204), ("admin", 403)):
        changed = await hub.call("PATCH", "users/eva", role=None, headers=headers, json={"role": role})
        assert changed.status == status


async def test_a_session_that_ran_out_closes_too(hub: WebHub) -> None:
    async with opened(hub, {**hub.cookie(), "Origin": hub.origin}) as open_:
        hub.clock.now_ms += 31 * 86_400_000
        async with asyncio.timeout(SOON_S):
            await open_.ended()


@pytest.mark.slow
async def test_a_token_revoked_by_the_command_line_closes_all(hub: WebHub, tmp_path: Path) -> None:
    async with opened(hub, hub.bearer(Role.VIEWER)) as open_:
        done = await asyncio.to_thread(
            subprocess.run,
            [
                sys.executable,
                "-m",
                "hub.cli",
                *("token", "revoke", "test-viewer", "--data", f"{tmp_path}/data"),
            ],
            timeout=60,
            check=False,
        )
        assert done.returncode == 0
        async with asyncio.timeout(SOON_S):
            await open_.ended()


# --- the register itself ------------------------------------------------------------------------------


class Register:
    """Credentials that hold, as a test says."""

    def __init__(self, *holding: bytes) -> None:
        self.now: set[bytes] | Exception = set(holding)
        self.role = Role.VIEWER

    def __call__(self, asked: Iterable[bytes]) -> dict[bytes, Role]:
        if isinstance(self.now, Exception):
            raise self.now
        return dict.fromkeys(self.now & set(asked), self.role)


async def test_an_end_is_told_once() -> None:
    register, ends = Register(b"a", b"b"), list[str]()
    revocation = Revocation(register)
    revocation.hold(b"a", Role.VIEWER, lambda: ends.append("a"))
    revocation.hold(b"b", Role.VIEWER, lambda: ends.append("b"))
    register.now = {b"b"}
    revocation.check()
    revocation.check()
    assert ends == ["a"]
    revocation.close()


async def test_what_was_opened_under_another_role_ends() -> None:
    register, ends = Register(b"a"), list[str]()
    revocation = Revocation(register)
    revocation.hold(b"a", Role.VIEWER, lambda: ends.append("viewer"))
    revocation.hold(b"a", Role.ADMIN, lambda: ends.append("admin"))
    revocation.check()
    assert ends == ["admin"]
    revocation.close()


async def test_what_ended_by_itself_is_not_ended_again() -> None:
    register, ends = Register(b"a"), list[Any]()
    revocation = Revocation(register)
    revocation.release(revocation.hold(b"a", Role.VIEWER, lambda: ends.append(1)))
    revocation.hold(b"a", Role.VIEWER, lambda: ends.append(2), alive=lambda: False)
    register.now = set()
    revocation.check()
    assert ends == []
    revocation.close()


async def test_a_failing_disk_ends_nothing_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    register, ends = Register(b"a"), list[Any]()
    revocation = Revocation(register)
    revocation.hold(b"a", Role.VIEWER, lambda: ends.append(1))
    register.now = StoreError("no disk")
    revocation.check()
    revocation.check()
    assert (ends, caplog.text.count("no disk")) == ([], 1)
    register.now = set()
    revocation.check()
    assert ends == [1]
    revocation.close()
