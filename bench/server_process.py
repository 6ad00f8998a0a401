"""A video server (bench.video_server) as a process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class ServerProcess:
    """A context manager; `url` is there once it is entered."""

    def __init__(self, mode: str, source: str) -> None:
        self.url = ""
        self._arguments = [sys.executable, "-m", "bench.video_server", mode, source]
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> ServerProcess:
        self._process = subprocess.Popen(self._arguments, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise ChildProcessError(f"{' '.join(self._arguments[2:])} did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
