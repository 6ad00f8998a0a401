"""A display on a wall: its token goes into a cookie once, and opens the dashboard until it is revoked.

The token comes in a header, as every other: the link that an admin copies carries it behind the `#`, which no
browser sends (RFC 3986, 3.5), and the page takes it from there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from hub.model import Role
from hub.store.identity.rights import SecurityKind
from hub.web.gate.auth import WALL_COOKIE, WALL_PREFIX, by_cookie, for_wall, set_secret_cookie
from hub.web.gate.trail import tell
from hub.web.parts import IDENTITY
from hub.web.problem import Problem, json_answer
from hub.web.route import API, Answer, Reaches, Route

if TYPE_CHECKING:
    from hub.model import Identity

log = logging.getLogger(__name__)

COOKIE_AGE_S = 400 * 86400
"""As long as browsers keep a cookie at most (RFC 6265bis, 5.5); each visit begins it anew."""


class WallView(msgspec.Struct, frozen=True):
    """As whom the display reads."""

    name: str
    role: Role


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Take a wall display's token into a cookie of this browser."""
    caller: Identity = request[IDENTITY]
    if by_cookie(request) or not for_wall(caller):
        raise Problem(
            400,
            f"a wall display shows its own Bearer token: a viewer's, whose name begins with {WALL_PREFIX!r}; "
            "Settings makes one",
        )
    log.info("a browser became the display of %s", caller.name)
    tell(request, SecurityKind.LOGIN, "as a wall display")
    answer = json_answer(WallView(caller.name, caller.role))
    _keep(request, answer, request.headers["Authorization"].partition(" ")[2].strip())
    return answer


async def take_down(request: web.Request) -> web.StreamResponse:
    """Forget the token in this browser. It stays good for others until it is revoked."""
    if WALL_COOKIE not in request.cookies:
        raise Problem(400, "this browser is no wall display")
    answer = web.Response(status=204)
    answer.del_cookie(WALL_COOKIE, path="/", httponly=True, samesite="Strict")
    return answer


def renew(request: web.Request, answer: web.StreamResponse) -> None:
    """Have a display's browser keep its cookie for another while: on a wall nobody logs in again."""
    token = request.cookies.get(WALL_COOKIE)
    if token is not None and by_cookie(request) and for_wall(request[IDENTITY]):
        _keep(request, answer, token)


def _keep(request: web.Request, answer: web.StreamResponse, token: str) -> None:
    set_secret_cookie(request, answer, WALL_COOKIE, token, COOKIE_AGE_S)


ROUTES = (
    Route(
        method="POST",
        path=f"{API}/session/wall",
        handler=hang_up,
        role=Role.VIEWER,
        reaches=Reaches.NONE,
        summary="Become a wall display: its token, sent as Bearer, goes into a cookie that does not time out",
        answers={200: Answer(text="As whom it reads", kind=WallView)},
        problems=(400,),
    ),
    Route(
        method="DELETE",
        path=f"{API}/session/wall",
        handler=take_down,
        role=Role.VIEWER,
        reaches=Reaches.NONE,
        summary="Be no wall display any more: forget the token in this browser",
        answers={204: Answer(text="Forgotten", media=None)},
        problems=(400,),
    ),
)
