"""`devices`: what the hub knows of each device, its console, and the health of its link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.devices import DeviceState, UnknownDevice, describe
from hub.model import Role
from hub.removal import Removed, StillThere
from hub.store.identity.rights import SecurityKind
from hub.web.api.link_report import LinkReport, report
from hub.web.api.medium import on_medium
from hub.web.api.views import ConsoleView, DeviceList, DeviceView
from hub.web.gate.reach import reach_of, within
from hub.web.gate.trail import tell
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem, items_answer, json_answer
from hub.web.route import API, Answer, Reaches, Route, path_part

if TYPE_CHECKING:
    from aiohttp import web


def known_device(request: web.Request, device: str, parameter: str = "id") -> DeviceState:
    """Return the device, if the caller may know of it.

    Raises Problem 404, naming the parameter that it was named by.
    """
    within(request, device, parameter)
    state = parts_of(request).registry.get(device)
    if state is None:
        raise Problem(404, str(UnknownDevice(device[:100])), parameter=parameter)
    return state


async def list_devices(request: web.Request) -> web.StreamResponse:
    """Answer with every device that the caller may know of, sorted by id."""
    reached = reach_of(request)
    states = parts_of(request).registry.all()
    return items_answer([describe(state) for state in states if reached.includes(state.id)])


async def show_device(request: web.Request) -> web.StreamResponse:
    """Answer with one device."""
    return json_answer(describe(known_device(request, path_part(request, "id"))))


async def show_console(request: web.Request) -> web.StreamResponse:
    """Answer with the last lines that a device printed."""
    state = known_device(request, path_part(request, "id"))
    return items_answer(parts_of(request).registry.console(state.id))


async def show_link(request: web.Request) -> web.StreamResponse:
    """Answer with the figures of a device's link, and what they mean."""
    state = known_device(request, path_part(request, "id"))
    parts = parts_of(request)
    return json_answer(report(state, now_ms=parts.now_ms(), hub_trouble=parts.store.degraded))


async def remove_device(request: web.Request) -> web.StreamResponse:
    """Take a device that is gone off the list."""
    state, removal = known_device(request, path_part(request, "id")), parts_of(request).removal
    if removal is None:
        raise Problem(503, "this hub keeps no list of devices that could be changed")
    try:
        async with on_medium(request):
            removed = removal.remove(state.id, request[IDENTITY].name)
            tell(request, SecurityKind.DEVICE_REMOVED, f"{state.id} ({state.birth.name})")
    except StillThere as error:
        raise Problem(409, str(error), parameter="id") from error
    return json_answer(removed)


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/devices",
        handler=list_devices,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        summary="Every device with its metrics, their last samples, and its commands",
        answers={200: Answer(text="The devices, sorted by id", kind=DeviceList)},
    ),
    Route(
        method="GET",
        path=f"{API}/devices/{{id}}",
        handler=show_device,
        role=Role.DEVICE,
        reaches=Reaches.ONE,
        head=True,
        summary="One device",
        answers={200: Answer(text="The device", kind=DeviceView)},
        problems=(404,),
    ),
    Route(
        method="DELETE",
        path=f"{API}/devices/{{id}}",
        handler=remove_device,
        role=Role.ADMIN,
        reaches=Reaches.ONE,
        summary="Take a device that is gone off the list, with its key and desired values; its samples stay",
        answers={
            200: Answer(text="Removed; whether the broker was told to drop what it retains", kind=Removed)
        },
        problems=(404, 409, 503),
    ),
    Route(
        method="GET",
        path=f"{API}/devices/{{id}}/console",
        handler=show_console,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="The last lines of a device's console",
        answers={200: Answer(text="The lines, oldest first", kind=ConsoleView)},
        problems=(404,),
    ),
    Route(
        method="GET",
        path=f"{API}/devices/{{id}}/link",
        handler=show_link,
        role=Role.VIEWER,
        reaches=Reaches.ONE,
        head=True,
        summary="The figures of a device's link, and whether cable, board or hub is to blame for bad ones",
        answers={200: Answer(text="The figures by name, the verdict, the restarts", kind=LinkReport)},
        problems=(404,),
    ),
)
