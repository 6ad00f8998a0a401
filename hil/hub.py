"""A hub as a process of its own, for rigs, tests and benches: started, found, killed, started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from hub.access import LOCAL_ACCESS, LocalAccess
from hub.model import OutpostError
from hub.tls.serving import client_context

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


class HubError(OutpostError):
    """The hub process did not start, or ended when it should not have; the message carries its last words."""


class HubProcess:
    """`outpost run` on `data`. Not thread-safe; a context manager that stops the hub at its end.

    `arguments` go to `outpost run`; `listen` keeps the port over a restart when it names one.
    """

    def __init__(
        self,
        data: Path,
        *arguments: str,
        listen: str = "127.0.0.1:0",
        config: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data
        self.listen = listen
        self.lines: deque[str] = deque(maxlen=2000)
        """What the hub printed and logged, newest last."""
        self._arguments = list(arguments)
        self._environ = {**os.environ, **(environ or {}), "PYTHONUNBUFFERED": "1"}
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        if config is not None:
            data.mkdir(parents=True, exist_ok=True)
            path = data.with_name(data.name + ".toml")
            path.write_text(config)
            self._arguments += ["--config", str(path)]

    def __enter__(self) -> HubProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the hub and wait until it serves. Raises HubError."""
        (self.data / LOCAL_ACCESS).unlink(missing_ok=True)
        self._process = subprocess.Popen(  # noqa: S603 - our own command with our own arguments
            [
                sys.executable,
                *("-m", "hub.cli", "run", "--data", str(self.data), "--listen", self.listen),
                *self._arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environ,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._serves():
            if self._process.poll() is not None:
                self._reader.join(2)
                raise HubError(f"the hub ended with code {self._process.returncode}:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise HubError(f"the hub did not serve within {START_TIMEOUT_S} s:\n{self.tail()}")
            time.sleep(0.02)

    @property
    def access(self) -> LocalAccess:
        """URL and admin token of the running hub."""
        return msgspec.json.decode((self.data / LOCAL_ACCESS).read_bytes(), type=LocalAccess)

    @property
    def url(self) -> str:
        """The hub's base URL, without a trailing slash."""
        return self.access.url

    @property
    def token(self) -> str:
        """A token of role admin."""
        return self.access.token

    @property
    def claim_url(self) -> str:
        """The link that the hub printed, which opens the dashboard logged in once."""
        for line in reversed(self.lines):
            if "/claim" in line:
                return line.strip()
        raise HubError(f"the hub printed no claim link:\n{self.tail()}")

    @property
    def pid(self) -> int:
        """The process's id."""
        if self._process is None:
            raise HubError("the hub was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> int:
        """End the hub as systemd would, and return its exit code; kills what does not end."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._ended()

    def kill(self) -> int:
        """End the hub as a power cut would, and return its exit code."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        return self._ended()

    def tail(self, lines: int = 30) -> str:
        """Return the hub's last words."""
        return "\n".join(list(self.lines)[-lines:])

    def _ended(self) -> int:
        assert self._process is not None  # noqa: S101 - both callers checked
        code = self._process.wait()
        if self._reader is not None:
            self._reader.join(5)
        return code

    def _serves(self) -> bool:
        try:
            access = self.access
            trusted = client_context(access.certificate) if access.certificate else None
            with urllib.request.urlopen(f"{access.url}/healthz", timeout=2, context=trusted) as answer:  # noqa: S310 - our own URL
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError, msgspec.DecodeError):
            return False

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for above
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))
