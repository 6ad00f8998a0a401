"""The firmware of devices: what there is for one, and its update over the link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from hub.commands import BadParams, CommandRefused, QueueFull, TooFast
from hub.devices import UnknownDevice
from hub.model import CommandResult, FirmwareOffer, Role
from hub.store.identity.rights import SecurityKind
from hub.web.gate.origin import origin_of
from hub.web.gate.trail import tell
from hub.web.parts import IDENTITY, Updater, parts_of
from hub.web.problem import Problem, json_answer
from hub.web.route import API, JSON, Answer, Reaches, Route, body, path_part

if TYPE_CHECKING:
    from aiohttp import web


class UpdateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An update of the device of the path. The same `key` of the same caller runs once."""

    force: bool = False
    """Also to an older version than the device has."""
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


async def show_offer(request: web.Request) -> web.StreamResponse:
    """Answer with the firmware that the hub has for a device."""
    try:
        return json_answer(await _updater(request).offer(path_part(request, "id")))
    except UnknownDevice as error:
        raise Problem(404, str(error), parameter="id") from error


async def update_device(request: web.Request) -> web.StreamResponse:
    """Update a device, wait for the end, and answer with the result, good or bad."""
    asked = await body(request, UpdateBody)
    device, updater = path_part(request, "id"), _updater(request)
    # Before as well: who asks may go away, and the update goes on.
    tell(request, SecurityKind.FIRMWARE_UPDATE, f"{device}: asked for{' by force' if asked.force else ''}")
    try:
        result = await updater.update(
            device,
            force=asked.force,
            key=asked.key,
            caller=request[IDENTITY].name,
            origin=origin_of(request, "http"),
        )
    except UnknownDevice as error:
        raise Problem(404, str(error), parameter="id") from error
    except BadParams as error:
        raise Problem(400, str(error), parameter="key") from error
    except QueueFull as error:
        raise Problem(503, str(error), headers={"Retry-After": "1"}) from error
    except TooFast as error:
        wait_s = -(-error.wait_ms // 1000)
        raise Problem(429, str(error), headers={"Retry-After": str(wait_s)}) from error
    except CommandRefused as error:
        raise Problem(409, str(error), parameter="id") from error
    tell(request, SecurityKind.FIRMWARE_UPDATE, f"{device}: {result.state}")
    return json_answer(result)


def _updater(request: web.Request) -> Updater:
    updater = parts_of(request).updates
    if updater is None:
        raise Problem(503, "this hub has no firmware for boards")
    return updater


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/devices/{{id}}/firmware",
        handler=show_offer,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="The firmware that the hub has for a device, beside what it runs",
        answers={200: Answer(text="What there is", kind=FirmwareOffer)},
        problems=(404, 503),
    ),
    Route(
        method="POST",
        path=f"{API}/devices/{{id}}/update",
        handler=update_device,
        role=Role.ADMIN,
        reaches=Reaches.ONE,
        body=UpdateBody,
        body_media=JSON,
        summary="Update a board's firmware over its link, and wait for the end",
        answers={200: Answer(text="The final state; progress is told by the stream", kind=CommandResult)},
        problems=(404, 409, 429, 503),
    ),
)
