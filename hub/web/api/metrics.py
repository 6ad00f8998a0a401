"""The hub's own figures: Prometheus exposition, liveness, readiness, and the dashboard's view of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from hub import __version__
from hub.model import OutpostError, Role
from hub.web.api.views import HubHealth, HubView
from hub.web.api.zone import time_zone
from hub.web.gate.reach import reach_of
from hub.web.live.stream import FANOUT
from hub.web.parts import parts_of
from hub.web.problem import json_answer
from hub.web.route import API, Answer, Reaches, Route

if TYPE_CHECKING:
    from hub.health import Health
    from hub.store.sizes import DeviceSize
    from hub.web.live.filters import Reach
    from hub.web.parts import Parts

STARTED_S: web.AppKey[float] = web.AppKey("started_s")
"""When the application was made, on the monotonic clock."""


async def exposition(request: web.Request) -> web.StreamResponse:
    """Answer with every counter of the hub, in Prometheus' or OpenMetrics' text format."""
    parts = parts_of(request)
    _tell_sizes(parts.health, await _sizes(parts))
    write, media = choose_encoder(request.headers.get("Accept", ""))
    text = write(parts.health.registry)
    return web.Response(body=text, headers={"Content-Type": media, "Cache-Control": "no-store"})


async def alive(_: web.Request) -> web.StreamResponse:
    """Answer: the hub's loop runs."""
    return _word(200, "ok")


async def ready(request: web.Request) -> web.StreamResponse:
    """Answer whether the hub can keep what it is sent. The reason is for those who may read `hub`."""
    degraded = parts_of(request).store.degraded is not None
    return _word(503, "the store is degraded") if degraded else _word(200, "ok")


async def show_hub(request: web.Request) -> web.StreamResponse:
    """Answer with who the hub is, and how it is."""
    parts = parts_of(request)
    return json_answer(
        HubView(
            name=parts.config.hub.name,
            version=__version__,
            time=parts.now_ms(),
            time_zone=time_zone(),
            epoch=parts.bus.epoch,
            uptime_s=int(time.monotonic() - request.app[STARTED_S]),
            health=_health(parts, reach_of(request), request.app[FANOUT].count, await _sizes(parts)),
        )
    )


async def _sizes(parts: Parts) -> list[DeviceSize]:
    """Return what devices take; nothing while the file cannot be read, which the other figures tell."""
    try:
        return await parts.store.device_sizes()
    except OutpostError:
        return []


def _tell_sizes(health: Health, found: list[DeviceSize]) -> None:
    for gauge in (health.store_device_bytes, health.store_device_samples):
        gauge.clear()  # devices whose history was erased are no longer there
    for one in found:
        health.store_device_bytes.labels(one.device).set(one.bytes)
        health.store_device_samples.labels(one.device).set(one.samples)


def _health(parts: Parts, reached: Reach, streams: int, sizes: list[DeviceSize]) -> HubHealth:
    states = [state for state in parts.registry.all() if reached.includes(state.id)]
    cameras = [camera for camera in parts.cameras.values() if reached.includes(camera.id)]
    own = [size for size in sizes if reached.includes(size.device)]
    return HubHealth(
        store_degraded=parts.store.degraded,
        store=msgspec.structs.replace(parts.store.figures(), devices=own),
        devices=len(states),
        devices_online=sum(state.online for state in states),
        streams=streams,
        viewers=sum(camera.viewers for camera in cameras),
    )


def _word(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers={"Cache-Control": "no-store"})


ROUTES = (
    Route(
        method="GET",
        path="/metrics",
        handler=exposition,
        role=Role.VIEWER,
        head=True,
        summary="The hub's own counters for Prometheus",
        answers={200: Answer(text="The exposition", media="text/plain")},
    ),
    Route(
        method="GET",
        path="/healthz",
        handler=alive,
        role=None,
        reaches=Reaches.NONE,
        head=True,
        summary="Liveness",
        answers={200: Answer(text="The hub runs", media="text/plain")},
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=ready,
        role=None,
        reaches=Reaches.NONE,
        head=True,
        summary="Readiness; 503 while the store cannot commit",
        answers={
            200: Answer(text="What comes is kept", media="text/plain"),
            503: Answer(text="The store cannot commit now", media="text/plain"),
        },
    ),
    Route(
        method="GET",
        path=f"{API}/hub",
        handler=show_hub,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        summary="The hub itself: name, version, time, health",
        answers={200: Answer(text="The hub", kind=HubView)},
    ),
)
