"""Files as answers: the whole or a part, and a problem document where that cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.helpers import ETAG_ANY

from hub.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import stat_result
    from pathlib import Path


def file_answer(request: web.Request, path: Path, headers: Mapping[str, str]) -> web.StreamResponse:
    """Answer with a file, or the part that Range asks for. Raises Problem 404, 412, 416 (RFC 9110, 13, 14).

    aiohttp would say the same without a body, which leaves whoever asked to guess.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise Problem(404, "this file is gone") from error
    _check_conditions(request, state)
    if "If-Range" not in request.headers:
        _check_range(request, state.st_size)
    return web.FileResponse(path, headers=headers)


def _check_conditions(request: web.Request, state: stat_result) -> None:
    wanted, since = request.if_match, request.if_unmodified_since
    own = f"{state.st_mtime_ns:x}-{state.st_size:x}"  # as FileResponse makes it
    if wanted is not None:
        if not any(tag.value == ETAG_ANY or (tag.value == own and not tag.is_weak) for tag in wanted):
            raise Problem(412, f'this file is at the version "{own}", none of those that If-Match names')
    elif since is not None and state.st_mtime > since.timestamp():
        raise Problem(412, "this file was changed after the time that If-Unmodified-Since names")


def _check_range(request: web.Request, size: int) -> None:
    told = {"Content-Range": f"bytes */{size}"}
    try:
        start = request.http_range.start
    except ValueError as error:
        raise Problem(416, "Range is one part, as in bytes=0-499", headers=told) from error
    if start is not None and start >= size:
        raise Problem(416, f"Range begins behind the end: the file has {size} bytes", headers=told)
