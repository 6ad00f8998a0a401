"""Who calls: session cookies for browsers, Bearer tokens for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from hub.model import Role
from hub.store.identity.rights import fingerprint
from hub.web.parts import parts_of
from hub.web.problem import Problem

if TYPE_CHECKING:
    from hub.model import Identity

COOKIE = "outpost_session"
WALL_COOKIE = "outpost_wall"
"""A wall display's token; a cookie of its own, so that whoever tries its link stays logged in there."""
WALL_PREFIX = "wall-"
"""How the name of a viewer's token begins that opens the dashboard on a wall."""
CREDENTIAL: web.RequestKey[bytes] = web.RequestKey("credential")
"""The fingerprint of what an identified caller showed: its token's, or its session's."""


def identify(request: web.Request) -> Identity | None:
    """Return the caller, None where the request names none. Raises Problem 401 for a wrong Bearer token.

    A Bearer token wins over a cookie, and a wrong one is never helped out by a cookie.
    """
    parts = parts_of(request)
    given = request.headers.get("Authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        known = None
        if scheme.lower() == "bearer" and token.strip():
            known = parts.store.accounts.tokens.identity(token.strip(), parts.now_ms())
        if known is None:
            raise unauthorized("the Authorization header holds no valid Bearer token")
        request[CREDENTIAL] = fingerprint(token.strip())
        return known
    return _by_session(request) or _by_wall(request)


def _by_session(request: web.Request) -> Identity | None:
    parts, cookie = parts_of(request), request.cookies.get(COOKIE)
    known = parts.store.accounts.sessions.identity(cookie, parts.now_ms()) if cookie else None
    if known is not None and cookie is not None:
        request[CREDENTIAL] = fingerprint(cookie)
    return known


def _by_wall(request: web.Request) -> Identity | None:
    parts, cookie = parts_of(request), request.cookies.get(WALL_COOKIE)
    known = parts.store.accounts.tokens.identity(cookie, parts.now_ms()) if cookie else None
    if known is None or cookie is None or not for_wall(known):
        return None
    request[CREDENTIAL] = fingerprint(cookie)
    return known


def for_wall(caller: Identity) -> bool:
    """Tell whether a caller is a wall display: a token made for one, that may read and no more."""
    return caller.name.startswith(f"token:{WALL_PREFIX}") and not caller.role.includes(Role.OPERATOR)


def credential_of(request: web.Request) -> bytes:
    """Return the fingerprint of what an identified caller showed: its token's, or its session's."""
    return request[CREDENTIAL]


def set_secret_cookie(
    request: web.Request, answer: web.StreamResponse, name: str, secret: str, age_s: int
) -> None:
    """Have the browser keep a secret that no script reads and no other site sends."""
    answer.set_cookie(
        name,
        secret,
        max_age=age_s,
        path="/",
        httponly=True,
        samesite="Strict",
        # A proxy that ends TLS says so; a client that lies about it only harms itself.
        secure=request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https",
    )


def unauthorized(detail: str) -> Problem:
    """Return the problem of a caller that is not known."""
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="outpost"'})


def by_cookie(request: web.Request) -> bool:
    """Return whether the caller is known by what a browser sends on its own."""
    return "Authorization" not in request.headers
