"""A real Mosquitto on a port of its own, for the tests that need a broker."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


def free_port() -> int:
    """Return a TCP port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """Mosquitto as a process: `start`, `kill` (as a power cut) and `start` again on the same port.

    With `user`, nobody gets in without that name and password, or those of `others`; `acl` are its access
    rules, as mosquitto.conf(5) has them. `more` are lines of its configuration.
    """

    def __init__(
        self,
        folder: Path,
        *,
        user: tuple[str, str] | None = None,
        others: tuple[tuple[str, str], ...] = (),
        acl: str = "",
        more: tuple[str, ...] = (),
    ) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} {self.host}", "persistence false", "max_queued_messages 0"]
        lines += more
        if more:
            lines.append("user root")
        elif user is None:
            lines.append("allow_anonymous true")
        else:
            passwords = folder / "passwords"
            passwords.write_text("")
            for one in (user, *others):
                subprocess.run(
                    [binary("mosquitto_passwd"), "-b", str(passwords), *one], check=True, capture_output=True
                )
            passwords.chmod(0o644)
            # Started by root, Mosquitto reads its password file as the user that it becomes.
            lines += ["allow_anonymous false", f"password_file {passwords}", "user root"]
        if acl:
            rules = folder / "acl"
            rules.write_text(acl)
            rules.chmod(0o600)
            lines.append(f"acl_file {rules}")
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self._process = subprocess.Popen(
            [binary("mosquitto"), "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError(f"Mosquitto ended with code {self._process.returncode}")
            try:
                socket.create_connection((self.host, self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("Mosquitto does not listen")

    def kill(self) -> None:
        """End it at once, without a word to its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def reload(self) -> None:
        """Have it read its password file and access rules anew."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


def binary(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise AssertionError(f"{name} is not installed; on Debian: apt install mosquitto")
    return found
