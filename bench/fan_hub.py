"""The hub's own web room for the fan-out bench: rights, filters, ids and replay as always, and no link."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec
import uvloop

from bench.fan_event import DEVICE, METRIC, many_files, publish_on_command, value
from bench.web_room import now_ms, parts_of
from hub.bus import Bus
from hub.commands import Commands
from hub.devices import Registry
from hub.health import Health
from hub.model import Reading, Role
from hub.store.store import Store
from hub.web.server import make_app
from hub.web.serving.listener import Listener

TOKENS = 20
QUERIES = (f"?device={DEVICE}", f"?device=bench*&metric={METRIC}")


async def serve(folder: Path) -> None:
    """Serve until stdin ends; publish what it asks for."""
    health, registry = Health(), Registry()
    store = Store.open(folder, health=health, now_ms=now_ms)
    await store.start()
    bus = Bus(epoch="0123abcd", now_ms=now_ms)
    commands = Commands(registry=registry, store=store, bus=bus, health=health, now_ms=now_ms)
    parts = parts_of(folder, registry=registry, store=store, bus=bus, commands=commands, health=health)
    listener = Listener(make_app(parts))
    url = await listener.start("127.0.0.1:0")
    tokens = [store.accounts.tokens.create(f"bench-{n}", Role.VIEWER, now_ms()) for n in range(TOKENS)]
    requests = [
        f"GET /api/v1/stream{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        for token in tokens
        for query in QUERIES
    ]

    def publish() -> None:
        at = now_ms()
        bus.publish(
            Reading(device=DEVICE, metrics=(METRIC,), values=(value(),), source_time_ms=at, hub_time_ms=at)
        )

    print(msgspec.json.encode({"url": url, "requests": requests, "pid": 0}).decode(), flush=True)
    await publish_on_command(publish)
    await listener.stop()
    await store.close()


if __name__ == "__main__":
    many_files()
    with tempfile.TemporaryDirectory(prefix="outpost-bench-") as name:
        uvloop.run(serve(Path(name) / "data"))
    sys.exit(0)
