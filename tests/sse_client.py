"""A small SSE client (WHATWG HTML, 9.2): what a browser would see, and what it would resume after."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model import Reading
from tests.web_hub import DEVICE, NOW_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from tests.web_hub import WebHub


@dataclass
class Event:
    """One event as dispatched."""

    kind: str
    data: Any
    id: str


@dataclass
class SseClient:
    """Reads one response; `last_id` is what a browser would send as Last-Event-ID."""

    response: aiohttp.ClientResponse
    last_id: str = ""
    retry_ms: int | None = None
    comments: list[str] = field(default_factory=list)
    _pending_id: str = ""

    async def events(self) -> AsyncIterator[Event]:
        """Yield events until the stream ends."""
        kind = ""
        data: list[str] = []
        self._pending_id = self.last_id
        async for raw in self.response.content:
            line = raw.decode().rstrip("\r\n")
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                self.last_id = self._pending_id
                if data:
                    yield Event(kind or "message", msgspec.json.decode("\n".join(data)), self.last_id)
                kind, data = "", []
            elif not name:
                self.comments.append(value)
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name == "id":
                self._pending_id = value
            elif name == "retry":
                self.retry_ms = int(value)

    async def take(self, count: int, *kinds: str, timeout_s: float = 10) -> list[Event]:
        """Return the next `count` events of these kinds (all kinds, where none is named)."""
        found: list[Event] = []
        async with asyncio.timeout(timeout_s):
            async for event in self.events():
                if not kinds or event.kind in kinds:
                    found.append(event)
                if len(found) == count:
                    break
        return found

    async def values(self, count: int, timeout_s: float = 10) -> list[Any]:
        """Return the values of the next `count` samples; more come only where one event holds more."""
        found: list[Any] = []
        async with asyncio.timeout(timeout_s):
            async for event in self.events():
                assert event.kind not in ("gap", "reset"), event
                if event.kind == "samples":
                    found += [row[3] for row in event.data]
                if len(found) >= count:
                    break
        return found

    def close(self) -> None:
        """Break the connection."""
        self.response.close()


async def open_stream(hub: WebHub, query: str = "", *, last_id: str = "") -> SseClient:
    """Open a stream and read its opening."""
    headers = {**hub.bearer(), **({"Last-Event-ID": last_id} if last_id else {})}
    response = await hub.session.get(hub.url(f"stream{query}"), headers=headers, timeout=None)
    assert response.status == 200
    client = SseClient(response, last_id=last_id)
    # The opening ends with an empty line; reading it proves that the hub has taken the stream on.
    while line := (await response.content.readline()).decode().strip():
        if line.startswith("retry:"):
            client.retry_ms = int(line[6:])
        elif line.startswith("id:"):
            client.last_id = line[3:].strip()
    return client


def fill(hub: WebHub, first: int, count: int, text: str = "") -> None:
    """Publish `count` readings at once; values count on from `first`."""
    for index in range(first, first + count):
        hub.parts.bus.publish(
            Reading(
                device=DEVICE,
                metrics=("temperature", "note"),
                values=(index, text),
                source_time_ms=NOW_MS + index,
                hub_time_ms=NOW_MS,
            )
        )
