"""A hub's web room on a real socket over the real rooms; only the device's link and the camera are fakes."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from hub.alerts import Alerts
from hub.bus import Bus
from hub.commands import Commands, Desired
from hub.config import CameraConfig, Config, HubConfig, WebrtcConfig
from hub.devices import Registry
from hub.enrolment import Enrolment
from hub.health import Health
from hub.ingest import Ingest
from hub.model import Birth, Born, CommandType, Kind, LinkKind, Metric, Reading, Role, Scope
from hub.removal import Removal
from hub.web.acting import Acting
from hub.web.gate.auth import COOKIE
from hub.web.gate.claim import Claim
from hub.web.parts import Parts, StreamLimits
from hub.web.server import make_app
from hub.web.serving.listener import Listener
from tests.fake_camera import FakeCamera
from tests.fakes import FakeLink
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from hub.commands.pace import PaceLimit
    from hub.links.link import Sink
    from hub.store.settings import StoreSettings
    from hub.store.store import Store

NOW_MS = 1_781_950_000_000
DEVICE = "pico-1"

BIRTH = Birth(
    device=DEVICE,
    name="Greenhouse",
    model="Raspberry Pi Pico",
    firmware="1.2.3",
    boot_id="boot0001",
    metrics=(
        Metric(name="temperature", unit="°C", title="Temperature", interval_ms=1000, decimals=1),
        Metric(name="door", kind=Kind.BOOLEAN, title="Door"),
        Metric(name="mode", kind=Kind.ENUM, options=("off", "auto")),
        Metric(name="note", kind=Kind.TEXT),
    ),
    commands=(
        CommandType(
            name="led",
            title="LED",
            params={
                "type": "object",
                "properties": {"state": {"type": "string", "enum": ["on", "off"]}},
                "required": ["state"],
            },
        ),
        CommandType(name="read", title="Read now", params={"type": "object", "properties": {}}),
    ),
)


class Clock:
    """A clock that a test moves."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ms


class FakeBroker:
    """A fake MQTT link: remembers what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes) -> None:
        """Remember a message."""
        self.published.append((topic, payload))


class Tokens(dict[Role, str]):
    """A token of each role, made when it is first asked for."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__()
        self._store = store
        self._clock = clock

    def __missing__(self, role: Role) -> str:
        """Make a token; one of the role device is for the one device."""
        scope = Scope(devices=(DEVICE,)) if role is Role.DEVICE else Scope()
        self[role] = self._store.accounts.tokens.create(f"test-{role}", role, self._clock(), scope=scope)
        return self[role]


@dataclass
class WebHub:
    """A running hub, its rooms, and ways to call it."""

    parts: Parts
    listener: Listener
    origin: str
    """Of the dashboard's own pages, and the base of every URL."""
    ingest: Ingest
    link: FakeLink
    camera: FakeCamera
    clock: Clock
    session: aiohttp.ClientSession
    broker: FakeBroker
    tokens: Tokens
    seqs: Iterator[int] = field(default_factory=itertools.count)
    tokens_made: int = 0

    @property
    def sink(self) -> Sink:
        """Where the fake link would put its events."""
        return self.ingest.sink_for(LinkKind.SERIAL)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.origin.removeprefix("http://").partition(":")
        return host, int(port)

    async def stop(self) -> None:
        """Stop serving, as at the end of the hub."""
        await self.listener.stop()

    def url(self, path: str) -> str:
        """Return the URL of a path; what does not begin with / is under /api/v1."""
        return f"{self.origin}{path if path.startswith('/') else f'/api/v1/{path}'}"

    def bearer(self, role: Role = Role.VIEWER) -> dict[str, str]:
        """Return the header that a program of this role sends."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    def scoped(self, role: Role, *devices: str, tags: tuple[str, ...] = ()) -> dict[str, str]:
        """Make a token for some devices, and return the header that its program sends."""
        self.tokens_made += 1
        plain = self.parts.store.accounts.tokens.create(
            f"scoped-{self.tokens_made}", role, self.clock(), scope=Scope(devices=devices, tags=tags)
        )
        return {"Authorization": f"Bearer {plain}"}

    async def call(
        self,
        method: str,
        path: str,
        *,
        role: Role | None = Role.VIEWER,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answered:
        """Call the hub as a program with a token of `role`."""
        sent = {**(self.bearer(role) if role is not None else {}), **(headers or {})}
        async with self.session.request(
            method, self.url(path), headers=sent, allow_redirects=False, **more
        ) as response:
            return Answered(response.status, response.headers, await response.read())

    async def get(self, path: str, **more: Any) -> Answered:
        """Call GET."""
        return await self.call("GET", path, **more)

    def cookie(self, role: Role = Role.ADMIN) -> dict[str, str]:
        """Open a session and return the header that a browser sends."""
        secret = self.parts.store.accounts.sessions.begin("tester", role, self.clock())
        return {"Cookie": f"{COOKIE}={secret}"}

    def take(
        self, value: Any, *, metric: str = "temperature", device: str = DEVICE, time_ms: int | None = None
    ) -> None:
        """Let a device send one sample."""
        at = self.clock() if time_ms is None else time_ms
        state = self.parts.registry.get(device)
        boot_id = None if state is None else state.birth.boot_id
        self.sink(
            Reading(
                device=device, metrics=(metric,), values=(value,), source_time_ms=at,
                hub_time_ms=self.clock(), boot_id=boot_id, seq=None if boot_id is None else next(self.seqs),
            )
        )  # fmt: skip


@dataclass
class Answered:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the JSON of the body."""
        import msgspec

        return msgspec.json.decode(self.body)

    def problem(self) -> dict[str, Any]:
        """Return the problem document, which is checked to be one."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        document: dict[str, Any] = self.json()
        assert document["status"] == self.status
        assert document["type"] == "about:blank"
        assert document["title"]
        assert document["detail"]
        return document


@asynccontextmanager
async def web_hub(
    folder: Path,
    *,
    hub: HubConfig | None = None,
    webrtc: WebrtcConfig | None = None,
    static: Path | None = None,
    limits: StreamLimits | None = None,
    ring_bytes: int = 8 << 20,
    epoch: str = "0123abcd",
    born: bool = True,
    pace: PaceLimit | None = None,
    tags: Mapping[str, tuple[str, ...]] | None = None,
    settings: StoreSettings | None = None,
) -> AsyncIterator[WebHub]:
    """Start a hub whose data are under `folder`."""
    clock, health, link = Clock(), Health(), FakeLink()
    cameras = (CameraConfig(id="front", name="Front door"),)
    config = Config(hub=hub or HubConfig(), webrtc=webrtc or WebrtcConfig(), camera=cameras)
    store = open_fresh(folder / "data", health=health, now_ms=clock, settings=settings)
    await store.start()
    registry, bus = Registry(tags), Bus(epoch=epoch, now_ms=clock, ring_bytes=ring_bytes)
    ingest = Ingest(registry=registry, store=store, bus=bus, health=health, now_ms=clock)
    registry.attach(link)
    camera = FakeCamera(config.camera[0], folder / "recordings")
    commands = Commands(registry=registry, store=store, bus=bus, health=health, now_ms=clock, pace=pace)
    desired = Desired(commands=commands, registry=registry, store=store, bus=bus, now_ms=clock)
    cameras_now: Any = {camera.id: camera}  # fakes that have what the web room uses
    sent = FakeBroker()
    acting = Acting(
        secrets=folder / "data" / "secrets", commands=commands, cameras=cameras_now, publish=sent.publish
    )
    alerts = Alerts(store=store, bus=bus, registry=registry, health=health, now_ms=clock, seams=acting)
    enrolment = Enrolment(
        mode="ask",
        enrolments=store.enrolments,
        bus=bus,
        health=health,
        put_security=store.put_security,
        now_ms=clock,
    )
    parts = Parts(
        config=config,
        registry=registry,
        store=store,
        bus=bus,
        commands=commands,
        cameras=cameras_now,
        health=health,
        now_ms=clock,
        claim=Claim(now_ms=clock),
        desired=desired,
        alerts=alerts,
        removal=Removal(
            registry=registry,
            store=store,
            bus=bus,
            desired=desired,
            enrolment=enrolment,
            health=health,
            now_ms=clock,
        ),
        enrolment=enrolment,
        static=static or folder / "no-dashboard",
        stream=limits or StreamLimits(),
    )
    listener = Listener(make_app(parts))
    origin = await listener.start("127.0.0.1:0")
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, headers={"Accept-Encoding": "identity"}
    ) as session:
        running = WebHub(
            parts, listener, origin, ingest, link, camera, clock, session, sent, Tokens(store, clock)
        )
        if born:
            running.sink(Born(birth=BIRTH, link=LinkKind.SERIAL))
        watching = asyncio.create_task(alerts.run())
        await asyncio.sleep(0)  # it watches the bus from here on
        try:
            yield running
        finally:
            watching.cancel()
            await listener.stop()
            await store.close()


def filled(path: str) -> str:
    """Return a route's path with its variable parts filled in."""
    path = path.replace("{path:(?!api/).*}", "devices")
    path = (
        path.replace("{recording}", "nobody")
        .replace("{film}", "nobody")
        .replace("{session}", "nobody")
        .replace("{name}", "nobody")
        .replace("{command}", "none")
        .replace("{alert}", "none")
        .replace("{rule}", "none")
    )
    return path.replace("{id}", "front" if "cameras" in path else DEVICE).replace("{viewer}", "nobody")
