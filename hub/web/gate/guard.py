"""What every request passes: the right Host, a harmless Origin, a declared route, a role, a media type."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from hub.store.folder import StoreError
from hub.store.identity.rights import SecurityKind
from hub.store.queries.budget import QueryBusy, QueryRefused
from hub.web.gate.auth import by_cookie, credential_of, identify, unauthorized
from hub.web.gate.hosts import Hosts, same_origin
from hub.web.gate.reach import check_reach
from hub.web.gate.revocation import REVOCATION
from hub.web.gate.trail import tell
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler
    from aiohttp.web import AbstractRoute

    from hub.model import Identity, Role
    from hub.web.route import Route

log = logging.getLogger(__name__)

DECLARED: web.AppKey[Mapping[AbstractRoute, Route]] = web.AppKey("declared")
HOSTS: web.AppKey[Hosts] = web.AppKey("hosts")

_SAFE = ("GET", "HEAD", "OPTIONS")
_CORS_HEADERS = ("Authorization", "Content-Type", "If-Match", "If-None-Match", "Last-Event-ID")

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types outpost",  # the page's one policy: it names the service worker, and nothing else
    )
)
HEADERS = {
    "Server": "Outpost",
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer its security headers, and CORS' where the configuration lets another site in."""
    response.headers.update(HEADERS)
    origin = request.headers.get("Origin")
    allowed = parts_of(request).config.hub.allowed_origins
    if allowed:
        response.headers.add("Vary", "Origin")
    if origin is not None and origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "ETag, Link, Location, Retry-After"


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a problem document; what nobody foresaw is logged, and says nothing outside."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _problem_of(error, request).response()
    except QueryBusy as error:
        return Problem(503, str(error), headers={"Retry-After": "1"}).response()
    except QueryRefused as error:
        return Problem(400, str(error), parameter=error.parameter).response()
    except StoreError as error:
        log.error("%s %s: %s", request.method, request.path, error)
        return Problem(
            503, "the store cannot be used now; the hub's log says why", headers={"Retry-After": "5"}
        ).response()
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if isinstance(error, ConnectionError) and request.transport is None:
            # The client went while it was served: nobody hears this, and nothing is wrong with the hub.
            return Problem(408, "the client went").response()
        log.exception("%s %s failed", request.method, request.path)
        return Problem(500, "the hub failed on this request; its log says more").response()


def _problem_of(error: web.HTTPException, request: web.Request) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(
            405, f"{request.method} is not for {request.path}; {allowed} is", headers={"Allow": allowed}
        )
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Problem(413, f"the body is larger than {request.client_max_size} bytes")
    if isinstance(error, web.HTTPNotFound):
        return Problem(404, f"there is nothing at {request.path[:200]}")
    return Problem(error.status, error.text or error.reason)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through to its handler only when Host, Origin, route, role and media type are right."""
    _check_host(request)
    if _is_preflight(request):
        return _preflight(request)
    route = _declared(request)
    if route is None:
        return await handler(request)
    identity = _identify(request) if route.role is not None else None
    _check_origin(request, route)
    if route.role is not None:
        _admit(request, identity, route.role)
        check_reach(request, route)
    if route.body_media is not None and request.content_type != route.body_media:
        raise Problem(415, f"the body must be {route.body_media}", headers={"Accept-Post": route.body_media})
    if identity is None:
        return await handler(request)
    with request.app[REVOCATION].during(request, credential_of(request), identity.role):
        return await handler(request)


def _identify(request: web.Request) -> Identity | None:
    try:
        return identify(request)
    except Problem:
        _refuse(request, "unauthenticated", "a Bearer token that is none")
        raise


def _admit(request: web.Request, identity: Identity | None, role: Role) -> None:
    """Let in who has the role. Raises Problem 401, 403."""
    if identity is None:
        _count(request, "unauthenticated")
        raise unauthorized(
            "log in by the link that `outpost run` or `outpost link` prints, or send a Bearer token"
        )
    request[IDENTITY] = identity
    if not identity.role.includes(role):
        _refuse(request, "role", f"{request.method} {request.path}: needs the role {role}")
        log.warning("%s (%s) may not %s %s", identity.name, identity.role, request.method, request.path)
        raise Problem(403, f"this needs the role {role}; {identity.name} is {identity.role}")


def _check_host(request: web.Request) -> None:
    named = request.headers.getall("Host", [])
    if len(named) == 1 and request.app[HOSTS].allows(named[0]):
        return
    shown = ", ".join(named)[:100]
    _refuse(request, "host", f"called {shown!r}")
    raise Problem(
        421, f"this hub is not called {shown!r}; add the name to `hub.allowed_hosts` in its configuration"
    )


def _check_origin(request: web.Request, route: Route) -> None:
    """Refuse changes, and WebSockets, that a page of another site asked for (RFC 6455, 10.2)."""
    if request.method in _SAFE and "Upgrade" not in request.headers:
        return
    origin = request.headers.get("Origin")
    if origin is None:
        if route.role is None or not by_cookie(request) or hdrs.COOKIE not in request.headers:
            return
        _refuse(request, "origin", f"{request.method} {request.path}: by cookie without an Origin")
        raise Problem(403, "a request by cookie must carry an Origin header; programs use a Bearer token")
    allowed = parts_of(request).config.hub.allowed_origins
    if not same_origin(origin, request.headers["Host"]) and origin not in allowed:
        _refuse(request, "origin", f"{request.method} {request.path}: a page of {origin[:60]!r}")
        log.warning("origin %r was refused on %s %s", origin[:100], request.method, request.path)
        raise Problem(403, "pages of this origin may not do that; see `hub.allowed_origins`")


def _declared(request: web.Request) -> Route | None:
    """Return the route's declaration; None where nothing is served. Raises Problem 403 for any other."""
    if request.match_info.http_exception is not None:
        return None
    route = request.app[DECLARED].get(request.match_info.route)
    if route is None:
        _count(request, "undeclared")
        log.error("%s %s is served but not declared: denied", request.method, request.path)
        raise Problem(403, "this route is declared for nobody")
    return route


def _is_preflight(request: web.Request) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Origin") not in parts_of(request).config.hub.allowed_origins:
        _count(request, "origin")
        raise Problem(403, "pages of this origin may not call the hub; see `hub.allowed_origins`")
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": ", ".join(_CORS_HEADERS),
            "Access-Control-Max-Age": "600",
        },
    )


def _count(request: web.Request, reason: str) -> None:
    parts_of(request).health.refusals.labels(reason).inc()


def _refuse(request: web.Request, reason: str, detail: str) -> None:
    _count(request, reason)
    tell(request, SecurityKind.REQUEST_REFUSED, detail)
