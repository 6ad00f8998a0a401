"""One's own password, changed by whoever knows the old one."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import msgspec
from aiohttp import web

from hub.model import Role
from hub.store.identity.rights import SecurityKind
from hub.store.identity.users import MAX_PASSWORD, BadPassword, check_password
from hub.web.gate.auth import by_cookie, credential_of
from hub.web.gate.logins import LOGINS, take_try
from hub.web.gate.revocation import REVOCATION
from hub.web.gate.trail import tell
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem
from hub.web.route import API, JSON, Answer, Reaches, Route, body

log = logging.getLogger(__name__)


class PasswordBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password as it is, and as it shall be: 12 to 256 characters."""

    old: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASSWORD)]
    new: str


async def change_password(request: web.Request) -> web.StreamResponse:
    """Change the caller's own password: its other sessions end, this one stays. Tries count as logins."""
    asked = await body(request, PasswordBody)
    name, old_hash = _account(request)
    _check_new(name, asked)
    parts, logins = parts_of(request), request.app[LOGINS]
    now_ms, by = parts.now_ms(), request[IDENTITY].name
    names = take_try(request, name, now_ms)
    if not await logins.fits(old_hash, asked.old):
        log.warning("a change of password was refused: the old one was wrong")
        tell(request, SecurityKind.LOGIN_REFUSED, "change of password: the old one was wrong")
        raise Problem(403, "this is not the password that holds now", parameter="old")
    logins.tries.give_back(names, now_ms)
    users, keep = parts.store.accounts.users, credential_of(request)
    if not await logins.in_turn(
        lambda: users.replace_password(name, old_hash, asked.new, now_ms, keep=keep, by=by)
    ):
        raise Problem(409, "somebody else changed this password just now: it stays as they set it")
    log.info("%s changed the own password", by)
    asyncio.get_running_loop().call_soon(request.app[REVOCATION].check)
    return web.Response(status=204)


def _account(request: web.Request) -> tuple[str, str]:
    """Return the caller's name and password hash. Raises Problem 400 for a caller without a password."""
    kind, _, name = request[IDENTITY].name.partition(":")
    if kind != "user" or not by_cookie(request):
        raise Problem(400, "a token has no password: this is for people who are logged in")
    known = parts_of(request).store.accounts.users.hash_of(name)
    if known is None:
        raise Problem(
            400,
            f"{name} came by a one-time link and has no password: make a user with one, and log in as that",
        )
    return name, known[0]


def _check_new(name: str, asked: PasswordBody) -> None:
    try:
        check_password(name, asked.new)
    except BadPassword as error:
        raise Problem(400, str(error), parameter="new") from error
    if asked.new == asked.old:
        raise Problem(400, "this is the old password again", parameter="new")


ROUTES = (
    Route(
        method="POST",
        path=f"{API}/session/password",
        handler=change_password,
        role=Role.VIEWER,
        reaches=Reaches.NONE,
        body=PasswordBody,
        body_media=JSON,
        summary="Change one's own password; one's other sessions end",
        answers={204: Answer(text="Changed", media=None)},
        problems=(403, 409, 429, 503),
    ),
)
