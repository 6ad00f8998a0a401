"""Serial ports: lent to a program on the hub's machine, as to `outpost flash`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import msgspec

from hub.model import Role
from hub.web.parts import IDENTITY, PortLender, parts_of
from hub.web.problem import Problem, json_answer
from hub.web.route import API, JSON, Answer, Route, body

if TYPE_CHECKING:
    from aiohttp import web

log = logging.getLogger(__name__)

# Printable, as every path to a device is: a NUL would be no path at all (ValueError in os).
Port = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]+$", description="a path to the device"
    ),
]


class ReleaseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A port that the hub shall not touch for so long; the same again prolongs it."""

    port: Port
    seconds: Annotated[float, msgspec.Meta(ge=1, le=600)] = 60.0


class ResumeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lent port that the hub may have back."""

    port: Port


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the hub had the port, and so left devices without a session."""

    port: str
    held: bool
    seconds: float


async def release_port(request: web.Request) -> web.StreamResponse:
    """Close a port, and leave it alone for a time."""
    asked = await body(request, ReleaseBody)
    held = await _lender(request).release(asked.port, asked.seconds)
    log.info("serial: %r was asked for by %s", asked.port[:200], request[IDENTITY].name)
    return json_answer(Loan(port=asked.port, held=held, seconds=asked.seconds))


async def resume_port(request: web.Request) -> web.StreamResponse:
    """Take a lent port back at once."""
    asked = await body(request, ResumeBody)
    _lender(request).resume(asked.port)
    return json_answer(Loan(port=asked.port, held=False, seconds=0))


def _lender(request: web.Request) -> PortLender:
    lender = parts_of(request).serial
    if lender is None:
        raise Problem(503, "this hub serves no serial ports")
    return lender


ROUTES = (
    Route(
        method="POST",
        path=f"{API}/serial/release",
        handler=release_port,
        role=Role.ADMIN,
        body=ReleaseBody,
        body_media=JSON,
        summary="Lend a serial port to another program of the hub's machine",
        answers={200: Answer(text="The port is closed, and left alone for so long", kind=Loan)},
        problems=(503,),
    ),
    Route(
        method="POST",
        path=f"{API}/serial/resume",
        handler=resume_port,
        role=Role.ADMIN,
        body=ResumeBody,
        body_media=JSON,
        summary="Take a lent serial port back",
        answers={200: Answer(text="The hub may open the port again", kind=Loan)},
        problems=(503,),
    ),
)
