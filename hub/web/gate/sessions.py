"""Browser sessions: begun by the one-time link or by name and password, listed, ended."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from hub.model import Role
from hub.store.identity.rights import SecurityKind
from hub.store.identity.sessions import SessionInfo, session_id
from hub.store.identity.users import MAX_PASSWORD
from hub.web.gate import wall
from hub.web.gate.address import address_of
from hub.web.gate.auth import COOKIE, by_cookie, credential_of, identify, set_secret_cookie
from hub.web.gate.claim import ClaimRefused
from hub.web.gate.logins import LOGINS, take_try
from hub.web.gate.revocation import REVOCATION
from hub.web.gate.trail import tell
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, JSON, Answer, Reaches, Route, body, path_part, query
from hub.web.serving.pages import page

if TYPE_CHECKING:
    from hub.model import Identity

log = logging.getLogger(__name__)

COOKIE_AGE_S = 30 * 86400
ADMIN = "admin"

NEW_LINK = (
    "For a new one run `outpost link` on the hub's machine, under the hub's user: it works once, for 10 "
    "minutes, and the hub need not be restarted."
)

ENTERED = "/#in"
"""The mark has the dashboard forget what this browser kept of whoever was there before (state/entered.ts)."""
LOGIN = ("Log in by name and password", "/")


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
            return _to_dashboard("/")
        log.warning("a claim was refused: %s", error)
        tell(request, SecurityKind.LOGIN_REFUSED, f"by link: {error}")
        reason = f"{str(error).capitalize()}."
        return page(403, "This link does not work", reason, NEW_LINK, link=LOGIN)
    answer = _to_dashboard(ENTERED)
    _begin(request, answer, ADMIN, Role.ADMIN, "by link")
    return answer


def _begin(request: web.Request, answer: web.Response, name: str, role: Role, way: str) -> None:
    parts = parts_of(request)
    secret = parts.store.accounts.sessions.begin(
        name, role, parts.now_ms(), request.headers.get("User-Agent", "")[:200]
    )
    log.info("%s logged in %s", name, way)
    tell(request, SecurityKind.LOGIN, way, actor=f"user:{name}")
    set_secret_cookie(request, answer, COOKIE, secret, COOKIE_AGE_S)


def _to_dashboard(where: str) -> web.Response:
    return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})


class LoginBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants in."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASSWORD)]


class SessionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who the caller is, as `user:NAME` or `token:NAME`, what it may do, and for which devices if not all."""

    name: str
    role: Role
    devices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


async def log_in(request: web.Request) -> web.StreamResponse:
    """Begin a session by name and password: 3 tries a minute and 10 an hour, by address and by account."""
    asked = await body(request, LoginBody)
    parts, logins = parts_of(request), request.app[LOGINS]
    now_ms = parts.now_ms()
    names = take_try(request, asked.name, now_ms)
    known = parts.store.accounts.users.hash_of(asked.name)
    if not await logins.fits(known[0] if known else None, asked.password) or known is None:
        log.warning("a login was refused: wrong name or password, from %s", address_of(request))
        tell(request, SecurityKind.LOGIN_REFUSED, "wrong name or password", actor=f"user:{asked.name}")
        raise Problem(403, "wrong name or password")
    logins.tries.give_back(names, now_ms)
    parts.store.accounts.users.came(asked.name, now_ms)
    answer = json_answer(SessionView(f"user:{asked.name}", known[1]))
    _begin(request, answer, asked.name, known[1], "by password")
    return answer


async def show_session(request: web.Request) -> web.StreamResponse:
    """Tell the caller who it is."""
    identity = request[IDENTITY]
    scope = identity.scope
    answer = json_answer(SessionView(identity.name, identity.role, scope.devices, scope.tags))
    wall.renew(request, answer)
    return answer


async def log_out(request: web.Request) -> web.StreamResponse:
    """End the browser's session, and all that is open by it. A Bearer token has none to end."""
    cookie = request.cookies.get(COOKIE)
    if not by_cookie(request) or cookie is None:
        raise Problem(400, "there is no session to end: a Bearer token is revoked by `outpost token revoke`")
    parts_of(request).store.accounts.sessions.end(cookie)
    log.info("%s logged out", request[IDENTITY].name)
    tell(request, SecurityKind.LOGOUT)
    answer = web.Response(status=204)
    answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    _end_others(request)
    return answer


class OpenSession(msgspec.Struct, kw_only=True):
    """A session of a browser; `current` is the caller's own."""

    id: str
    name: str
    role: Role
    created_time: int
    last_used_time: int
    user_agent: str
    current: bool


class SessionList(msgspec.Struct):
    """The sessions that hold, newest first."""

    items: list[OpenSession]
    next: str | None


async def list_sessions(request: web.Request) -> web.StreamResponse:
    """Answer with the caller's own sessions; with everybody's for an admin."""
    mine = session_id(credential_of(request))
    return items_answer(
        [OpenSession(**msgspec.structs.asdict(item), current=item.id == mine) for item in _reachable(request)]
    )


async def end_session(request: web.Request) -> web.StreamResponse:
    """End a session, and all that is open by it."""
    wanted = path_part(request, "session")
    parts = parts_of(request)
    ended = wanted in {item.id for item in _reachable(request)} and parts.store.accounts.sessions.end_called(
        wanted, parts.now_ms(), by=request[IDENTITY].name
    )
    if not ended:
        raise Problem(404, "there is no such session of yours", parameter="session")
    log.info("a session was ended by %s", request[IDENTITY].name)
    _end_others(request)
    return web.Response(status=204)


def _reachable(request: web.Request) -> list[SessionInfo]:
    caller: Identity = request[IDENTITY]
    parts = parts_of(request)
    return [
        item
        for item in parts.store.accounts.sessions.alive(parts.now_ms())
        if caller.role.includes(Role.ADMIN) or f"user:{item.name}" == caller.name
    ]


def _end_others(request: web.Request) -> None:
    """Have what is open ended now; but this request, which may have revoked itself, is answered first."""
    asyncio.get_running_loop().call_soon(request.app[REVOCATION].check)


ROUTES = (
    Route(
        method="GET",
        path="/claim",
        handler=claim,
        role=None,
        reaches=Reaches.NONE,
        query=ClaimQuery,
        summary="Open the dashboard, logged in as admin, with the one-time code that the hub printed",
        answers={303: Answer(text="Logged in: the session is a cookie", media=None)},
        problems=(403,),
    ),
    Route(
        method="GET",
        path=f"{API}/session",
        handler=show_session,
        role=Role.DEVICE,
        reaches=Reaches.NONE,
        head=True,
        summary="Who the caller is",
        answers={200: Answer(text="The caller", kind=SessionView)},
    ),
    Route(
        method="POST",
        path=f"{API}/session",
        handler=log_in,
        role=None,
        reaches=Reaches.NONE,
        body=LoginBody,
        body_media=JSON,
        summary="Log in with name and password: the session is a cookie",
        answers={200: Answer(text="Logged in", kind=SessionView)},
        problems=(403, 429, 503),
    ),
    Route(
        method="DELETE",
        path=f"{API}/session",
        handler=log_out,
        role=Role.VIEWER,
        reaches=Reaches.NONE,
        summary="Log out: end the browser's session",
        answers={204: Answer(text="Logged out", media=None)},
        problems=(400,),
    ),
    Route(
        method="GET",
        path=f"{API}/sessions",
        handler=list_sessions,
        role=Role.VIEWER,
        head=True,
        summary="The sessions that hold: one's own, for an admin everybody's",
        answers={200: Answer(text="The sessions", kind=SessionList)},
    ),
    Route(
        method="DELETE",
        path=f"{API}/sessions/{{session}}",
        handler=end_session,
        role=Role.VIEWER,
        summary="End a session, and every stream, socket and video that is open by it",
        answers={204: Answer(text="Ended", media=None)},
        problems=(404,),
    ),
)
