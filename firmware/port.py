"""The board's hardware as the node sees it: identity, time, console, LED pin. One for RP2 and ESP32."""

import asyncio
import binascii
import os
import select
import sys
import time

import machine
from micropython import const

_PIECE = const(64)
_CAUSES = (
    ("PWRON_RESET", "power"),
    ("HARD_RESET", "hard"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deep sleep"),
    ("SOFT_RESET", "soft"),
)


def uid() -> str:
    """Return the chip's unique id in hex."""
    return binascii.hexlify(machine.unique_id()).decode()


def boot_id() -> str:
    """Return 8 hex digits that no other boot of this board had."""
    try:
        noise = os.urandom(4)
    except OSError:
        noise = (time.time_ns() // 1000 * 2654435761 & 0xFFFFFFFF).to_bytes(4, "big")
    return binascii.hexlify(noise).decode()


def reset_cause() -> str:
    """Return why the board started; an RP2 knows power and watchdog, by which it resets itself, too."""
    cause = machine.reset_cause()
    for name, text in _CAUSES:
        if getattr(machine, name, None) == cause:
            return text
    return f"cause {cause}"


def model() -> str:
    """Return what the board is, in MicroPython's words."""
    return str(os.uname()[4])


class Clock:
    """Milliseconds since the start, without wrap; it must be asked at least once in 6 days."""

    def __init__(self) -> None:
        self._last = time.ticks_ms()
        self._now = 0

    def now(self) -> int:
        """Return the ms since the start."""
        ticks = time.ticks_ms()
        self._now += time.ticks_diff(ticks, self._last)
        self._last = ticks
        return self._now


class Console:
    """The port that frames share with the REPL. Reads and writes never stop the other tasks."""

    def __init__(self) -> None:
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._reader = asyncio.StreamReader(self._in)
        self._readable = select.poll()
        self._readable.register(self._in, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sys.stdout, select.POLLOUT)
        self._buffer = bytearray(_PIECE)
        self.patience_ms = 0
        """After so long a write to a host that does not read is given up; 0: never."""

    async def read(self) -> bytes:
        """Return what came in: at least one byte, at most 64."""
        buffer = self._buffer
        first = await self._reader.read(1)
        if not first:
            return b""
        buffer[0] = first[0]
        count = 1
        # One byte at a time: reading more would wait for all of them.
        while count < _PIECE and self._readable.poll(0):
            one = self._in.read(1)
            if not one:
                break
            buffer[count] = one[0]
            count += 1
        return bytes(buffer[:count])

    async def write(self, frame: bytes) -> None:
        """Write a frame as the host takes it; a write to one that does not read stalls all, and is cut."""
        since = time.ticks_ms()
        for start in range(0, len(frame), _PIECE):
            while not self._writable.poll(0):
                if self.patience_ms and time.ticks_diff(time.ticks_ms(), since) > self.patience_ms:
                    return
                await asyncio.sleep_ms(5)
            self._out.write(frame[start : start + _PIECE])

    async def flush(self) -> None:
        """Do nothing: `write` keeps nothing."""


def led_pin(pin: "int | str | None") -> "machine.Pin | None":
    """Return the LED's pin as an output, or None on a board without one."""
    try:
        return machine.Pin("LED" if pin is None else pin, machine.Pin.OUT, value=0)
    except (TypeError, ValueError):
        return None


def restart() -> None:
    """Reset the chip."""
    machine.reset()
