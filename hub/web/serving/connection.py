"""One client's connection: what is no HTTP is answered as all that is wrong is, by a problem document."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from hub.web.gate.guard import HEADERS
from hub.web.problem import Problem

if TYPE_CHECKING:
    from aiohttp.web_request import BaseRequest

_WORDS = 200


class Connection(web.RequestHandler):
    """aiohttp's, which answers what its parser refuses in plain text, before any middleware sees it."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer with a problem document, and close. Raises ConnectionError where an answer has begun."""
        super().handle_error(request, status, exc, message)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            problem = Problem(status, "the hub failed on this request; its log says more")
        else:
            problem = Problem(status, f"this is no HTTP request: {_first_line(message)}")
        response = problem.response()
        response.headers.update(HEADERS)
        response.force_close()
        return response


def _first_line(message: str | None) -> str:
    """Return the parser's reason without the client's bytes, which it shows below."""
    lines = (message or "").strip().splitlines()
    return lines[0].rstrip(": ")[:_WORDS] if lines else "it cannot be read"
