"""`enrolments`: which boards wait, are accepted, rejected or refused; and an admin's word on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from hub.enrolment import AlreadyAccepted, Enrolment, EnrolmentView, NotEnrolled
from hub.model import Role
from hub.web.gate.reach import reach_of
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, Answer, Reaches, Route, path_part

if TYPE_CHECKING:
    from collections.abc import Callable


class EnrolmentList(msgspec.Struct):
    """How boards stand: what waits, what is refused, then what was decided."""

    items: list[EnrolmentView]
    next: str | None


async def list_enrolments(request: web.Request) -> web.StreamResponse:
    """Answer with how the boards stand that the caller may know of."""
    reached = reach_of(request)
    return items_answer([view for view in _enrolment(request).items() if reached.includes(view.device)])


async def accept_board(request: web.Request) -> web.StreamResponse:
    """Let a board in; it gets a new key."""
    return _decided(request, _enrolment(request).accept)


async def reject_board(request: web.Request) -> web.StreamResponse:
    """Turn away a board that waits."""
    return _decided(request, _enrolment(request).reject)


async def forget_board(request: web.Request) -> web.StreamResponse:
    """Know nothing of a board any more."""
    _decided(request, _enrolment(request).forget)
    return web.Response(status=204)


def _decided(request: web.Request, decide: Callable[[str, str], EnrolmentView]) -> web.StreamResponse:
    device = path_part(request, "id")
    try:
        return json_answer(decide(device, request[IDENTITY].name))
    except NotEnrolled as error:
        raise Problem(404, str(error), parameter="id") from error
    except AlreadyAccepted as error:
        raise Problem(409, str(error), parameter="id") from error


def _enrolment(request: web.Request) -> Enrolment:
    enrolment = parts_of(request).enrolment
    if enrolment is None:
        raise Problem(503, "this hub reaches no boards")
    return enrolment


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/enrolments",
        handler=list_enrolments,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        summary="Boards that wait to be accepted, are refused, and were accepted or rejected",
        answers={200: Answer(text="How they stand; what waits comes first", kind=EnrolmentList)},
        problems=(503,),
    ),
    Route(
        method="POST",
        path=f"{API}/enrolments/{{id}}/accept",
        handler=accept_board,
        role=Role.ADMIN,
        reaches=Reaches.ONE,
        summary="Accept a board, also one that has not come yet; it is given a new key over its cable",
        answers={200: Answer(text="How it stands now", kind=EnrolmentView)},
        problems=(404, 503),
    ),
    Route(
        method="POST",
        path=f"{API}/enrolments/{{id}}/reject",
        handler=reject_board,
        role=Role.ADMIN,
        reaches=Reaches.ONE,
        summary="Turn away a board that waits, and drop what it said; or dismiss the notice of one refused",
        answers={200: Answer(text="How it stands now", kind=EnrolmentView)},
        problems=(404, 409, 503),
    ),
    Route(
        method="DELETE",
        path=f"{API}/enrolments/{{id}}",
        handler=forget_board,
        role=Role.ADMIN,
        reaches=Reaches.ONE,
        summary="Forget a board and its key: it waits when it comes again; its history stays",
        answers={204: Answer(text="Forgotten", media=None)},
        problems=(404, 503),
    ),
)
