"""A hub with a device that a scope holds, and one that it does not. Not a test."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from hub.model import Birth, Born, CommandType, LinkKind, LogLine, Metric, Role
from hub.store.settings import StoreSettings
from tests.fakes import until
from tests.web_hub import DEVICE, Answered, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path


OTHER = "hidden-7f3a"
PLAIN = {"Accept-Encoding": "identity"}
SEALED_AT_ONCE = StoreSettings(ack_interval_s=0.01, idle_interval_s=0.01, read_interval_s=0.0, seal_samples=1)
HOT = {"id": "hot", "source": "*/temperature", "condition": "above", "threshold": 30.0}


@asynccontextmanager
async def scoped_hub(folder: Path) -> AsyncIterator[WebHub]:
    """Run a hub with the device of any web hub, and one more, which no scope of these tests names."""
    tags = {DEVICE: ("lab",), OTHER: ("yard",), "front": ("yard",)}
    async with web_hub(folder, tags=tags, settings=SEALED_AT_ONCE) as running:
        running.sink(
            Born(
                birth=Birth(
                    device=OTHER,
                    name="Other",
                    metrics=(Metric(name="temperature"),),
                    commands=(CommandType(name="read"),),
                ),
                link=LinkKind.SERIAL,
            )
        )
        yield running


async def busy(hub: WebHub) -> None:
    """Give both devices samples, a command, an alert and a line on the console."""
    assert (await hub.call("PUT", "rules/hot", role=Role.ADMIN, json=HOT)).status == 200
    for device in (DEVICE, OTHER):
        hub.take(31.0, device=device)
        assert (await hub.call("POST", f"enrolments/{device}/accept", role=Role.ADMIN)).status == 200
        hub.sink(LogLine(device=device, time_ms=hub.clock(), text=f"line of {device}"))
        sent = await hub.call(
            "POST", f"devices/{device}/commands", role=Role.OPERATOR, json={"command": "read"}
        )
        assert sent.json()["state"] == "succeeded"
    await until(lambda: len(hub.parts.alerts.active()) == 2)
    async with asyncio.timeout(10):
        while {size.device for size in await hub.parts.store.device_sizes()} != {DEVICE, OTHER}:
            await asyncio.sleep(0.01)


async def asked(hub: WebHub, method: str, path: str, headers: Mapping[str, str], **more: Any) -> Answered:
    """Call the hub with these headers alone."""
    return await hub.call(method, path, role=None, headers=headers, **more)
