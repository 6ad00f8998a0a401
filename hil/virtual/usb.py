"""A board's USB serial port as a pty, with the habits of USB CDC as MicroPython's rp2 port has it.

Open and unread, a write blocks for 500 ms and is then cut. Closed, the last 256 bytes are kept and sent on
the next opening; what was before them is lost without a word. A pty has no DTR and no USB ids, and swallows
about 20 KB before a write blocks, where a board's buffer has 256 bytes.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.virtual.console import Console

_WRITE_TIMEOUT_S = 0.5
_RETAINED_BYTES = 256
_CLOSED_POLL_S = 0.02  # a pty's master cannot wait for the other side to be opened: it has to look


class UsbPort:
    """One plugged-in cable: a pty from `__init__` to `close`, whose host side is at `path`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._master, slave = os.openpty()
        try:
            self.path = os.ttyname(slave)
            """The device file that a host opens."""
            tty.setraw(slave)  # settings stay with the pty: a host that sets none must not get an echo
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)
        self._stop_read, self._stop_write = os.pipe()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._retained = bytearray()
        self.dropped_bytes = 0
        """Bytes that no host read in time."""
        self._reader = threading.Thread(target=self._read_all, name=f"usb {self.path}", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Pull the cable: a host that has the port open gets an error or end of file."""
        if self._closed.is_set():
            return
        self._closed.set()
        os.write(self._stop_write, b"x")
        self._reader.join()
        with self._lock:
            for fd in (self._master, self._stop_read, self._stop_write):
                os.close(fd)

    # -- VM → host ------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes to the host, as USB CDC would (see the module)."""
        with self._lock:
            if self._closed.is_set():
                return
            events = self._look(select.POLLOUT)
            if events & select.POLLHUP:
                self._retain(data)
            else:
                self._send(bytes(self._retained) + data)
                self._retained.clear()

    def writable(self) -> bool:
        """Tell whether a write finds room; a port that nobody has open always does."""
        with self._lock:
            return self._closed.is_set() or bool(
                self._look(select.POLLOUT) & (select.POLLOUT | select.POLLHUP)
            )

    def _look(self, interest: int) -> int:
        poll = select.poll()
        poll.register(self._master, interest)
        found = poll.poll(0)
        return found[0][1] if found else 0

    def _retain(self, data: bytes) -> None:
        self._retained += data
        surplus = len(self._retained) - _RETAINED_BYTES
        if surplus > 0:
            self.dropped_bytes += surplus
            del self._retained[:surplus]

    def _send(self, data: bytes) -> None:
        end_s = time.monotonic() + _WRITE_TIMEOUT_S
        while data and not self._closed.is_set():
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]
                continue
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                self.dropped_bytes += len(data)
                return
            poll = select.poll()
            poll.register(self._master, select.POLLOUT)
            poll.register(self._stop_read, select.POLLIN)
            poll.poll(left_s * 1000)

    # -- host → VM ------------------------------------------------------------------------------------

    def _read_all(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        poll.register(self._stop_read, select.POLLIN)
        while not self._closed.is_set():
            events = self._look(select.POLLIN)
            if events & select.POLLIN:
                self._pass_on()
            elif events & select.POLLHUP:
                self._closed.wait(_CLOSED_POLL_S)
            else:
                if self._retained:
                    self.write(b"")  # just opened: what was retained goes out
                poll.poll()

    def _pass_on(self) -> None:
        room = self._console.room(_CLOSED_POLL_S)
        if room:
            with contextlib.suppress(BlockingIOError, OSError):  # EIO: the host closed between the two calls
                self._console.feed(os.read(self._master, room))
