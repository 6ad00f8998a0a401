"""A rig of alerts: their rules and deeds on a real store and bus, and a fake outside that remembers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from hub.alerts import Alerts, Rule
from hub.bus import Batch, Bus
from hub.devices import Registry
from hub.health import Health
from hub.model import Birth, LinkKind, Metric, Reading
from tests.fakes import until
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from hub.alerts.deeds import Failed
    from hub.store.alerts import Alert

T0 = 1_781_950_000_000
BIRTH = Birth(device="pico-1", name="Greenhouse", metrics=(Metric(name="temperature", unit="°C"),))


def rule(**changes: Any) -> Rule:
    said = {"id": "hot", "source": "*/temperature", "condition": "above", "threshold": 30.0, **changes}
    return msgspec.convert(said, Rule)


class FakeSeams:
    """A fake outside: remembers what is done, fails as a test says. The real one is `hub.web.acting`."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.fails: list[Failed] = []

    async def post(self, url: str, secret: str | None, content: bytes) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.done.append(
            ("post", url, "cleared" if msgspec.json.decode(content)["cleared_time"] else "raised")
        )

    def publish(self, topic: str, payload: bytes) -> None:
        self.done.append(("publish", topic, payload.decode()))

    async def film(self, camera: str, seconds: float, rule: str) -> None:
        self.done.append(("film", camera, rule))

    async def send(self, device: str, command: str, params: Mapping[str, Any], caller: str) -> None:
        self.done.append(("send", device, command, caller))


class Rig:
    def __init__(self, alerts: Alerts, bus: Bus, seams: FakeSeams, clock: list[int], health: Health) -> None:
        self.alerts, self.bus, self.seams, self.clock, self.health = alerts, bus, seams, clock, health
        self.told: list[Alert] = []
        bus.subscribe(self._take)

    def _take(self, batch: Batch) -> None:
        self.told += [event.data for event in batch.events if event.kind == "alert"]

    def value(self, value: float | None, second: int = 0, device: str = "pico-1") -> None:
        at = T0 + second * 1000
        self.bus.publish(
            Reading(
                device=device, metrics=("temperature",), values=(value,), source_time_ms=at, hub_time_ms=at
            )
        )

    async def raised(self) -> Alert:
        await until(self.alerts.active)
        return self.alerts.active()[0]


@asynccontextmanager
async def run(folder: Path) -> AsyncIterator[Rig]:
    clock = [T0]
    health = Health()
    store = open_fresh(folder, health=health, now_ms=lambda: clock[0])
    await store.start()
    registry, bus = Registry(), Bus(epoch="0badcafe", now_ms=lambda: clock[0], tick_s=0.001)
    registry.born(BIRTH, LinkKind.SERIAL, T0)
    seams = FakeSeams()
    alerts = Alerts(
        store=store, bus=bus, registry=registry, health=health, now_ms=lambda: clock[0], seams=seams
    )
    await alerts.load()
    watching = asyncio.create_task(alerts.run())
    await asyncio.sleep(0)
    yield Rig(alerts, bus, seams, clock, health)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await store.close()
