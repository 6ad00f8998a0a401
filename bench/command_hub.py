"""The hub's own web room and router for the commands bench, over a link that answers at once."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import uvloop

from bench.web_room import now_ms, parts_of
from hub.bus import Bus
from hub.commands import Commands
from hub.commands.durable import Durable
from hub.commands.journal import Journal
from hub.commands.pace import PaceLimit
from hub.devices import Registry
from hub.health import Health
from hub.model import Birth, CommandType, LinkKind, Role
from hub.store.store import Store
from hub.web.server import make_app
from hub.web.serving.listener import Listener

if TYPE_CHECKING:
    from hub.links.link import Sink
    from hub.model import Command

DEVICES = 16
ROUTED = 20_000
AT_ONCE = 64
UNBOUND = PaceLimit(per_s=1e9, burst=10**9)
SCHEMA = {
    "type": "object",
    "properties": {"state": {"enum": ["on", "off", "blink"]}, "interval_ms": {"type": "integer"}},
    "required": ["state"],
}


class InstantLink:
    """A link that takes no time: what is measured is the hub alone."""

    kind = LinkKind.SERIAL
    name = "instant"

    async def run(self, sink: Sink) -> None:
        """Do nothing."""

    async def send(self, command: Command) -> Any:
        """Answer at once."""
        return command.params

    def cancel(self, command_id: str) -> None:
        """Do nothing."""

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Do nothing."""

    def forget(self, _device: str) -> bool:
        """Do nothing: no device is removed here."""
        return True


async def serve(folder: Path) -> None:
    """Tell what the router carries in a second, then serve until stdin ends."""
    health, registry = Health(), Registry()
    store = Store.open(folder, health=health, now_ms=now_ms)
    await store.start()
    registry.attach(InstantLink())
    for number in range(DEVICES):
        birth = Birth(device=f"d{number}", name="Bench", commands=(CommandType(name="led", params=SCHEMA),))
        registry.born(birth, LinkKind.SERIAL, now_ms())
    bus = Bus(epoch="0123abcd", now_ms=now_ms)
    commands = Commands(
        registry=registry,
        store=store,
        bus=bus,
        health=health,
        now_ms=now_ms,
        journal=Journal(folder, lambda: store.degraded is None, durable=Durable(folder)),
        pace=UNBOUND,
    )
    per_s = await routed_per_s(commands, store)
    parts = parts_of(folder, registry=registry, store=store, bus=bus, commands=commands, health=health)
    listener = Listener(make_app(parts))
    url = await listener.start("127.0.0.1:0")
    token = store.accounts.tokens.create("bench", Role.OPERATOR, now_ms())
    print(msgspec.json.encode({"url": url, "token": token, "per_s": per_s}).decode(), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await listener.stop()
    await store.close()


async def routed_per_s(commands: Commands, store: Store) -> float:
    """Carry ROUTED commands, AT_ONCE at a time, until all are in the trail; return how many a second."""
    numbers = iter(range(ROUTED))

    async def caller() -> None:
        for number in numbers:
            await commands.send(
                device=f"d{number % DEVICES}",
                command="led",
                params={"state": "on", "interval_ms": number},
                caller="token:bench",
                origin="bench",
            )

    began = time.monotonic()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    await store.commands(limit=1)
    return ROUTED / (time.monotonic() - began)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="outpost-bench-") as name:
        uvloop.run(serve(Path(name)))
