"""A live-stream client for benches: reads SSE on a thread and stamps what comes."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from types import TracebackType


class Stream:
    """One SSE connection. `samples` grows by (monotonic seconds, [device, metric, time, value, quality])."""

    def __init__(self, url: str, token: str, query: str = "") -> None:
        self.samples: list[tuple[float, list[Any]]] = []
        where = urlsplit(url)
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        self._connection.request(
            "GET", f"/api/v1/stream{query}", headers={"Authorization": f"Bearer {token}"}
        )
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            raise RuntimeError(f"the stream answered {self._response.status}: {self._response.read()!r}")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._closing = False

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        if self._connection.sock is not None:
            self._connection.sock.close()
        self._response.close()

    def _read(self) -> None:
        event = b""
        try:
            for line in self._response:
                now = time.monotonic()
                if line.startswith(b"event:"):
                    event = line[6:].strip()
                elif line.startswith(b"data:") and event == b"samples":
                    self.samples.extend((now, sample) for sample in msgspec.json.decode(line[5:]))
        except (OSError, ValueError, AttributeError):
            if not self._closing:
                raise
