"""API tokens, for admins: listed, made for all devices or some, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from hub.model import Role
from hub.store.identity.rights import BadName, BadScope, NameTaken, scope_of
from hub.store.identity.tokens import TokenInfo  # noqa: TC001 - msgspec resolves the fields' types
from hub.web.api.rights import AccountName  # noqa: TC001 - msgspec resolves the fields' types
from hub.web.gate.revocation import done
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, JSON, Answer, Route, body, path_part

if TYPE_CHECKING:
    from aiohttp import web

ScopeNames = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=128)], ...], msgspec.Meta(max_length=64)
]


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be made: for the devices (and cameras) named, by id or pattern, and those tagged; none: all.

    A token of the role `device` is for one device, by default the one that its name is.
    """

    name: AccountName
    role: Role
    devices: ScopeNames = ()
    tags: ScopeNames = ()


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token with its secret, which is shown this once."""

    name: str
    role: Role
    devices: tuple[str, ...]
    tags: tuple[str, ...]
    token: str


class TokenList(msgspec.Struct):
    """The tokens, without their secrets."""

    items: list[TokenInfo]
    next: str | None


async def list_tokens(request: web.Request) -> web.StreamResponse:
    """Answer with the tokens."""
    return items_answer(parts_of(request).store.accounts.tokens.all())


async def make_token(request: web.Request) -> web.StreamResponse:
    """Make a token, and show its secret once."""
    asked = await body(request, TokenBody)
    parts = parts_of(request)
    scope = scope_of(asked.name, asked.role, asked.devices, asked.tags)
    try:
        plain = parts.store.accounts.tokens.create(
            asked.name, asked.role, parts.now_ms(), scope=scope, by=request[IDENTITY].name
        )
    except NameTaken as error:
        raise Problem(409, str(error), parameter="name") from error
    except BadName as error:
        raise Problem(400, str(error), parameter="name") from error
    except BadScope as error:
        raise Problem(400, str(error), parameter=error.field) from error
    made = NewToken(name=asked.name, role=asked.role, devices=scope.devices, tags=scope.tags, token=plain)
    return json_answer(made, status=201)


async def revoke_token(request: web.Request) -> web.StreamResponse:
    """Revoke a token, and end what is open by it."""
    parts = parts_of(request)
    if not parts.store.accounts.tokens.revoke(
        path_part(request, "name"), parts.now_ms(), by=request[IDENTITY].name
    ):
        raise Problem(404, "there is no such token", parameter="name")
    return done(request)


ROUTES = (
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
)
