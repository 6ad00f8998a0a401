"""Errors as problem documents (RFC 9457), and answers as JSON."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_TYPE = "application/problem+json"

_encoder = msgspec.json.Encoder()


class Problem(OutpostError):
    """A request cannot be answered: an HTTP status, words for people, and the parameter that is wrong."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        parameter: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.document = ProblemDocument(
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            parameter=msgspec.UNSET if parameter is None else parameter,
        )
        self.headers = headers or {}

    def response(self) -> web.Response:
        """Return the problem document as an answer."""
        return web.Response(
            status=self.document.status,
            body=encode(self.document),
            content_type=PROBLEM_TYPE,
            headers={"Cache-Control": "no-store", **self.headers},
        )


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "type"}):
    """A problem document (RFC 9457): `detail` is for people, `parameter` names what is wrong."""

    title: str
    status: int
    detail: str
    kind: str = "about:blank"
    parameter: str | msgspec.UnsetType = msgspec.UNSET


def encode(value: Any) -> bytes:
    """Return `value` as JSON, with `?` for what has no UTF-8 form (a lone surrogate in a device's text)."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), ensure_ascii=False).encode("utf-8", "replace")


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with `value` as JSON that no cache keeps."""
    return answer_of(encode(value), status=status, headers=headers)


def answer_of(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON that is written already and that no cache keeps."""
    return web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def items_answer(items: Any, next_cursor: str | None = None) -> web.Response:
    """Answer with a list: its items, and where the next page begins."""
    return json_answer({"items": items, "next": next_cursor})
