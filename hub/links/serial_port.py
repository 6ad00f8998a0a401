"""One open serial port: a file descriptor on the event loop, with a bounded write buffer.

pyserial opens and configures the port, and is out of the way then: its `readline` takes 1,200 lines a second,
`os.read` on a readable descriptor hundreds of thousands.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import termios
from typing import TYPE_CHECKING

import serial

from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable

# What USB CDC ignores and boards behind a UART bridge (ESP32) speak at their REPL.
BAUD = 115_200
READ_BYTES = 65_536
# A board that does not read holds no more than this; sessions repeat what matters.
WRITE_BYTES = 16_384

_ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.ENOTDIR})
_CONTROL_FLAGS, _CONTROL_CHARS = 2, 6  # places in the list of termios.tcgetattr


class PortAbsent(OutpostError):
    """Nothing is plugged in at that path."""


class PortUnusable(OutpostError):
    """The port is there and cannot be used: busy, forbidden, no serial port; the message says what to do."""


async def opened(path: str) -> int:
    """Open the serial port at `path`, exclusively and raw; return its non-blocking descriptor.

    DTR and RTS stay as the kernel sets them on opening, both on: CDC boards send to nobody without DTR, and
    the reset circuit of an ESP32 board acts only where the two differ. Raises PortAbsent, PortUnusable.
    """
    # A sick USB device can keep open() for seconds: in a thread, whose late answer must not leak.
    opening = asyncio.ensure_future(asyncio.to_thread(_open, path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise


def _close_late(opening: asyncio.Future[int]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


def connected(path: str, timeout_s: float) -> serial.Serial:
    """Open the port at `path` exclusively for blocking use; reads and writes give up after `timeout_s`.

    DTR and RTS are on, as in `opened`. Raises PortAbsent, PortUnusable.
    """
    try:
        return serial.Serial(path, BAUD, timeout=timeout_s, write_timeout=timeout_s, exclusive=True)
    except serial.SerialException as error:
        raise _explained(path, error) from error
    except (OSError, ValueError, termios.error) as error:
        raise PortUnusable(f"{path}: cannot be opened: {error}") from error


def _open(path: str) -> int:
    port = connected(path, 0)
    try:
        # pyserial keeps four descriptors of its own beside the port's; the lock lives on in the copy.
        fd = os.dup(port.fileno())
    finally:
        port.close()
    try:
        _configure(fd, path)
    except (OSError, termios.error) as error:
        os.close(fd)
        raise PortAbsent(f"{path}: went away while it was opened: {error}") from error
    return fd


def _configure(fd: int, path: str) -> None:
    os.set_blocking(fd, False)
    attributes = termios.tcgetattr(fd)
    # With VMIN 0 (pyserial's) a read without data returns b"", which is how a hang-up looks.
    attributes[_CONTROL_CHARS][termios.VMIN] = 1
    attributes[_CONTROL_CHARS][termios.VTIME] = 0
    if os.path.basename(os.path.realpath(path)).startswith("ttyUSB"):  # noqa: PTH119 - a device's name
        # A UART bridge: dropping DTR and RTS at each closing could reset the board behind it.
        attributes[_CONTROL_FLAGS] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _explained(path: str, error: serial.SerialException) -> OutpostError:
    code = getattr(error, "errno", None)
    if code in _ABSENT:
        return PortAbsent(f"{path}: nothing is there")
    if code in (errno.EAGAIN, errno.EBUSY):
        return PortUnusable(
            f"{path}: in use by another program (mpremote, a serial monitor, a second hub); close it there"
        )
    if code in (errno.EACCES, errno.EPERM):
        return PortUnusable(
            f"{path}: no right to open it; add the hub's user to the group dialout, then log in again"
        )
    return PortUnusable(f"{path}: is no usable serial port: {error}")


class Port:
    """An open port on the running loop. `received` gets what came; `lost` is called once when it breaks."""

    def __init__(self, fd: int, *, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self.dropped_bytes = 0
        """Bytes that found no room because the board did not read."""
        self._fd = fd
        self._received = received
        self._lost = lost
        self._waiting = bytearray()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fd, self._read)

    def write(self, data: bytes) -> None:
        """Write now what goes, keep the rest for when there is room; where none is, drop all of `data`."""
        if not data or self._fd < 0:
            return
        if len(self._waiting) + len(data) > WRITE_BYTES:
            self.dropped_bytes += len(data)
            return
        waited = bool(self._waiting)
        self._waiting += data
        if not waited:
            self._write()

    def discard(self) -> None:
        """Forget what was not yet sent: orders of a session that ended must not reach the board later."""
        self._waiting.clear()
        if self._fd >= 0:
            self._loop.remove_writer(self._fd)
            with contextlib.suppress(OSError, termios.error):
                termios.tcflush(self._fd, termios.TCOFLUSH)

    def close(self) -> None:
        """Leave the port to others."""
        if self._fd < 0:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        # Bytes that a dead board never takes would make close() wait for them, by default 30 s.
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._fd, termios.TCIOFLUSH)
        fd, self._fd = self._fd, -1
        os.close(fd)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._break(f"unplugged ({error.strerror or error})")
            return
        if data:
            self._received(data)
        else:
            self._break("unplugged")

    def _write(self) -> None:
        try:
            sent = os.write(self._fd, self._waiting)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._break(f"unplugged ({error.strerror or error})")
            return
        del self._waiting[:sent]
        if self._waiting:
            self._loop.add_writer(self._fd, self._write)
        else:
            self._loop.remove_writer(self._fd)

    def _break(self, reason: str) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._waiting.clear()
        self._lost(reason)
