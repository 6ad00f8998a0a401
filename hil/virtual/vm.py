"""One life of the VM, from power-on or reset to its end."""

from __future__ import annotations

import json
import threading
import traceback
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

import wasmtime

from hil.virtual.files import FileCalls
from hil.virtual.interrupt import Interrupt
from hil.virtual.memory import GuestMemory
from hil.virtual.wasi import ProcessCalls, VmEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.virtual.clock import BoardClock
    from hil.virtual.console import Console, Port, Wake
    from hil.virtual.flash import Flash

_RESULT_BYTES = 1024
_WASI = "wasi_snapshot_preview1"


class End(Enum):
    """How a life of the VM ended."""

    RESET = auto()
    EXIT = auto()
    CRASH = auto()


class Ended(NamedTuple):
    """How a life ended: the cause of a RESET or the code of an EXIT, and what went wrong in a CRASH."""

    how: End
    code: int
    detail: str = ""


class Vm:
    """MicroPython with a heap of its own. `run` blocks its thread until the VM ends."""

    def __init__(
        self,
        engine: wasmtime.Engine,
        module: wasmtime.Module,
        *,
        flash: Flash,
        console: Console,
        port: Port,
        clock: BoardClock,
        heap_kib: int,
        boot_file: str,
    ) -> None:
        self._engine, self._module, self._console = engine, module, console
        self._flash, self._port, self._clock = flash, port, clock
        self._argv = ["micropython", "-X", f"heapsize={heap_kib}k", boot_file]
        self._ended: Ended | None = None
        self._lock = threading.Lock()
        self._interrupt: Interrupt | None = None
        self._memory: GuestMemory
        self._process: ProcessCalls

    def stop(self) -> None:
        """Unwind a VM that computes. The reset it is for must be in the console already."""
        self._engine.increment_epoch()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the running code. From any thread; before and after a life, nothing."""
        with self._lock:  # the memory goes away with the life
            if self._interrupt is not None:
                self._interrupt.fire()

    def allow_interrupts(self, exception: int, global_dict: int) -> bool:
        """Take the addresses the boot ROM tells. Returns False where Ctrl-C cannot reach running code."""
        found = Interrupt(self._memory, exception, global_dict)
        with self._lock:
            self._interrupt = found
        return found.works

    def wait(self, timeout_s: float | None, *, for_input: bool) -> Wake:
        """Let the VM sleep (see `ProcessCalls.wait`). On the VM's thread."""
        return self._process.wait(timeout_s, for_input=for_input)

    def run(self, host_call: Callable[[str, Any], Any]) -> Ended:
        """Run until the end. `host_call(name, arguments)` answers the boot ROM with a JSON value."""
        store = wasmtime.Store(self._engine)
        store.set_epoch_deadline(1)
        linker = wasmtime.Linker(self._engine)
        calls: dict[str, Callable[..., Any]] = {}
        # The calls need the memory, which exists once the VM is instantiated: they are looked up when called.
        for wanted in self._module.imports:
            name = str(wanted.name)
            assert isinstance(wanted.type, wasmtime.FuncType)  # noqa: S101 - true of the pinned artefact
            linker.define_func(wanted.module, name, wanted.type, self._guarded(name, calls))
        instance = linker.instantiate(store, self._module)
        exports = instance.exports(store)
        memory, start = exports["memory"], exports["_start"]
        assert isinstance(memory, wasmtime.Memory)  # noqa: S101 - true of the pinned artefact
        assert isinstance(start, wasmtime.Func)  # noqa: S101 - true of the pinned artefact
        self._memory = GuestMemory(memory, store)
        files = FileCalls(self._memory, self._flash)
        self._process = ProcessCalls(self._memory, files, self._console, self._port, self._clock, self._argv)
        calls |= files.calls() | self._process.calls()
        calls["host_result_cap"] = lambda: _RESULT_BYTES
        calls["host_call"] = lambda *arguments: self._host_call(host_call, *arguments)
        try:
            start(store)
        except Exception as error:  # maybe another VM's: see _guarded
            if self._ended is None and self._console.reset_cause is not None:  # the epoch cut a loop short
                return Ended(End.RESET, self._console.reset_cause)
            return self._ended or Ended(End.CRASH, 1, str(error)[:2000])
        finally:
            with self._lock:
                self._interrupt = None
            files.close_all()
            linker.close()
            store.close()
        return Ended(End.EXIT, 0)

    def _guarded(self, name: str, calls: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
        """Wrap a host call so that how it ended this VM is kept here.

        wasmtime-py passes a callback's exception through a global variable, which VMs on other threads share.
        The exception itself is not kept: its traceback holds the VM's memory.
        """

        def call(*arguments: Any) -> Any:
            try:
                return calls[name](*arguments)
            except BaseException as error:
                self._ended = self._ended or _how(error)
                raise

        return call

    def _host_call(
        self,
        handler: Callable[[str, Any], Any],
        name: int,
        name_length: int,
        data: int,
        length: int,
        out: int,
        cap: int,
    ) -> int:
        arguments = json.loads(self._memory.read(data, length))
        answer = json.dumps(handler(self._memory.text(name, name_length), arguments)).encode()
        self._memory.write(out, answer[:cap])
        return len(answer)


def _how(error: BaseException) -> Ended:
    """Return what an exception in a host call means for the VM."""
    if not isinstance(error, VmEnded):
        return Ended(End.CRASH, 1, "".join(traceback.format_exception(error)))
    if error.cause >= 0:
        return Ended(End.RESET, error.cause)
    return Ended(End.EXIT, -error.cause - 1)
