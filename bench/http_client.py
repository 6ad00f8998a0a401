"""One HTTP connection that stays open, for questions whose time is measured."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType


class HttpClient:
    """A context manager. What is no 2xx raises OSError with the answer's beginning."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)

    def get(self, path: str, headers: dict[str, str] | None = None) -> bytes:
        """Ask, and return the answer's body."""
        return self._ask("GET", path, None, headers or {})

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
        """Send, and return the answer's body."""
        return self._ask("POST", path, body, headers or {})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status // 100 != 2:
            raise OSError(f"{method} {path[:80]}: {answer.status} {content[:300]!r}")
        return content

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
