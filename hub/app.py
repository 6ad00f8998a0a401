"""The app: wires the rooms together, and nothing else does. One TaskGroup owns every task."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hub import access
from hub.alerts import Alerts
from hub.bus import Bus
from hub.camera.camera import Camera
from hub.camera.viewing import ice
from hub.commands import Commands, Desired
from hub.commands.durable import Durable
from hub.commands.journal import Journal
from hub.config import Config, duration_s
from hub.demo import Demo
from hub.devices import Registry
from hub.enrolment import Enrolment
from hub.flash.image import firmware_folder
from hub.health import Health
from hub.ingest import Ingest
from hub.links.host import HostLink
from hub.links.mqtt import MqttLink
from hub.links.pins.plan import plan
from hub.links.ports import SerialPorts
from hub.model import LinkKind, Role
from hub.notify import Notifier
from hub.removal import Removal
from hub.store.lifetime.policy import Policy
from hub.store.settings import StoreSettings
from hub.store.store import Store
from hub.tls.names import own_names
from hub.tls.serving import Tls
from hub.update import package
from hub.update.updates import Packages, Updates
from hub.web.acting import Acting
from hub.web.gate.claim import Claim
from hub.web.server import Parts, make_app
from hub.web.serving.doors import Doors

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hub.links.link import Link
    from hub.links.session import Shared
    from hub.model import Birth

log = logging.getLogger(__name__)

LOCAL_TOKEN = "local-cli"  # noqa: S105 - the name of a token, not a token
RESTART_S = 1

T = TypeVar("T")


def wall_ms() -> int:
    """Return UTC milliseconds; the only place where the hub's logic gets the wall clock from."""
    return time.time_ns() // 1_000_000


class Tasks:
    """The tasks of one hub: all in one group, all cancelled together."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start `work` in the group."""
        task = self._group.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def keep(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a room's own loop, and start it again when a defect ends it: the other rooms go on."""

        async def again() -> None:
            while True:
                try:
                    await run()
                except Exception:
                    log.exception("%s broke; it starts again in %d s", name, RESTART_S)
                else:
                    return
                await asyncio.sleep(RESTART_S)

        self.spawn(again())

    def cancel(self) -> None:
        """Cancel every task that still runs."""
        for task in tuple(self._running):
            task.cancel()


class App:
    """One hub: its rooms, its tasks, its end."""

    def __init__(self, config: Config, data: Path, *, demo: bool, say: Callable[[str], None]) -> None:
        self._config = config
        self._data = data
        self._demo = Demo(data / "demo") if demo else None
        self._say = say
        self._notifier = Notifier()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises what keeps a hub from starting: OutpostError."""
        health = Health()
        settings = StoreSettings(
            policy=Policy(self._config.retention, self._config.tags),
            ack_interval_s=duration_s(self._config.store.ack, "`store.ack`"),
            idle_interval_s=duration_s(self._config.store.commit, "`store.commit`"),
        )
        store = Store.open(self._data, health=health, now_ms=wall_ms, settings=settings)
        try:
            await store.keeping.load()
            await store.start()
            async with contextlib.AsyncExitStack() as closing:
                closing.push_async_callback(store.close)
                if self._demo is not None:
                    closing.push_async_callback(self._demo.stop)
                    self._config = await self._demo.start(self._config)
                await self._serve(store, health)
        finally:
            self._notifier.stopping()

    async def _serve(self, store: Store, health: Health) -> None:
        config = self._config
        for wanted in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(wanted, self._stop.set)
        registry = Registry(self._config.tags)
        latest = await store.latest()
        births = await store.births()
        for birth, link, last_seen in births:
            registry.restore(birth, link, last_seen, latest.get(birth.device, {}))
        packages = Packages()
        bus = Bus(epoch=secrets.token_hex(4), now_ms=wall_ms)
        enrolment = Enrolment(
            mode=config.serial.enrolment,
            enrolments=store.enrolments,
            bus=bus,
            health=health,
            put_security=store.put_security,
            now_ms=wall_ms,
        )
        for board in self._demo.boards if self._demo else ():
            enrolment.trust(board)
        ports = SerialPorts(
            config.serial, last_seq=store.last_seq, now_ms=wall_ms, data_of=packages.data_of, gate=enrolment
        )
        links: list[Link] = [self._host(), ports]
        known = [birth for birth, link, _ in births if link is LinkKind.MQTT]
        links += self._broker(health, known, ports.shared)
        ingest = Ingest(registry=registry, store=store, bus=bus, health=health, now_ms=wall_ms)
        servers = ice.load(config.webrtc)
        cameras = {
            camera.id: Camera(
                camera, health=health, now_ms=wall_ms, ice=servers, recordings=self._data / "recordings"
            )
            for camera in config.camera
        }
        claim = Claim(now_ms=wall_ms)
        async with asyncio.TaskGroup() as group:
            tasks = Tasks(group)
            commands = Commands(
                registry=registry,
                store=store,
                bus=bus,
                health=health,
                now_ms=wall_ms,
                spawn=tasks.spawn,
                journal=Journal(self._data, lambda: store.degraded is None, durable=Durable(self._data)),
            )
            await commands.recover()
            ingest.on_progress(commands.progress)
            desired = Desired(
                commands=commands, registry=registry, store=store, bus=bus, now_ms=wall_ms, spawn=tasks.spawn
            )
            await desired.load()
            publishers = [way.publish for way in links if isinstance(way, MqttLink)]
            acting = Acting(
                secrets=self._data / "secrets",
                commands=commands,
                cameras=cameras,
                publish=publishers[0] if publishers else None,
            )
            alerts = Alerts(
                store=store, bus=bus, registry=registry, health=health, now_ms=wall_ms, seams=acting
            )
            await alerts.load()
            tasks.keep("alerts", alerts.run)
            parts = Parts(
                config=config,
                registry=registry,
                store=store,
                bus=bus,
                commands=commands,
                cameras=cameras,
                health=health,
                now_ms=wall_ms,
                claim=claim,
                desired=desired,
                alerts=alerts,
                removal=Removal(
                    registry=registry,
                    store=store,
                    bus=bus,
                    desired=desired,
                    enrolment=enrolment,
                    health=health,
                    now_ms=wall_ms,
                ),
                enrolment=enrolment,
                serial=ports,
                updates=Updates(
                    registry=registry, commands=commands, packages=packages, load=package.installed
                ),
            )
            tls = self._tls()
            doors = Doors(config, make_app(parts), tls)
            url = await doors.start()
            for way in links:
                registry.attach(way)
                tasks.keep(f"link {way.name}", partial(way.run, ingest.sink_for(way.kind)))
            for camera in cameras.values():
                tasks.keep(f"camera {camera.id}", camera.run)
            # Attempts, not successes: a full disk is no reason to restart a hub that stays up and says so;
            # a committer that hangs makes no attempts.
            tasks.keep("watchdog", partial(self._notifier.feed, lambda: store.attempts))
            if self._demo is not None:
                tasks.keep("demo", self._demo.watch)
            if tls is not None:
                tasks.keep("tls", tls.keep)
            self._greet(store, claim, url, tls)
            await self._stop.wait()
            log.info("stopping")
            tasks.cancel()
            await doors.stop()
        access.clear(self._data)

    def _host(self) -> HostLink:
        """Return the link to the Pi itself. Raises ConfigError for a sensor that cannot be as written."""
        host = self._config.host
        sys_root = Path(host.sysfs)
        wired = plan(
            self._config.sensor,
            # A hub without sensors of its own needs no driver files to start.
            drivers=firmware_folder() / "drivers" if self._config.sensor else Path(),
            sys_root=sys_root,
            dev_root=Path(host.dev),
            interval_ms=host.interval_ms,
        )
        interval_s = host.interval_ms / 1000
        return HostLink(data=self._data, now_ms=wall_ms, interval_s=interval_s, sys_root=sys_root, pins=wired)

    def _broker(self, health: Health, known: list[Birth], shared: Shared) -> list[Link]:
        """Return the link to the MQTT broker: whether it answers by now or not, a broker may start later."""
        settings = self._config.mqtt
        if not settings.enabled:
            return []
        return [MqttLink(settings, now_ms=wall_ms, health=health, known=known, shared=shared)]

    def _tls(self) -> Tls | None:
        """Return what HTTPS is served with, where it is. Raises TlsError."""
        config = self._config
        if config.tls.mode == "off":
            return None
        return Tls(
            config.tls,
            self._data,
            hub=config.hub.name,
            names=lambda: own_names(config.hub),
            now_ms=wall_ms,
        )

    def _greet(self, store: Store, claim: Claim, url: str, tls: Tls | None) -> None:
        store.accounts.tokens.revoke(LOCAL_TOKEN, wall_ms(), by="hub")
        token = store.accounts.tokens.create(LOCAL_TOKEN, Role.ADMIN, wall_ms(), by="hub")
        access.leave(
            self._data,
            access.LocalAccess(url=url, token=token, certificate=str(tls.certificate) if tls else None),
        )
        for note in self._demo.notes if self._demo else ():
            self._say(f"  {note}")
        self._say(f"Outpost serves {url}")
        self._say(
            f"Open the dashboard, logged in as admin (works once, for 10 minutes):\n\n  {url}{claim.path()}\n"
        )
        self._notifier.ready(f"serving {url}")
