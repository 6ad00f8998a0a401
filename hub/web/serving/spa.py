"""The built dashboard: hashed assets for ever, the page itself always asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.web.parts import parts_of
from hub.web.problem import Problem
from hub.web.route import Answer, Reaches, Route
from hub.web.serving.files import file_answer
from hub.web.serving.pages import page

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

IMMUTABLE = "public, max-age=31536000, immutable"
REST = "/{path:(?!api/).*}"
"""Every path but the API's, where an unknown one must stay a 404 and a wrong method a 405."""


async def dashboard(request: web.Request) -> web.StreamResponse:
    """Answer with a file of the dashboard, and with its page for the paths that it routes itself."""
    folder = parts_of(request).static
    path = request.match_info.get("path", "")
    found = _file(folder, path) if path else None
    if found is not None:
        hashed = path.startswith("assets/")
        return file_answer(request, found, {"Cache-Control": IMMUTABLE if hashed else "no-cache"})
    if path.startswith("assets/") or (path and "text/html" not in request.headers.get("Accept", "")):
        raise Problem(404, f"there is nothing at {request.path[:200]}")
    index = _file(folder, "index.html")
    if index is None:
        return page(
            503,
            "The dashboard is not built",
            "Run `make run` in the checkout: it builds the dashboard and starts the hub. "
            "The hub itself works, and its API is at /api/v1.",
        )
    return file_answer(request, index, {"Cache-Control": "no-cache"})


def _file(folder: Path, path: str) -> Path | None:
    """Return the file of that name inside `folder`; None for everything else, however it is written."""
    try:
        inside = folder.resolve()
        found = (inside / path).resolve()
        return found if found.is_relative_to(inside) and found.is_file() else None
    except (OSError, ValueError):
        # A name that no file can have: too long, a NUL inside.
        return None


_PAGE = {200: Answer(text="The dashboard", media="text/html")}

ROUTES = (
    Route(
        method="GET",
        path="/",
        handler=dashboard,
        role=None,
        reaches=Reaches.NONE,
        head=True,
        summary="The dashboard",
        answers=_PAGE,
        problems=(412, 416),
    ),
    Route(
        method="GET",
        path=REST,
        handler=dashboard,
        role=None,
        reaches=Reaches.NONE,
        head=True,
        summary="The dashboard's files, and its page for the paths that it routes itself",
        answers=_PAGE,
        problems=(404, 412, 416),
    ),
)
