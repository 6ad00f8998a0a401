"""The hub's own web room with devices that send at a pace, for the dashboard's bench; no link, no board."""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

import msgspec
import uvloop

from bench.fan_event import publish_on_command
from bench.web_room import now_ms, parts_of
from hub.bus import Bus
from hub.commands import Commands
from hub.devices import Registry
from hub.health import Health
from hub.model import Birth, Kind, LinkKind, Metric, Reading
from hub.store.store import Store
from hub.web.server import make_app
from hub.web.serving.listener import Listener

DEVICES = 20
METRICS = 10
HZ = 10
HISTORY_S = 600


def births() -> list[Birth]:
    """Return the devices: a number a metric, one in ten a boolean."""
    metrics = tuple(
        Metric(name="switch", kind=Kind.BOOLEAN, interval_ms=1000 // HZ)
        if number == METRICS - 1
        else Metric(name=f"channel{number}", unit="V", interval_ms=1000 // HZ, decimals=3)
        for number in range(METRICS)
    )
    return [
        Birth(device=f"bench-{number:02d}", name=f"Bench {number:02d}", metrics=metrics)
        for number in range(DEVICES)
    ]


def reading(birth: Birth, at: int) -> Reading:
    """Return what a device sends at a moment: sines that no two metrics share."""
    seed = int(birth.device[-2:])
    values = tuple(
        at // 3000 % 2 == 0
        if metric.kind is Kind.BOOLEAN
        else round(math.sin(at / 7000 + seed + place) * (place + 1) + 5, 3)
        for place, metric in enumerate(birth.metrics)
    )
    names = tuple(metric.name for metric in birth.metrics)
    return Reading(device=birth.device, metrics=names, values=values, source_time_ms=at, hub_time_ms=at)


async def serve(folder: Path) -> None:
    """Serve until stdin ends; publish a round of all devices as often as it asks."""
    health, registry = Health(), Registry({f"bench-{n:02d}": (f"room-{n // 5}",) for n in range(DEVICES)})
    store = Store.open(folder, health=health, now_ms=now_ms)
    await store.start()
    bus = Bus(epoch="0123abcd", now_ms=now_ms)
    commands = Commands(registry=registry, store=store, bus=bus, health=health, now_ms=now_ms)
    parts = parts_of(folder, registry=registry, store=store, bus=bus, commands=commands, health=health)
    known = births()
    for birth in known:
        registry.born(birth, LinkKind.MQTT, now_ms())
        for ago_s in range(HISTORY_S, 0, -1):
            store.put(reading(birth, now_ms() - ago_s * 1000))
    listener = Listener(make_app(parts))
    url = await listener.start("127.0.0.1:0")

    def publish() -> None:
        at = now_ms()
        for birth in known:
            sent = reading(birth, at)
            registry.take(sent)
            bus.publish(sent)

    publish()
    print(msgspec.json.encode({"url": url, "claim": url + parts.claim.path()}).decode(), flush=True)
    await publish_on_command(publish)
    await listener.stop()
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="outpost-bench-") as name:
        uvloop.run(serve(Path(name) / "data"))
    sys.exit(0)
