"""The VM's WASI calls on everything but files: arguments, clocks, the console, waiting, ending."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hil.virtual.console import Wake
from hil.virtual.errors import Errno

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hil.virtual.clock import BoardClock
    from hil.virtual.console import Console, Port
    from hil.virtual.files import FileCalls, WasiCall
    from hil.virtual.memory import GuestMemory

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CLOCK_REALTIME = 0
_EVENT_CLOCK, _EVENT_READ = 0, 1
_ABSOLUTE = 1


class VmEnded(Exception):
    """Unwinds the VM: it reset itself, was reset, or ended."""

    def __init__(self, cause: int) -> None:
        super().__init__(cause)
        self.cause = cause


class ProcessCalls:
    """WASI snapshot preview 1, less files. fd 1 is text (LF becomes CR LF), fd 2 the same console raw."""

    def __init__(
        self,
        memory: GuestMemory,
        files: FileCalls,
        console: Console,
        port: Port,
        clock: BoardClock,
        argv: Sequence[str],
    ) -> None:
        self._memory, self._files, self._console, self._port, self._clock = (
            memory,
            files,
            console,
            port,
            clock,
        )
        self._argv = [argument.encode() + b"\0" for argument in argv]

    def calls(self) -> dict[str, WasiCall]:
        """Return the calls by their WASI names."""
        return {
            "args_sizes_get": self._args_sizes_get,
            "args_get": self._args_get,
            "environ_sizes_get": self._environ_sizes_get,
            "environ_get": lambda *_: Errno.OK,
            "clock_time_get": self._clock_time_get,
            "fd_read": self._fd_read,
            "fd_write": self._fd_write,
            "poll_oneoff": self._poll_oneoff,
            "sched_yield": self._sched_yield,
            "proc_exit": self._proc_exit,
        }

    def check_reset(self) -> None:
        """Unwind the VM if a reset waits. Raises VmEnded."""
        cause = self._console.reset_cause
        if cause is not None:
            raise VmEnded(cause)

    def _args_sizes_get(self, count: int, size: int) -> int:
        self._memory.write_u32(count, len(self._argv))
        self._memory.write_u32(size, sum(map(len, self._argv)))
        return Errno.OK

    def _args_get(self, pointers: int, buffer: int) -> int:
        for index, argument in enumerate(self._argv):
            self._memory.write_u32(pointers + 4 * index, buffer)
            self._memory.write(buffer, argument)
            buffer += len(argument)
        return Errno.OK

    def _environ_sizes_get(self, count: int, size: int) -> int:
        self._memory.write_u32(count, 0)
        self._memory.write_u32(size, 0)
        return Errno.OK

    def _clock_time_get(self, clock: int, _precision: int, out: int) -> int:
        self.check_reset()
        ns = self._clock.rtc_ns() if clock == _CLOCK_REALTIME else self._clock.uptime_ns()
        self._memory.write_u64(out, ns)
        return Errno.OK

    def _sched_yield(self) -> int:
        self.check_reset()
        return Errno.OK

    def _proc_exit(self, code: int) -> int:
        raise VmEnded(-code - 1)

    # -- console --------------------------------------------------------------------------------------

    def _vectors(self, address: int, count: int) -> list[tuple[int, int]]:
        return list(struct.iter_unpack("<II", self._memory.read(address, 8 * count)))

    def _fd_read(self, fd: int, vectors: int, count: int, out: int) -> int:
        self.check_reset()
        buffers = self._vectors(vectors, count)
        want = sum(size for _, size in buffers)
        got = self._read_console(want) if fd == _STDIN else self._files.read(fd, want)
        if isinstance(got, Errno):
            return got
        done = 0
        for address, size in buffers:
            part = got[done : done + size]
            self._memory.write(address, part)
            done += len(part)
        self._memory.write_u32(out, done)
        return Errno.OK

    def _read_console(self, count: int) -> bytes | Errno:
        """Block until all bytes are there, as rp2's stdin does."""
        data = b""
        while len(data) < count:
            wake = self._console.wait(None, for_input=True)
            self.check_reset()
            if wake is Wake.INTERRUPT:
                self._console.interrupted()
                return Errno.WASI_EINTR
            data += self._console.take(count - len(data))
        return data

    def _fd_write(self, fd: int, vectors: int, count: int, out: int) -> int:
        self.check_reset()
        data = b"".join(self._memory.read(address, size) for address, size in self._vectors(vectors, count))
        if fd in (_STDOUT, _STDERR):
            self._port.write(data.replace(b"\n", b"\r\n") if fd == _STDOUT else data)
        else:
            failed = self._files.write(fd, data)
            if failed:
                return failed
        self._memory.write_u32(out, len(data))
        return Errno.OK

    # -- waiting --------------------------------------------------------------------------------------

    def _poll_oneoff(self, subscriptions: int, events: int, count: int, out: int) -> int:
        """Sleep, or poll stdin: all that MicroPython asks here. Writes are always said to be possible."""
        self.check_reset()
        timeout: tuple[float, int] | None = None
        reader: int | None = None
        happened: list[tuple[int, int]] = []
        raw = self._memory.read(subscriptions, 48 * count)
        for index in range(count):
            userdata, kind = struct.unpack_from("<QB", raw, 48 * index)
            if kind == _EVENT_CLOCK:
                wait_s = self._wait_s(raw, 48 * index + 16)
                timeout = min(timeout, (wait_s, userdata)) if timeout else (wait_s, userdata)
            elif kind == _EVENT_READ and struct.unpack_from("<I", raw, 48 * index + 16)[0] == _STDIN:
                reader = userdata
            else:
                happened.append((userdata, kind))
        if not happened:
            wake = self.wait(timeout[0] if timeout else None, for_input=reader is not None)
            if wake is Wake.INTERRUPT:
                return Errno.WASI_EINTR
            if wake is Wake.INPUT and reader is not None:
                happened.append((reader, _EVENT_READ))
            elif timeout is not None:
                happened.append((timeout[1], _EVENT_CLOCK))
        elif reader is not None and self._console.available():
            happened.append((reader, _EVENT_READ))
        room = struct.Struct("<QHBxxxxxQHxxxxxx")
        self._memory.write(
            events, b"".join(room.pack(userdata, 0, kind, 1, 0) for userdata, kind in happened)
        )
        self._memory.write_u32(out, len(happened))
        return Errno.OK

    def _wait_s(self, raw: bytes, at: int) -> float:
        _clock, time_ns, _precision, flags = struct.unpack_from("<IxxxxQQH", raw, at)
        if flags & _ABSOLUTE:
            time_ns -= self._clock.uptime_ns()
        return max(0.0, float(time_ns) / 1e9)

    def wait(self, timeout_s: float | None, *, for_input: bool) -> Wake:
        """Let the VM sleep; in virtual time, jump. Ctrl-C ends the wait and is taken. Raises VmEnded."""
        self.check_reset()
        if self._clock.virtual and timeout_s is not None:
            wake = self._console.wait(0.0, for_input=for_input)
            if wake is Wake.TIME:
                self._clock.skip(timeout_s)
        else:
            wake = self._console.wait(timeout_s, for_input=for_input)
        self.check_reset()
        if wake is Wake.INTERRUPT:
            self._console.interrupted()
        return wake
