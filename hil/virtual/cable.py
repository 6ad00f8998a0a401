"""The USB cable of a virtual board: plugged in there is a pty, and a link to it at a path that stays."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from hil.virtual.usb import UsbPort
from hub.model import OutpostError

if TYPE_CHECKING:
    from pathlib import Path

    from hil.virtual.console import Console


class LinkTaken(OutpostError):
    """The link's path is something else's, or cannot be made."""


class Cable:
    """Where a board's console goes. Unplugged, what the board writes is lost and nothing comes in."""

    def __init__(self, console: Console, link: Path | None) -> None:
        self._console, self._link = console, link
        self._lock = threading.Lock()
        self._port: UsbPort | None = None
        self._dropped_bytes = 0

    @property
    def plugged(self) -> bool:
        """True while there is a pty."""
        return self._port is not None

    @property
    def path(self) -> str:
        """The device file to open: the link if there is one, else the pty. LookupError when unplugged."""
        port = self._port
        if port is None:
            raise LookupError("the board is unplugged")
        return str(self._link) if self._link is not None else port.path

    @property
    def dropped_bytes(self) -> int:
        """Bytes that the board wrote and no host read in time."""
        port = self._port
        return self._dropped_bytes + (port.dropped_bytes if port is not None else 0)

    def plug(self) -> None:
        """Make a pty, and the link to it. Raises LinkTaken."""
        with self._lock:
            if self._port is not None:
                return
            port = UsbPort(self._console)
            try:
                self._make_link(port.path)
            except LinkTaken:
                port.close()
                raise
            self._port = port

    def unplug(self) -> None:
        """Tear the pty down: a host that has it open gets an error."""
        with self._lock:
            port, self._port = self._port, None
            if port is None:
                return
            if self._link is not None and self._link.is_symlink() and str(self._link.readlink()) == port.path:
                with contextlib.suppress(OSError):
                    self._link.unlink()
            port.close()
            self._dropped_bytes += port.dropped_bytes

    def write(self, data: bytes) -> None:
        """Send what the board writes."""
        port = self._port
        if port is not None:
            port.write(data)
        else:
            self._dropped_bytes += len(data)

    def writable(self) -> bool:
        """Tell whether a write finds room; unplugged it always does."""
        port = self._port
        return port is None or port.writable()

    def _make_link(self, target: str) -> None:
        if self._link is None:
            return
        if os.path.lexists(self._link) and not self._link.is_symlink():
            raise LinkTaken(f"{self._link}: exists and is no link; choose another path for the board's port")
        if self._link.exists() and self._link.resolve() != self._link:  # a dangling one is a dead board's
            raise LinkTaken(
                f"{self._link}: points to {self._link.readlink()}, which is in use; remove it first"
            )
        fresh = self._link.with_name(f".{self._link.name}.{os.getpid()}")
        try:
            fresh.symlink_to(target)
            fresh.replace(self._link)
        except OSError as error:
            raise LinkTaken(f"{self._link}: cannot be made: {error}") from error
