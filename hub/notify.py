"""Word to systemd: ready, stopping, and a watchdog that is fed only while the committer makes progress."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


class Notifier:
    """Speaks sd_notify(3) where systemd listens; silent elsewhere."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        usec = environ.get("WATCHDOG_USEC", "")
        pid = environ.get("WATCHDOG_PID", "")
        meant_for_us = not pid or pid == str(os.getpid())
        self.watchdog_s = int(usec) / 1_000_000 if usec.isdigit() and meant_for_us else None

    def ready(self, status: str) -> None:
        """Say that the hub serves."""
        self._say(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """Say that the hub is about to end."""
        self._say("STOPPING=1")

    async def feed(self, progress: Callable[[], int]) -> None:
        """Feed the watchdog whenever `progress()` has grown: a hung committer gets the hub restarted."""
        if self.watchdog_s is None:
            return
        seen = -1
        while True:
            now = progress()
            if now > seen:
                seen = now
                self._say("WATCHDOG=1")
            else:
                log.warning("the store made no progress since the last look; the watchdog is not fed")
            await asyncio.sleep(self.watchdog_s / 3)

    def _say(self, text: str) -> None:
        if not self._address:
            return
        # A leading @ names a socket of the abstract namespace (unix(7)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.sendto(text.encode(), address)
            except OSError as error:
                log.warning("systemd could not be told: %s", error)
