"""Which devices a request may know of: all, or those that its token is for. Others do not exist for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.alerts import NoSuchAlert
from hub.commands import NoSuchCommand
from hub.devices import UnknownDevice
from hub.web.live.filters import Reach
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem
from hub.web.route import Reaches

if TYPE_CHECKING:
    from aiohttp import web

    from hub.model import Identity
    from hub.web.parts import Parts
    from hub.web.route import Route


def reach_of(request: web.Request) -> Reach:
    """Return what the caller of an admitted request may know of."""
    return reach(parts_of(request), request[IDENTITY])


def reach(parts: Parts, identity: Identity) -> Reach:
    """Return what a caller may know of."""
    scope = identity.scope
    return Reach.of(scope, parts.registry.tagged(scope.tags))


def check_reach(request: web.Request, route: Route) -> None:
    """Hold a request against its token's scope.

    Raises Problem 404 for a device outside, there or not, and 403 on routes of the whole hub.
    """
    if request[IDENTITY].scope.whole or route.reaches in (Reaches.NONE, Reaches.SOME):
        return
    if route.reaches is Reaches.ONE:
        within(request, request.match_info["id"])
        return
    raise Problem(403, f"{request[IDENTITY].name} is for some devices only; this is of the whole hub")


def command_within(parts: Parts, identity: Identity, command: str) -> None:
    """Raise NoSuchCommand where no such command is under way, or of a device out of the caller's reach."""
    if not reach(parts, identity).includes(parts.commands.device_of(command)):
        raise NoSuchCommand(command)


def device_within(parts: Parts, identity: Identity, device: str) -> None:
    """Raise UnknownDevice for a device out of the caller's reach."""
    if not reach(parts, identity).includes(device):
        raise UnknownDevice(device)


def alert_within(request: web.Request, alert: str) -> None:
    """Raise NoSuchAlert where no such alert is active, or of a device out of the caller's reach."""
    if not reach_of(request).includes(parts_of(request).alerts.find(alert).device):
        raise NoSuchAlert(alert)


def within(request: web.Request, device: str, parameter: str = "id") -> None:
    """Raise Problem 404, as for a device that is not there, where the caller may not know of it."""
    if not reach_of(request).includes(device):
        raise Problem(404, str(UnknownDevice(device[:100])), parameter=parameter)


def known_ids(request: web.Request) -> tuple[str, ...] | None:
    """Return the ids of the known devices that the caller may know of; None: all."""
    reached = reach_of(request)
    if reached.whole:
        return None
    return tuple(state.id for state in parts_of(request).registry.all() if reached.includes(state.id))
