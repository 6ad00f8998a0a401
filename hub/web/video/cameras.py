"""The configured cameras, and which of them a request means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model import Role
from hub.web.api.views import CameraList, CameraView
from hub.web.gate.auth import by_cookie
from hub.web.gate.reach import reach_of
from hub.web.parts import parts_of
from hub.web.problem import Problem, items_answer
from hub.web.route import API, Answer, Reaches, Route, path_part

if TYPE_CHECKING:
    from aiohttp import web

    from hub.camera.camera import Camera

_RETRY_AFTER = {"Retry-After": "5"}


def camera_of(request: web.Request) -> Camera:
    """Return the camera that `{id}` of the path names. Raises Problem 404."""
    camera = parts_of(request).cameras.get(path_part(request, "id"))
    if camera is None:
        known = ", ".join(filter(reach_of(request).includes, parts_of(request).cameras)) or "none"
        raise Problem(404, f"there is no such camera; there is: {known}", parameter="id")
    return camera


def unavailable(error: Exception) -> Problem:
    """Return the problem of a camera that gives nothing now."""
    return Problem(503, str(error), headers=_RETRY_AFTER)


async def list_cameras(request: web.Request) -> web.StreamResponse:
    """Answer with the configured cameras that the caller may know of."""
    reached = reach_of(request)
    cameras = [camera for camera in parts_of(request).cameras.values() if reached.includes(camera.id)]
    if by_cookie(request):  # of a program that looks after the hub none comes, and the rooms take memory
        for camera in cameras:
            camera.expect_viewer()
    return items_answer(
        [
            CameraView(
                id=camera.id,
                name=camera.name,
                state=camera.state,
                error=camera.error,
                viewers=camera.viewers,
                encoders=camera.encoders,
            )
            for camera in cameras
        ]
    )


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/cameras",
        handler=list_cameras,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        head=True,
        summary="The cameras",
        answers={200: Answer(text="The configured cameras", kind=CameraList)},
    ),
)
