"""Who calls: the one-time claim link, session cookies for browsers, Bearer tokens for programs."""

from __future__ import annotations

import hmac
import logging
import secrets
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from hub.model import Identity, OutpostError, Role
from hub.web.pages import page
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, json_answer
from hub.web.route import API, Answer, Route, query

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

COOKIE = "outpost_session"
COOKIE_AGE_S = 30 * 86400
CLAIM_TTL_MS = 10 * 60_000
CLAIM_TRIES = 5
ADMIN = "admin"


class ClaimRefused(OutpostError):
    """The claim link does not open the hub (any more)."""


class Claim:
    """The one-time code that makes the first admin session: 256 random bits, 10 minutes, 5 wrong tries."""

    def __init__(
        self, *, now_ms: Callable[[], int], ttl_ms: int = CLAIM_TTL_MS, tries: int = CLAIM_TRIES
    ) -> None:
        self._now_ms = now_ms
        self._until_ms = now_ms() + ttl_ms
        self._tries = tries
        self._code: str | None = secrets.token_urlsafe(32)

    def path(self) -> str:
        """Return the link's path and query, to print behind the hub's URL. Raises ClaimRefused when used."""
        if self._code is None:
            raise ClaimRefused("the claim link was used")
        return f"/claim?code={self._code}"

    def redeem(self, code: str) -> None:
        """Use the code up. Raises ClaimRefused where it is wrong, used, or too late."""
        if self._code is None:
            raise ClaimRefused("this link was used already, or tried too often")
        if self._now_ms() >= self._until_ms:
            self._code = None
            raise ClaimRefused("this link has expired")
        if not hmac.compare_digest(code.encode(), self._code.encode()):
            self._tries -= 1
            if self._tries <= 0:
                self._code = None
                log.warning("the claim link is dead: its code was guessed wrong too often")
            raise ClaimRefused("this is not the link that the hub printed")
        self._code = None


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
            known = parts.store.accounts.token_identity(token.strip(), parts.now_ms())
        if known is None:
            raise unauthorized("the Authorization header holds no valid Bearer token")
        return known
    cookie = request.cookies.get(COOKIE)
    return parts.store.accounts.session_identity(cookie, parts.now_ms()) if cookie else None


def unauthorized(detail: str) -> Problem:
    """Return the problem of a caller that is not known."""
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="outpost"'})


def by_cookie(request: web.Request) -> bool:
    """Return whether the caller is known by what a browser sends on its own."""
    return "Authorization" not in request.headers


class ClaimQuery(msgspec.Struct, kw_only=True):
    """The query of the claim link."""

    code: str


async def claim(request: web.Request) -> web.StreamResponse:
    """Trade the one-time code for an admin session, and go to the dashboard."""
    parts = parts_of(request)
    code = query(request, ClaimQuery).code
    try:
        parts.claim.redeem(code)
    except ClaimRefused as error:
        if identify(request) is not None:
            # The link was opened twice in the same browser: it is logged in, and need not be told.
            return _to_dashboard()
        log.warning("a claim was refused: %s", error)
        return page(
            403,
            "This link does not work",
            f"{str(error).capitalize()}. Restart the hub: the new link works once, for 10 minutes.",
        )
    session = parts.store.accounts.create_session(
        ADMIN, Role.ADMIN, parts.now_ms(), request.headers.get("User-Agent", "")[:200]
    )
    log.info("claimed: %s logged in", ADMIN)
    answer = _to_dashboard()
    answer.set_cookie(
        COOKIE,
        session,
        max_age=COOKIE_AGE_S,
        path="/",
        httponly=True,
        samesite="Strict",
        # A proxy that ends TLS says so; a client that lies about it only harms itself.
        secure=request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https",
    )
    return answer


def _to_dashboard() -> web.Response:
    return web.Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})


class SessionView(msgspec.Struct, frozen=True):
    """Who the caller is, as `user:NAME` or `token:NAME`, and what it may do."""

    name: str
    role: Role


async def show_session(request: web.Request) -> web.StreamResponse:
    """Tell the caller who it is."""
    identity = request[IDENTITY]
    return json_answer(SessionView(identity.name, identity.role))


async def log_out(request: web.Request) -> web.StreamResponse:
    """End the browser's session. A Bearer token has none to end."""
    cookie = request.cookies.get(COOKIE)
    if not by_cookie(request) or cookie is None:
        raise Problem(400, "there is no session to end: a Bearer token is revoked by `outpost token revoke`")
    parts_of(request).store.accounts.end_session(cookie)
    log.info("%s logged out", request[IDENTITY].name)
    answer = web.Response(status=204)
    answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer


ROUTES = (
    Route(
        method="GET",
        path="/claim",
        handler=claim,
        role=None,
        query=ClaimQuery,
        summary="Open the dashboard, logged in as admin, with the one-time code that the hub printed",
        answers={303: Answer(text="Logged in: the session is a cookie", media=None)},
        problems=(403,),
    ),
    Route(
        method="GET",
        path=f"{API}/session",
        handler=show_session,
        role=Role.VIEWER,
        head=True,
        summary="Who the caller is",
        answers={200: Answer(text="The caller", kind=SessionView)},
    ),
    Route(
        method="DELETE",
        path=f"{API}/session",
        handler=log_out,
        role=Role.VIEWER,
        summary="Log out: end the browser's session",
        answers={204: Answer(text="Logged out", media=None)},
    ),
)
