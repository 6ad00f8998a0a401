"""Rights, for admins: users, tokens, a new one-time link, and the security log."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import msgspec
from aiohttp import web

from hub.model import Role
from hub.store.accounts import BadName, NameTaken, TokenInfo
from hub.store.rights import SecurityEvent, SecurityKind
from hub.store.users import BadPassword, UserInfo
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.revocation import REVOCATION
from hub.web.route import API, JSON, Answer, Route, body, path_part, query
from hub.web.trail import tell

log = logging.getLogger(__name__)

AccountName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class OneTimeLink(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh one-time link: what comes behind the hub's address, and until when it works."""

    path: str
    expires_time: int


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be made."""

    name: AccountName
    role: Role


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token with its secret, which is shown this once."""

    name: str
    role: Role
    token: str


class TokenList(msgspec.Struct):
    """The tokens, without their secrets."""

    items: list[TokenInfo]
    next: str | None


class UserBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user to be made. A password has 12 to 256 characters."""

    name: AccountName
    role: Role
    password: str


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a user; a new password ends the user's sessions."""

    role: Role | None = None
    password: str | None = None


class UserList(msgspec.Struct):
    """The users."""

    items: list[UserInfo]
    next: str | None


class EventsQuery(msgspec.Struct, kw_only=True):
    """Which part of the security log."""

    kind: SecurityKind | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None


class EventList(msgspec.Struct):
    """A page of the security log, newest first."""

    items: list[SecurityEvent]
    next: str | None


async def make_link(request: web.Request) -> web.StreamResponse:
    """Make a fresh one-time link that opens the dashboard as admin."""
    claim = parts_of(request).claim
    expires_time = claim.renew()
    log.info("a new one-time link was made by %s", request[IDENTITY].name)
    tell(request, SecurityKind.LINK_MADE)
    return json_answer(OneTimeLink(path=claim.path(), expires_time=expires_time), status=201)


async def list_tokens(request: web.Request) -> web.StreamResponse:
    """Answer with the tokens."""
    return items_answer(parts_of(request).store.accounts.tokens())


async def make_token(request: web.Request) -> web.StreamResponse:
    """Make a token, and show its secret once."""
    asked = await body(request, TokenBody)
    parts = parts_of(request)
    try:
        plain = parts.store.accounts.create_token(
            asked.name, asked.role, parts.now_ms(), by=request[IDENTITY].name
        )
    except (BadName, NameTaken) as error:
        raise _refused(error) from error
    return json_answer(NewToken(name=asked.name, role=asked.role, token=plain), status=201)


async def revoke_token(request: web.Request) -> web.StreamResponse:
    """Revoke a token, and end what is open by it."""
    parts = parts_of(request)
    if not parts.store.accounts.revoke_token(
        path_part(request, "name"), parts.now_ms(), by=request[IDENTITY].name
    ):
        raise Problem(404, "there is no such token", parameter="name")
    return _done(request)


async def list_users(request: web.Request) -> web.StreamResponse:
    """Answer with the users."""
    return items_answer(parts_of(request).store.accounts.users.all())


async def make_user(request: web.Request) -> web.StreamResponse:
    """Make a user."""
    asked = await body(request, UserBody)
    parts = parts_of(request)
    now_ms = parts.now_ms()
    try:
        await asyncio.to_thread(
            parts.store.accounts.users.create,
            asked.name,
            asked.role,
            asked.password,
            now_ms,
            by=request[IDENTITY].name,
        )
    except (BadName, NameTaken, BadPassword) as error:
        raise _refused(error) from error
    return json_answer(
        UserInfo(name=asked.name, role=asked.role, created_time=now_ms, last_login_time=None), status=201
    )


async def change_user(request: web.Request) -> web.StreamResponse:
    """Change a user's role, password or both; the password first, since that may be refused."""
    asked = await body(request, UserChange)
    name, by = path_part(request, "name"), request[IDENTITY].name
    users, now_ms = parts_of(request).store.accounts.users, parts_of(request).now_ms()
    found = users.hash_of(name) is not None
    try:
        if found and asked.password is not None:
            found = await asyncio.to_thread(users.set_password, name, asked.password, now_ms, by=by)
    except BadPassword as error:
        raise _refused(error) from error
    if found and asked.role is not None:
        found = users.set_role(name, asked.role, now_ms, by=by)
    if not found:
        raise Problem(404, "there is no such user", parameter="name")
    return _done(request)


async def remove_user(request: web.Request) -> web.StreamResponse:
    """Remove a user, and end what is open by the user's sessions."""
    parts = parts_of(request)
    if not parts.store.accounts.users.remove(
        path_part(request, "name"), parts.now_ms(), by=request[IDENTITY].name
    ):
        raise Problem(404, "there is no such user", parameter="name")
    return _done(request)


async def list_security_events(request: web.Request) -> web.StreamResponse:
    """Answer with a page of the security log."""
    asked = query(request, EventsQuery)
    items, following = await parts_of(request).store.security_events(
        kind=asked.kind, limit=asked.limit, before=asked.cursor
    )
    return items_answer(items, following)


def _refused(error: BadName | NameTaken | BadPassword) -> Problem:
    if isinstance(error, NameTaken):
        return Problem(409, str(error), parameter="name")
    return Problem(400, str(error), parameter="password" if isinstance(error, BadPassword) else "name")


def _done(request: web.Request) -> web.Response:
    # The caller may have revoked itself: it is answered first.
    asyncio.get_running_loop().call_soon(request.app[REVOCATION].check)
    return web.Response(status=204)


ROUTES = (
    Route(
        method="POST",
        path=f"{API}/link",
        handler=make_link,
        role=Role.ADMIN,
        summary="Make a new one-time link that opens the dashboard as admin; the one before is dead",
        answers={201: Answer(text="The link", kind=OneTimeLink)},
    ),
    Route(
        method="GET",
        path=f"{API}/tokens",
        handler=list_tokens,
        role=Role.ADMIN,
        head=True,
        summary="The API tokens, without their secrets",
        answers={200: Answer(text="The tokens", kind=TokenList)},
    ),
    Route(
        method="POST",
        path=f"{API}/tokens",
        handler=make_token,
        role=Role.ADMIN,
        body=TokenBody,
        body_media=JSON,
        summary="Make an API token",
        answers={201: Answer(text="The token, shown this once", kind=NewToken)},
        problems=(409,),
    ),
    Route(
        method="DELETE",
        path=f"{API}/tokens/{{name}}",
        handler=revoke_token,
        role=Role.ADMIN,
        summary="Revoke a token, and end every stream, socket and video that is open by it",
        answers={204: Answer(text="Revoked", media=None)},
        problems=(404,),
    ),
    Route(
        method="GET",
        path=f"{API}/users",
        handler=list_users,
        role=Role.ADMIN,
        head=True,
        summary="The users",
        answers={200: Answer(text="The users", kind=UserList)},
    ),
    Route(
        method="POST",
        path=f"{API}/users",
        handler=make_user,
        role=Role.ADMIN,
        body=UserBody,
        body_media=JSON,
        summary="Make a user who logs in with a password",
        answers={201: Answer(text="The user", kind=UserInfo)},
        problems=(409,),
    ),
    Route(
        method="PATCH",
        path=f"{API}/users/{{name}}",
        handler=change_user,
        role=Role.ADMIN,
        body=UserChange,
        body_media=JSON,
        summary="Change a user's role or password",
        answers={204: Answer(text="Changed", media=None)},
        problems=(404,),
    ),
    Route(
        method="DELETE",
        path=f"{API}/users/{{name}}",
        handler=remove_user,
        role=Role.ADMIN,
        summary="Remove a user, and end the sessions",
        answers={204: Answer(text="Removed", media=None)},
        problems=(404,),
    ),
    Route(
        method="GET",
        path=f"{API}/security/events",
        handler=list_security_events,
        role=Role.ADMIN,
        head=True,
        query=EventsQuery,
        summary="The security log: logins, refusals, changes of rights",
        answers={200: Answer(text="Events, newest first", kind=EventList)},
    ),
)
