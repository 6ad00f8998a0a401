"""Rights, for admins: users, a new one-time link, and the security log."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated

import msgspec

from hub.model import Role
from hub.store.identity.rights import BadName, NameTaken, SecurityEvent, SecurityKind
from hub.store.identity.users import BadPassword, BadRole, UserInfo, check_role
from hub.web.gate.revocation import done
from hub.web.gate.trail import tell
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, JSON, Answer, Route, body, path_part, query

if TYPE_CHECKING:
    from aiohttp import web

log = logging.getLogger(__name__)

AccountName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class OneTimeLink(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh one-time link: what comes behind the hub's address, and until when it works."""

    path: str
    expires_time: int


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
    except (BadName, BadRole, NameTaken, BadPassword) as error:
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
        if asked.role is not None:
            check_role(asked.role)
        if found and asked.password is not None:
            found = await asyncio.to_thread(users.set_password, name, asked.password, now_ms, by=by)
        if found and asked.role is not None:
            found = users.set_role(name, asked.role, now_ms, by=by)
    except (BadPassword, BadRole) as error:
        raise _refused(error) from error
    if not found:
        raise Problem(404, "there is no such user", parameter="name")
    return done(request)


async def remove_user(request: web.Request) -> web.StreamResponse:
    """Remove a user, and end what is open by the user's sessions."""
    parts = parts_of(request)
    if not parts.store.accounts.users.remove(
        path_part(request, "name"), parts.now_ms(), by=request[IDENTITY].name
    ):
        raise Problem(404, "there is no such user", parameter="name")
    return done(request)


async def list_security_events(request: web.Request) -> web.StreamResponse:
    """Answer with a page of the security log."""
    asked = query(request, EventsQuery)
    items, following = await parts_of(request).store.security_events(
        kind=asked.kind, limit=asked.limit, before=asked.cursor
    )
    return items_answer(items, following)


def _refused(error: BadName | BadRole | NameTaken | BadPassword) -> Problem:
    if isinstance(error, NameTaken):
        return Problem(409, str(error), parameter="name")
    fields = {BadName: "name", BadRole: "role", BadPassword: "password"}
    return Problem(400, str(error), parameter=fields[type(error)])


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
