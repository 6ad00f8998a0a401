"""A small client of the hub's API for rigs: devices and history over HTTP, commands over the WebSocket."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import msgspec

from hub import __version__
from hub.model import CommandResult, OutpostError, Quality, Value
from hub.web.api.views import ConsoleView, DeviceList, DeviceView, SamplesView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

API = "/api/v1"
SUBPROTOCOL = "outpost.v1"
_LAST_MS = 9_999_999_999_999

T = TypeVar("T")


class HubRefused(OutpostError):
    """The hub answered with an error: an HTTP status or a JSON-RPC code, and the parameter that is wrong."""

    def __init__(self, code: int, message: str, parameter: str | None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.parameter = parameter


class StoredSample(msgspec.Struct, frozen=True):
    """One row of a metric's history."""

    time: int
    value: Value
    quality: Quality


class HubClient:
    """Calls one hub. Made by `connect`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._ids = itertools.count(1)

    async def devices(self) -> list[DeviceView]:
        """Return every device. Raises HubRefused."""
        return (await self._get("devices", DeviceList)).items

    async def device(self, device: str) -> DeviceView:
        """Return one device. Raises HubRefused."""
        return await self._get(f"devices/{device}", DeviceView)

    async def console(self, device: str) -> list[str]:
        """Return the last lines a device printed. Raises HubRefused."""
        return [line.text for line in (await self._get(f"devices/{device}/console", ConsoleView)).items]

    async def samples(
        self, device: str, metric: str, from_ms: int = 0, to_ms: int = _LAST_MS
    ) -> list[StoredSample]:
        """Return all stored samples of a metric in [from_ms, to_ms), oldest first. Raises HubRefused."""
        query: dict[str, str] = {"device": device, "metric": metric, "from": str(from_ms), "to": str(to_ms)}
        rows: list[StoredSample] = []
        while True:
            page = await self._get("samples", SamplesView, query)
            told = page.rows or []  # unset by the other layout alone, which is not asked for
            rows += (msgspec.convert(dict(zip(page.columns, row, strict=True)), StoredSample) for row in told)
            if page.next is None:
                return rows
            query["cursor"] = page.next

    async def send(
        self, device: str, command: str, params: dict[str, Any] | None = None, *, ttl_ms: int = 5000
    ) -> CommandResult:
        """Send a command over the control socket and return its final result. Raises HubRefused."""
        id_ = next(self._ids)
        wanted = {"device": device, "command": command, "params": params or {}, "ttl_ms": ttl_ms}
        request = {"jsonrpc": "2.0", "id": id_, "method": "command.send", "params": wanted}
        async with self._session.ws_connect(f"{API}/control", protocols=(SUBPROTOCOL,)) as socket:
            await socket.send_str(msgspec.json.encode(request).decode())
            async for message in socket:
                answer = msgspec.json.decode(message.data)
                if answer.get("id") == id_:
                    return _result(answer)
        raise HubRefused(socket.close_code or 0, "the hub closed the control socket before it answered", None)

    async def _get(self, path: str, kind: type[T], query: dict[str, str] | None = None) -> T:
        async with self._session.get(f"{API}/{path}", params=query) as response:
            body = await response.read()
            if response.status != 200:
                raise _refused(response.status, body)
            return msgspec.json.decode(body, type=kind)


def _result(answer: dict[str, Any]) -> CommandResult:
    if "error" in answer:
        error = answer["error"]
        raise HubRefused(error["code"], error["message"], error.get("data", {}).get("parameter"))
    return msgspec.convert(answer["result"], CommandResult)


def _refused(status: int, body: bytes) -> HubRefused:
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        problem = {}
    return HubRefused(
        status, problem.get("detail") or body[:200].decode(errors="replace"), problem.get("parameter")
    )


@asynccontextmanager
async def connect(url: str, token: str) -> AsyncIterator[HubClient]:
    """Open a client on a hub with an API token."""
    headers = {"Authorization": f"Bearer {token}", "User-Agent": f"outpost-rig/{__version__}"}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(base_url=url, headers=headers, timeout=timeout) as session:
        yield HubClient(session)
