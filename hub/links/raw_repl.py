"""A MicroPython board's raw REPL: scripts and files on the board, by mpremote's transport.

The one place that knows mpremote, whose inner parts have no fixed API (pyproject.toml pins it). Everything
here blocks: use it in a thread. The protocol: https://docs.micropython.org/en/latest/reference/repl.html
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import struct
import termios
import time
from typing import TYPE_CHECKING, Any, Self

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from hub.links.serial_port import connected
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable

# A read waits so long for the board: its garbage collector and its flash make it pause.
TIMEOUT_S = 3.0
# Ctrl-C can come into a moment in which it is lost, while the chip starts; one that restarts each second has
# to be caught between.
TRIES = 10
TRY_S = 0.8
# A soft reset runs boot.py, which may join a WiFi.
SOFT_RESET_S = 10.0
CHUNK_BYTES = 512
_RAW = b"raw REPL; CTRL-B to exit\r\n"


class BoardError(OutpostError):
    """Base of what can go wrong with a board at its REPL."""


class NoMicroPython(BoardError):
    """Nothing that is MicroPython answers at the port."""


class BoardGone(BoardError):
    """The board went away, or fell silent, in the middle."""


class BoardFull(BoardError):
    """The board's flash has no room."""


class ScriptFailed(BoardError):
    """A script raised on the board; the message carries the traceback's last line."""


class _Transport(SerialTransport):  # type: ignore[misc] # mpremote publishes no types
    """mpremote's transport on a port that we opened: its own opening hides why it fails."""

    def __init__(self, port: serial.Serial) -> None:
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.mounted = False
        self.serial = port
        # To mpremote: wait in read() for each byte, in place of looking each 10 ms whether one is there.
        self.is_pty = True


class RawRepl:
    """The raw REPL of the board at a port, from the constructor to `close` or `restart`.

    Whatever runs on the board is interrupted, and the interpreter is fresh. Raises PortAbsent, PortUnusable,
    NoMicroPython, BoardGone.
    """

    def __init__(self, path: str) -> None:
        # By the device itself: a link to it may be made anew under our hands.
        self._path = path
        self._transport = _Transport(connected(os.path.realpath(path), TIMEOUT_S))
        try:
            self._enter()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, script: str, wait_s: float = 10.0) -> str:
        """Run a script and return what it printed; `wait_s` is how long it may print nothing.

        Raises ScriptFailed, BoardFull, BoardGone.
        """
        with self._explained("a script ran"):
            printed, raised = self._transport.exec_raw(script, timeout=wait_s)
            if raised:
                raise TransportExecError(0, raised.decode(errors="replace"))
            text: str = printed.decode(errors="replace").replace("\r\n", "\n")
            return text

    def write(self, path: str, data: bytes, progress: Callable[[int], None]) -> None:
        """Write a file; `progress` gets the number of bytes of each piece. Raises as `run`."""
        done = 0

        def wrote(written: int, _size: int) -> None:
            nonlocal done
            progress(min(written, len(data)) - done)
            done = min(written, len(data))

        with self._explained(f"{path} was written"):
            self._transport.fs_writefile(path, data, CHUNK_BYTES, wrote)

    def restart(self) -> None:
        """Reset the chip, so that it starts what is on its flash, and close the port. Raises BoardGone."""
        with self._explained("it was restarted"):
            # The pause lets the answer out before USB goes.
            self._transport.exec_raw_no_follow("import machine, time\ntime.sleep_ms(100)\nmachine.reset()")
        self.close()

    def close(self) -> None:
        """Leave the port to others, the board where it is."""
        with contextlib.suppress(OSError):
            self._transport.close()
        with contextlib.suppress(OSError):
            self._transport.serial.close()

    # --- getting in ---------------------------------------------------------------------------------------

    def _enter(self) -> None:
        """Interrupt what runs, enter the raw REPL, and have the interpreter forget all (a soft reset)."""
        heard = b""
        with self._explained("its REPL was asked for"):
            for _ in range(TRIES):
                # Ctrl-C, which code may catch: then the next round has another. Ctrl-A asks for the raw REPL.
                self._transport.serial.write(b"\r\x03")
                time.sleep(0.1)
                self._transport.serial.reset_input_buffer()
                self._transport.serial.write(b"\r\x01")
                heard = self._until(_RAW + b">", TRY_S)
                if heard.endswith(_RAW + b">"):
                    self._transport.serial.write(b"\x04")
                    heard = self._until(b"soft reboot\r\n", SOFT_RESET_S)
                    heard += self._until(_RAW, SOFT_RESET_S)
                    if heard.endswith(_RAW):
                        self._transport.in_raw_repl = True
                        return
        raise NoMicroPython(
            f"{self._path}: {_guess(heard)}. Put MicroPython on the board first: "
            "https://micropython.org/download/ has it for each board, and says how"
        )

    def _until(self, ending: bytes, wait_s: float) -> bytes:
        """Read until `ending`, or for so long; return the last of what came."""
        port, data, end_s = self._transport.serial, b"", time.monotonic() + wait_s
        port.timeout = 0.05
        while not data.endswith(ending) and time.monotonic() < end_s:
            data = (data + port.read(1))[-4096:]
        port.timeout = TIMEOUT_S
        return data

    @contextlib.contextmanager
    def _explained(self, when: str) -> Any:
        """Turn mpremote's, pyserial's and the board's errors into ours."""
        try:
            yield
        except TransportExecError as error:
            raise self._failed(error) from error
        except TransportError as error:
            raise BoardGone(f"{self._path}: the board fell silent while {when}: {error}") from error
        except (serial.SerialException, OSError) as error:
            # mpremote makes an OSError of one that the board raised; that of the port is another matter.
            if isinstance(error.__context__, TransportExecError):
                raise self._failed(error.__context__) from error
            raise BoardGone(f"{self._path}: the board went away while {when} ({error})") from error
        except (termios.error, struct.error, ValueError) as error:
            # termios.error is no OSError; the others are what mpremote makes of half an answer.
            raise BoardGone(f"{self._path}: the board fell silent while {when}") from error

    def _failed(self, error: TransportExecError) -> BoardError:
        """Return what a traceback of the board means."""
        last = (error.error_output.strip().splitlines() or ["no words"])[-1]
        if re.search(rf"OSError: (\[Errno )?{errno.ENOSPC}\b", last):
            return BoardFull(f"{self._path}: the board's flash is full; remove files of your own there")
        return ScriptFailed(f"{self._path}: a script failed on the board: {last}")


def _guess(heard: bytes) -> str:
    """Say what kind of silence or noise came in place of MicroPython's REPL."""
    if not heard.strip():
        return "nothing answers there"
    text = heard.decode("ascii", "replace")
    if "rst:0x" in text or "ets " in text:
        return "an ESP32 starts there again and again"
    return "what answers there is not MicroPython"
