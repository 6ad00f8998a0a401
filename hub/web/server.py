"""The web application: every declared route, behind the guard."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

from hub.camera.viewing import ice
from hub.web.api import (
    alerts,
    commands,
    desired,
    devices,
    enrolments,
    firmware,
    latest,
    metrics,
    openapi,
    password,
    recordings,
    retention,
    rights,
    rules,
    samples,
    serial,
    timelapses,
    tokens,
)
from hub.web.gate import logins, revocation, security_txt, sessions, wall
from hub.web.gate.guard import DECLARED, HOSTS, dress, guard, problems
from hub.web.gate.trail import TRAIL, Trail
from hub.web.live import control, stream
from hub.web.live.fanout import Fanout
from hub.web.live.polls import Polls
from hub.web.parts import PARTS, Parts
from hub.web.serving import closing, spa
from hub.web.serving.doors import hosts_of
from hub.web.video import cameras, pictures, whep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.web import AbstractRoute

    from hub.web.route import Route

__all__ = ["ROUTES", "Parts", "make_app"]

BODY_BYTES = 64 << 10

ROUTES: tuple[Route, ...] = (
    *sessions.ROUTES,
    *wall.ROUTES,
    *password.ROUTES,
    *rights.ROUTES,
    *tokens.ROUTES,
    *devices.ROUTES,
    *enrolments.ROUTES,
    *latest.ROUTES,
    *samples.ROUTES,
    *stream.ROUTES,
    *control.ROUTES,
    *commands.ROUTES,
    *desired.ROUTES,
    *alerts.ROUTES,
    *rules.ROUTES,
    *firmware.ROUTES,
    *serial.ROUTES,
    *cameras.ROUTES,
    *whep.ROUTES,
    *pictures.ROUTES,
    *recordings.ROUTES,
    *timelapses.ROUTES,
    *metrics.ROUTES,
    *retention.ROUTES,
    *openapi.ROUTES,
    *security_txt.ROUTES,
    *spa.ROUTES,
)
"""The whole outside. What is not declared here is denied."""


def make_app(parts: Parts) -> web.Application:
    """Make the application. Raises ConfigError where `[webrtc]` cannot be used."""
    app = web.Application(middlewares=[problems, guard], client_max_size=BODY_BYTES)
    app[PARTS] = parts
    app[HOSTS] = hosts_of(parts.config.hub)
    app[closing.CLOSING] = closing.Closing()
    app[stream.FANOUT] = fanout = Fanout(parts.bus, parts.stream, parts.health)
    app[closing.CLOSING].call(fanout.close)
    app[latest.POLLS] = polls = Polls(parts.bus, parts.registry, parts.stream, parts.health)
    app[closing.CLOSING].call(polls.close)
    app[revocation.REVOCATION] = ending = revocation.Revocation(
        lambda credentials: parts.store.accounts.holding(credentials, parts.now_ms())
    )
    app[closing.CLOSING].call(ending.close)
    app[logins.LOGINS] = logins.Logins()
    app[metrics.STARTED_S] = time.monotonic()
    app[TRAIL] = Trail(parts.store.put_security)
    app[whep.ENDING] = set()
    app[whep.ICE_LINKS] = whep.ice_links(ice.load(parts.config.webrtc))
    app[openapi.DOCUMENT] = openapi.Document(ROUTES)
    app[DECLARED] = _add(app, ROUTES)
    app.on_response_prepare.append(dress)
    app.on_shutdown.append(closing.close)
    return app


def _add(app: web.Application, routes: Iterable[Route]) -> dict[AbstractRoute, Route]:
    declared: dict[AbstractRoute, Route] = {}
    resources: dict[str, web.Resource] = {}
    for route in routes:
        resource = resources.get(route.path)
        if resource is None:
            resource = resources[route.path] = app.router.add_resource(route.path)
        methods = (route.method, "HEAD") if route.head else (route.method,)
        for method in methods:
            declared[resource.add_route(method, route.handler)] = route
    return declared
