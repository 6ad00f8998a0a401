"""By which way a command came, for the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

_PROGRAMS = {"outpost-cli": "cli", "outpost-rig": "rig"}


def origin_of(request: web.Request, way: str) -> str:
    """Return our own program's name where its User-Agent tells it, else `way` (`http`, `websocket`).

    That is a courtesy to who reads the trail, and grants nothing.
    """
    program, _, _ = request.headers.get("User-Agent", "").partition("/")
    return _PROGRAMS.get(program, way)
